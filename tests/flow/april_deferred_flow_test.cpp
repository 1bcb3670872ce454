#include <ropewalk/flow/april_deferred_flow.hpp>

#include <doctest/doctest.h>

#include <any>
#include <chrono>
#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/april.hpp>
#include <ropewalk/task/clock.hpp>
#include <support/memory_driver.hpp>

namespace april = ropewalk::flow2003::april;
namespace defer = ropewalk::defer;

using namespace std::chrono_literals;
using april::Cooperate;
using april::DeferredFlow;
using april::FirstResult;
using april::Generator;
using april::Results;
using april::Steps;
using defer::assertNoResult;
using defer::failureResultOf;
using defer::fireOnOneCallback;
using defer::flushLoggedErrors;
using defer::successResultOf;
using ropewalk::Failure;
using ropewalk::IOError;
using ropewalk::ValueError;
using ropewalk::task::Clock;

namespace {

Steps lines() {
    co_yield "one";
    co_yield Cooperate();
    co_yield "two";
    throw IOError("lost");
}

Steps bad() {
    co_yield Failure(ValueError("bad"));
    co_yield Failure(ValueError("worse"));
    co_yield "good";
    co_yield Failure(ValueError("late"));
}

std::vector<std::string> texts(const Results& results) {
    std::vector<std::string> texts;
    for (const std::any& result : results) {
        const auto* failure = std::any_cast<Failure>(&result);
        texts.push_back(failure == nullptr ? std::any_cast<std::string>(result)
                                           : "!" + failure->getErrorMessage());
    }
    return texts;
}

using Texts = std::vector<std::string>;

/// Tells when it goes.
struct Note {
    std::string& log;
    char name;
    ~Note() { log += name; }
};

Steps noted(std::string& log) {
    const Note note{log, 'i'};
    co_yield "one";
    co_yield Cooperate(5s);
    co_yield "two";
}

Steps over(std::string& log) {
    const Note note{log, 'o'};
    Generator lst(noted(log));
    while (true) {
        co_yield lst;
        if (lst.stop) {
            co_return;
        }
        co_yield lst.result;
    }
}

} // namespace

TEST_CASE("all results, and the error behind them") {
    Clock clock;
    const DeferredFlow d(lines(), {}, clock);
    static_assert(std::derived_from<decltype(d), defer::Deferred<Results>> ||
                  std::derived_from<std::remove_const_t<decltype(d)>, defer::Deferred<Results>>);
    clock.pump({0s, 0s, 0s});
    CHECK(texts(successResultOf(d)) == Texts{"one", "two", "!lost"});
    CHECK(flushLoggedErrors<IOError>().empty());
}

TEST_CASE("it begins after its delay, and not before the next turn") {
    Clock clock;
    bool begun = false;
    const auto steps = [&]() -> Steps {
        begun = true;
        co_yield "one";
    };
    const DeferredFlow d(steps(), {}, clock);
    CHECK_FALSE(begun);
    clock.advance(0s);
    CHECK(begun);
    CHECK(texts(successResultOf(d)) == Texts{"one"});

    begun = false;
    const DeferredFlow later(steps(), {.delay = 3s}, clock);
    clock.advance(2s);
    CHECK_FALSE(begun);
    clock.advance(1s);
    CHECK(begun);
    CHECK(texts(successResultOf(later)) == Texts{"one"});
}

TEST_CASE("it cooperates by the clock") {
    Clock clock;
    const auto steps = []() -> Steps {
        co_yield Cooperate(2s);
        co_yield "two";
    };
    const DeferredFlow d(steps(), {.delay = 1s}, clock);
    clock.advance(1s);
    clock.advance(1s);
    assertNoResult(d);
    clock.advance(1s);
    CHECK(texts(successResultOf(d)) == Texts{"two"});
}

TEST_CASE("fireOnOneCallback: the first good result, and how many were before it") {
    Clock clock;
    const DeferredFlow d(bad(), fireOnOneCallback, {}, clock);
    clock.advance(0s);
    const FirstResult outcome = successResultOf(d);
    REQUIRE(outcome.index() == 0);
    CHECK(std::any_cast<std::string>(std::get<0>(outcome).first) == "good");
    CHECK(std::get<0>(outcome).second == 2);
}

TEST_CASE("fireOnOneCallback without a good result: all of them") {
    Clock clock;
    const auto steps = []() -> Steps {
        co_yield Failure(ValueError("bad"));
        throw IOError("lost");
    };
    const DeferredFlow d(steps(), fireOnOneCallback, {}, clock);
    clock.advance(0s);
    CHECK(texts(std::get<1>(successResultOf(d))) == Texts{"!bad", "!lost"});
}

TEST_CASE("fireOnOneErrback: the first bad result, yielded or thrown") {
    Clock clock;
    const DeferredFlow yielded(bad(), {.fireOnOneErrback = true}, clock);
    const DeferredFlow thrown(lines(), {.fireOnOneErrback = true}, clock);
    clock.pump({0s, 0s, 0s});
    CHECK(failureResultOf<ValueError>(yielded).getErrorMessage() == "bad");
    CHECK(failureResultOf<IOError>(thrown).getErrorMessage() == "lost");
    CHECK(flushLoggedErrors<IOError>().empty());
}

TEST_CASE("fireOnOneErrback without a bad result: all of them") {
    Clock clock;
    const DeferredFlow d(std::vector<std::string>{"one", "two"}, {.fireOnOneErrback = true}, clock);
    clock.advance(0s);
    CHECK(texts(successResultOf(d)) == Texts{"one", "two"});
}

TEST_CASE("both flags: whichever is first") {
    Clock clock;
    const DeferredFlow good(lines(), fireOnOneCallback, {.fireOnOneErrback = true}, clock);
    const DeferredFlow first(bad(), fireOnOneCallback, {.fireOnOneErrback = true}, clock);
    clock.advance(0s);
    CHECK(std::any_cast<std::string>(std::get<0>(successResultOf(good)).first) == "one");
    failureResultOf<ValueError>(first);
}

TEST_CASE("a flow that was ended by its first result is closed, the innermost first, before it fires") {
    Clock clock;
    std::string log;
    const DeferredFlow d(over(log), fireOnOneCallback, {}, clock);
    d.addCallback([&] { log += 'f'; });
    clock.advance(0s);
    CHECK(log == "iof");
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("cancelling it closes its generators, the innermost first") {
    Clock clock;
    std::string log;
    const DeferredFlow d(over(log), {}, clock);
    clock.advance(0s);
    d.cancel();
    CHECK(log == "io");
    CHECK(clock.getDelayedCalls().empty());
    failureResultOf<defer::CancelledError>(d);
}

TEST_CASE("cancelled before it begins, it never does") {
    Clock clock;
    bool begun = false;
    const auto steps = [&]() -> Steps {
        begun = true;
        co_yield 1;
    };
    const DeferredFlow d(steps(), {.delay = 1s}, clock);
    d.cancel();
    failureResultOf<defer::CancelledError>(d);
    clock.advance(2s);
    CHECK_FALSE(begun);
}

TEST_CASE("a flow that cancels itself ends after that step") {
    Clock clock;
    std::string log;
    defer::Deferred<Results> d = nullptr;
    const auto steps = [&]() -> Steps {
        const Note note{log, 'x'};
        d.cancel();
        log += 's';
        co_yield 1;
        log += 'n';
    };
    d = DeferredFlow(steps(), {}, clock);
    clock.advance(0s);
    CHECK(log == "sx");
    failureResultOf<defer::CancelledError>(d);
}

TEST_CASE("dropping the Deferred changes nothing") {
    Clock clock;
    std::string log;
    static_cast<void>(DeferredFlow(over(log), {}, clock));
    clock.advance(0s);
    CHECK(log.empty());
    clock.advance(5s);
    CHECK(log == "io");
}

TEST_CASE("it may wait for a Deferred, which can fire never") {
    Clock clock;
    std::string log;
    const auto steps = [&](defer::Deferred<int> awaited) -> Steps {
        const Note note{log, 'x'};
        co_yield awaited;
        log += 'n';
    };
    defer::Deferred<int> awaited;
    const DeferredFlow d(steps(awaited), {}, clock);
    clock.advance(0s);
    awaited.callback(1);
    CHECK(successResultOf(d).empty());
    CHECK(log == "nx");
}

TEST_CASE("a reactor that goes ends the flow, and says so") {
    std::string log;
    {
        MemoryReactor world;
        const DeferredFlow d(over(log), {}, world.reactor);
        world.reactor.iterate();
        CHECK(log.empty());
    }
    CHECK(log == "io");
    CHECK(flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
}

TEST_CASE("it begins on the thread's reactor") {
    MemoryReactor world;
    const DeferredFlow d(lines());
    const DeferredFlow first(lines(), fireOnOneCallback);
    assertNoResult(d);
    for (int turn = 0; turn < 3; ++turn) {
        world.reactor.iterate();
    }
    CHECK(successResultOf(d).size() == 3);
    CHECK(std::get<0>(successResultOf(first)).second == 0);
}
