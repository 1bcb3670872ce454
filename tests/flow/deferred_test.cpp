#include <ropewalk/flow/deferred.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/clock.hpp>
#include <ropewalk/task/defer_later.hpp>

#include <defer/probes.hpp>
#include <flow/flows.hpp>

namespace defer = ropewalk::defer;
namespace flow = ropewalk::flow;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using defer::assertNoResult;
using defer::CancelledError;
using defer::failureResultOf;
using defer::successResultOf;
using flow::Cooperate;
using flows::abandoned;
using flows::counter;
using flows::pausing;
using probes::AtExit;
using probes::contains;
using probes::Counted;
using ropewalk::Failure;
using ropewalk::Unsupported;
using ropewalk::ValueError;
using task::Clock;

using Ints = std::vector<int>;
using Texts = std::vector<std::string>;

namespace {

flow::Generator<> request(std::string name, Texts& log) {
    log.push_back(name + " one");
    co_yield Cooperate();
    log.push_back(name + " two");
}

flow::Generator<int> waiting(defer::Deferred<int> d) {
    co_yield 1;
    co_yield std::move(d);
    co_yield 2;
}

/// Calls at once, twice, later, or never.
struct Waking : flow::CallLater {
    explicit Waking(int theTimes, std::optional<flow::Wake>* theKept = nullptr)
        : times(theTimes), kept(theKept) {}
    void callLater(ropewalk::ReactorTime&, flow::Wake wake) override {
        for (int i = 0; i < times; ++i) wake();
        if (kept != nullptr) *kept = wake;
    }
    int times;
    std::optional<flow::Wake>* kept;
};

struct Plain : flow::Instruction {};

template <class I>
flow::Generator<int> yielding(I instruction) {
    co_yield 1;
    co_yield std::move(instruction);
    co_yield 2;
}

} // namespace

TEST_CASE("flow::Deferred gives all results in a list") {
    Clock clock;
    const flow::Deferred done(counter(3), clock);
    static_assert(std::is_same_v<decltype(done), const flow::Deferred<int>>);
    CHECK(successResultOf(done) == Ints{3, 2, 1});
    CHECK(successResultOf(flow::Deferred(counter(0), clock)).empty());
    CHECK(successResultOf(flow::Deferred(Ints{1, 2}, clock)) == Ints{1, 2});
}

TEST_CASE("it runs at once up to its first pause, and flows take turns") {
    Clock clock;
    Texts log;
    const flow::Deferred james(request("James", log), clock);
    const flow::Deferred wendy(request("Wendy", log), clock);
    static_assert(std::is_same_v<decltype(james), const flow::Deferred<void>>);
    CHECK(log == Texts{"James one", "Wendy one"});
    assertNoResult(james);
    clock.advance(0s);
    CHECK(log == Texts{"James one", "Wendy one", "James two", "Wendy two"});
    successResultOf(james);
    successResultOf(wendy);
}

TEST_CASE("what it fails with is the Deferred's failure, with the generators it passed in its trail") {
    Clock clock;
    const flow::Deferred done(flows::failing(ValueError("bad")), clock);
    const Failure failure = failureResultOf<ValueError>(done);
    CHECK(failure.getErrorMessage() == "bad");
    auto inner = flow::wrap(flows::failing(ValueError("bad")));
    const flow::Deferred outer(flows::taking(inner), clock);
    const std::string trail = failureResultOf<ValueError>(outer).getTraceback();
    CHECK(contains(trail, "in flows::failing"));
    CHECK(contains(trail, "in flows::taking"));
    CHECK_FALSE(contains(trail, "stage.hpp"));
    CHECK_FALSE(contains(trail, "generator.hpp"));
}

TEST_CASE("it waits for a Deferred that a generator yields; the result stays there, whatever it is") {
    Clock clock;
    const defer::Deferred<int> pending;
    const flow::Deferred done(waiting(pending), clock);
    assertNoResult(done);
    pending.callback(5);
    CHECK(successResultOf(done) == Ints{1, 2});
    CHECK(successResultOf(pending) == 5);
    const defer::Deferred<int> fails;
    const flow::Deferred after(waiting(fails), clock);
    fails.errback(ValueError());
    CHECK(successResultOf(after) == Ints{1, 2});
    failureResultOf<ValueError>(fails);
    CHECK(successResultOf(flow::Deferred(waiting(defer::succeed(1)), clock)) == Ints{1, 2});
}

TEST_CASE("a wrapped Deferred is taken when it fires, or fails the flow") {
    Clock clock;
    const defer::Deferred<int> pending;
    const flow::Deferred done(pending, clock);
    assertNoResult(done);
    pending.callback(5);
    CHECK(successResultOf(done) == Ints{5});
    const defer::Deferred<int> fails;
    const flow::Deferred failed(fails, clock);
    fails.errback(ValueError());
    failureResultOf<ValueError>(failed);
}

TEST_CASE("instructions of one's own: called at once, twice, later, never") {
    Clock clock;
    CHECK(successResultOf(flow::Deferred(yielding(Waking(1)), clock)) == Ints{1, 2});
    CHECK(successResultOf(flow::Deferred(yielding(Waking(2)), clock)) == Ints{1, 2});
    std::optional<flow::Wake> kept;
    const flow::Deferred later(yielding(Waking(0, &kept)), clock);
    assertNoResult(later);
    REQUIRE(kept);
    (*kept)();
    CHECK(successResultOf(later) == Ints{1, 2});
    (*kept)();
    kept.reset();
    CHECK(abandoned().empty());
    const flow::Deferred never(yielding(Waking(0)), clock);
    assertNoResult(never);
    CHECK(abandoned().size() == 1);
}

TEST_CASE("an instruction that no controller knows fails the flow with its name") {
    Clock clock;
    const Failure failure = failureResultOf<Unsupported>(flow::Deferred(yielding(Plain()), clock));
    CHECK(contains(failure.getErrorMessage(), "Plain"));
}

TEST_CASE("one Cooperate may pause several flows, and lists with one may be used again") {
    Clock clock;
    const Cooperate shared(1s);
    auto make = [](const Cooperate& pause) -> flow::Generator<int> {
        co_yield 1;
        co_yield pause;
        co_yield 2;
    };
    const flow::Deferred first(make(shared), clock);
    const flow::Deferred second(make(shared), clock);
    const std::vector<flow::Yield<int>> list{1, Cooperate(1s), 2};
    const flow::Deferred third(list, clock);
    clock.advance(500ms);
    const flow::Deferred fourth(list, clock);
    clock.advance(500ms);
    CHECK(successResultOf(first) == Ints{1, 2});
    CHECK(successResultOf(second) == Ints{1, 2});
    CHECK(successResultOf(third) == Ints{1, 2});
    assertNoResult(fourth);
    clock.advance(500ms);
    CHECK(successResultOf(fourth) == Ints{1, 2});
}

TEST_CASE("cancelled while it pauses: nothing is left of it, and the Deferred says so") {
    Clock clock;
    int alive = 0;
    auto make = [](Counted) -> flow::Generator<int> {
        co_yield 1;
        co_yield Cooperate(1s);
    };
    const flow::Deferred done(make(Counted(alive)), clock);
    CHECK(clock.getDelayedCalls().size() == 1);
    done.cancel();
    failureResultOf<CancelledError>(done);
    CHECK(alive == 0);
    CHECK(clock.getDelayedCalls().empty());
    const std::vector<flow::Yield<int>> list{1, Cooperate(1s), 2};
    const flow::Deferred ofList(list, clock);
    ofList.cancel();
    failureResultOf<CancelledError>(ofList);
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("cancelling cancels what it waits for, and says nothing of that itself") {
    Clock clock;
    std::string reason;
    const defer::Deferred<int> pending;
    pending.addErrback([&](const Failure& failure) {
        reason = failure.getErrorMessage();
        return 0;
    });
    const flow::Deferred done(waiting(pending), clock);
    done.cancel();
    failureResultOf<CancelledError>(done);
    CHECK(contains(reason, "flow"));
    auto own = [](Clock& time) -> flow::Generator<> { co_yield task::deferLater(time, 1s, [] {}); };
    const flow::Deferred alone(own(clock), clock);
    CHECK(clock.getDelayedCalls().size() == 1);
    alone.cancel();
    failureResultOf<CancelledError>(alone);
    CHECK(clock.getDelayedCalls().empty());
    CHECK(defer::flushLoggedErrors().empty());
}

TEST_CASE("cancelled from within: when the step is over it is closed, and runs no further") {
    Clock clock;
    Texts log;
    std::optional<defer::Deferred<Ints>> handle;
    auto inner = [&]() -> flow::Generator<int> {
        const AtExit last([&] { log.emplace_back("inner"); });
        co_yield 1;
        co_yield Cooperate();
        handle->cancel();
        log.emplace_back("cancelled");
        co_yield 2;
    };
    auto outer = [&]() -> flow::Generator<int> {
        const AtExit last([&] { log.emplace_back("outer"); });
        auto source = flow::wrap(inner());
        while (auto n = co_await source) {
            log.push_back(std::to_string(*n));
            co_yield *n;
        }
    };
    handle = flow::Deferred(outer(), clock);
    clock.advance(0s);
    failureResultOf<CancelledError>(*handle);
    CHECK(log == Texts{"1", "cancelled", "2", "inner", "outer"});
}

TEST_CASE("a canceller that throws is reported, and the flow is closed all the same") {
    struct Throwing : flow::CallLater {
        void callLater(ropewalk::ReactorTime& clock, flow::Wake wake) override { clock.callLater(1s, wake); }
        void cancel() override { throw ValueError("can't"); }
    };
    Clock clock;
    const flow::Deferred done(yielding(Throwing()), clock);
    done.cancel();
    failureResultOf<CancelledError>(done);
    CHECK(defer::flushLoggedErrors<ValueError>().size() == 1);
    clock.advance(1s);
}

TEST_CASE("a flow whose Deferred is dropped goes on") {
    Clock clock;
    Texts log;
    { const flow::Deferred dropped(request("James", log), clock); }
    clock.advance(0s);
    CHECK(log == Texts{"James one", "James two"});
    CHECK(abandoned().empty());
}

TEST_CASE("a flow that nothing can wake any more is closed, and reported with where it was made") {
    Clock clock;
    int alive = 0;
    auto make = [](defer::Deferred<int> d, Counted) -> flow::Generator<int> {
        co_yield std::move(d);
        co_yield 1;
    };
    std::optional<flow::Deferred<int>> done;
    done.emplace(make(defer::Deferred<int>(), Counted(alive)), clock);
    CHECK(alive == 0);
    assertNoResult(*done);
    const Texts texts = abandoned();
    REQUIRE(texts.size() == 1);
    CHECK(contains(texts[0], "nothing can wake"));
    done->cancel();
    failureResultOf<CancelledError>(*done);
}

TEST_CASE("a clock that goes first ends the flows that wait for it") {
    std::optional<Clock> clock(std::in_place);
    const flow::Deferred paused(pausing(), *clock);
    const defer::Deferred<int> pending;
    auto make = [](defer::Deferred<int> d) -> flow::Generator<int> {
        co_yield std::move(d);
        co_yield Cooperate();
    };
    const flow::Deferred waits(make(pending), *clock);
    clock.reset();
    CHECK(abandoned().size() == 1);
    assertNoResult(paused);
    pending.callback(1);
    failureResultOf<ropewalk::RuntimeError>(waits);
}

TEST_CASE("a reactor that goes closes its flows, and reports each") {
    std::optional<ropewalk::Reactor> reactor(std::in_place);
    int alive = 0;
    auto make = [](defer::Deferred<int> d, Counted) -> flow::Generator<int> {
        co_yield Cooperate();
        co_yield std::move(d);
    };
    const defer::Deferred<int> pending;
    const flow::Deferred first(make(pending, Counted(alive)), *reactor);
    const flow::Deferred second(make(pending, Counted(alive)), *reactor);
    reactor->iterate();
    reactor->iterate();
    CHECK(alive == 2);
    reactor.reset();
    CHECK(alive == 0);
    CHECK(abandoned().size() == 2);
    pending.callback(1);
    assertNoResult(first);
    assertNoResult(second);
}

TEST_CASE("an error that was dealt with isn't kept") {
    struct Heavy : ValueError {
        std::shared_ptr<int> held = std::make_shared<int>();
    };
    Clock clock;
    std::weak_ptr<int> held;
    auto make = [&]() -> flow::Generator<int> {
        const Heavy error;
        held = error.held;
        throw error;
        co_yield 1;
    };
    auto handling = [&]() -> flow::Generator<int> {
        auto source = flow::wrap(make());
        try {
            co_yield source;
            co_yield source.next();
        } catch (const ValueError&) {}
        co_yield 2;
    };
    CHECK(successResultOf(flow::Deferred(handling(), clock)) == Ints{2});
    CHECK(held.expired());
}
