#include <ropewalk/flow/buffer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/any_source.hpp>
#include <ropewalk/flow/callback.hpp>
#include <ropewalk/flow/concurrent.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/flow/take.hpp>
#include <ropewalk/flow/yield.hpp>
#include <ropewalk/task/clock.hpp>

#include <flow/flows.hpp>

namespace defer = ropewalk::defer;
namespace flow = ropewalk::flow;

using namespace std::chrono_literals;
using defer::successResultOf;
using flow::Cooperate;
using flow::Generator;
using flows::taking;
using ropewalk::task::Clock;

using Ints = std::vector<int>;

// Stages that several ask, that outlive who asked, and that are woken at a bad moment.
namespace {

Generator<int> slowly(int to) {
    for (int i = 1; i <= to; ++i) {
        co_yield i;
        co_yield Cooperate(1s);
    }
}

/// Its Wake is anybody's.
struct Kept : flow::Instruction {
    void callLater(ropewalk::ReactorTime&, flow::Wake wake) override { kept = std::move(wake); }
    void cancel() override { ++cancelled; }
    flow::Wake kept = nullptr;
    int cancelled = 0;
};

Generator<int> twoPauses(Kept& first, Kept& second) {
    co_yield first;
    co_yield 1;
    co_yield second;
    co_yield 2;
}

struct FiringAtExit {
    defer::Deferred<void> d;
    ~FiringAtExit() { d.callback(); }
};
Generator<int> firingAtExit(defer::Deferred<void> d) {
    const FiringAtExit firing{std::move(d)};
    co_yield 1;
    co_yield 2;
}
Generator<int> waitingOver(defer::Deferred<void> d, bool& wentOn) {
    auto inner = flow::wrap(firingAtExit(d));
    co_yield inner;
    co_yield inner.next();
    co_yield d;
    wentOn = true;
}
Generator<int> buffering(defer::Deferred<void> d, bool& wentOn) {
    auto ahead = flow::wrap(flow::Buffer(waitingOver(std::move(d), wentOn), 4));
    while (auto n = co_await ahead) co_yield *n;
}

/// One by a stage that goes, the others by itself, later.
Generator<int> takingOneApart(flow::Stage<int>& source) {
    {
        auto first = flow::wrap(flow::Take(source, 1));
        co_yield first;
        co_yield first.next();
    }
    co_yield Cooperate(5s);
    while (auto n = co_await source) co_yield *n;
}
Generator<int> holding() {
    auto ahead = flow::wrap(flow::Buffer(flow::Merge(slowly(3), slowly(3), slowly(2)), 2));
    auto taken = flow::wrap(takingOneApart(ahead));
    while (auto n = co_await taken) co_yield *n;
}

Generator<int> cancelling(flow::Stage<int>& source, const defer::Deferred<Ints>*& other) {
    while (auto n = co_await source) {
        if (other != nullptr) std::exchange(other, nullptr)->cancel();
        co_yield *n;
    }
}

} // namespace

TEST_CASE("a Buffer outlives the flow that asked for it, and goes on with the next one") {
    Clock clock;
    auto ahead = flow::wrap(flow::Buffer(slowly(4), 4));
    {
        const flow::Deferred first(flow::Take(ahead, 1), clock);
        CHECK(successResultOf(first) == Ints{1});
    }
    clock.advance(1s);
    clock.advance(1s);
    const flow::Deferred rest(ahead, clock);
    for (int i = 0; i < 4; ++i) clock.advance(1s);
    CHECK(successResultOf(rest) == Ints{2, 3, 4});
}

TEST_CASE("a Buffer, and a Merge, wake all branches that wait for them") {
    Clock clock;
    auto ahead = flow::wrap(flow::Buffer(slowly(4), 2));
    const flow::Deferred buffered(flow::Merge(taking(ahead), taking(ahead)), clock);
    auto merge = flow::wrap(flow::Merge(slowly(2), slowly(2)));
    const flow::Deferred merged(flow::Merge(taking(merge), taking(merge)), clock);
    for (int i = 0; i < 4; ++i) clock.advance(1s);
    CHECK(successResultOf(buffered) == Ints{1, 2, 3, 4});
    CHECK(successResultOf(merged) == Ints{1, 1, 2, 2});
}

TEST_CASE("of two flows that wait for a Merge one is cancelled: the other goes on") {
    Clock clock;
    auto merge = flow::wrap(flow::Merge(slowly(2), slowly(2)));
    const flow::Deferred first(merge, clock);
    const flow::Deferred second(merge, clock);
    first.cancel();
    defer::failureResultOf(first);
    for (int i = 0; i < 3; ++i) clock.advance(1s);
    CHECK(successResultOf(second) == Ints{2, 2});
}

TEST_CASE("when all that wait for a Merge or a Buffer are cancelled, so is what its sources wait for") {
    Clock clock;
    Kept inMerge;
    Kept inBuffer;
    Kept never;
    auto merge = flow::wrap(flow::Merge(twoPauses(inMerge, never)));
    auto ahead = flow::wrap(flow::Buffer(twoPauses(inBuffer, never), 2));
    const flow::Deferred done(flow::Merge(taking(merge), taking(merge), taking(ahead), taking(ahead)), clock);
    done.cancel();
    defer::failureResultOf(done);
    CHECK(inMerge.cancelled == 1);
    CHECK(inBuffer.cancelled == 1);
    inMerge.kept = nullptr;
    inBuffer.kept = nullptr;
}

TEST_CASE("a Wake that is called late, or again, doesn't end the next pause of a Buffer's source") {
    Clock clock;
    Kept first;
    Kept second;
    const flow::Deferred done(flow::Buffer(twoPauses(first, second), 4), clock);
    const flow::Wake old = first.kept;
    old();
    old();
    CHECK_FALSE(done.called());
    std::exchange(second.kept, nullptr)();
    CHECK(successResultOf(done) == Ints{1, 2});
    old();
    first.kept = nullptr;
}

TEST_CASE("a Buffer's source doesn't go on when what it holds is being closed") {
    Clock clock;
    bool wentOn = false;
    SUBCASE("the Buffer goes") {
        const defer::Deferred<void> d;
        auto ahead = std::make_unique<flow::detail::BufferStage<Generator<int>>>(
            flow::Buffer(waitingOver(d, wentOn), 4));
        const flow::Deferred first(flow::Take(*ahead, 1), clock);
        ahead = nullptr;
        CHECK(d.called());
    }
    SUBCASE("the generator that holds the Buffer is closed") {
        const defer::Deferred<void> d;
        const flow::Deferred first(flow::Take(buffering(d, wentOn), 1), clock);
        CHECK(successResultOf(first) == Ints{1});
        CHECK(d.called());
    }
    CHECK_FALSE(wentOn);
}

TEST_CASE("a Buffer's source begins generators when the stage that asked the Buffer is gone") {
    Clock clock;
    const flow::Deferred done(holding(), clock);
    for (int i = 0; i < 12; ++i) clock.advance(1s);
    CHECK(successResultOf(done) == Ints{1, 1, 1, 2, 2, 2, 3, 3});
}

TEST_CASE("a flow that is woken cancels another that has slept for the same pause, which is over") {
    Clock clock;
    using Yield = flow::Yield<int>;
    auto stage = flow::wrap(std::vector<Yield>{Cooperate(1s), 1, 2});
    const defer::Deferred<Ints>* other = nullptr;
    const flow::Deferred first(cancelling(stage, other), clock);
    const flow::Deferred second(stage, clock);
    other = &second;
    clock.advance(1s);
    CHECK(successResultOf(first) == Ints{1, 2});
    defer::failureResultOf(second);
}

TEST_CASE("what a branch of a Merge sleeps for may go; cancelling reaches the others") {
    Clock clock;
    auto callback = std::make_unique<flow::Callback<int>>();
    Kept first;
    Kept second;
    const flow::Deferred done(flow::Merge(callback.get(), twoPauses(first, second)), clock);
    callback = nullptr;
    done.cancel();
    defer::failureResultOf(done);
    CHECK(first.cancelled == 1);
    first.kept = nullptr;
}

TEST_CASE("a stage of a Deferred that is gone fails for the next flow that asks") {
    Clock clock;
    defer::Deferred<int> d;
    auto stage = flow::wrap(d);
    {
        const flow::Deferred first(stage, clock);
        d = nullptr;
    }
    CHECK(flows::abandoned().size() == 1);
    const flow::Deferred second(stage, clock);
    CHECK(defer::failureResultOf(second).check<ropewalk::AbandonedError>() != nullptr);
}

TEST_CASE("a Block refuses a stage that sleeps on the clock of another flow") {
    Clock clock;
    auto merge = flow::wrap(flow::Merge(flows::pausing(), flows::pausing()));
    auto stage = flow::wrap(flows::pausing());
    const flow::Deferred first(merge, clock);
    const flow::Deferred second(stage, clock);
    CHECK_THROWS_AS(flows::all(merge), ropewalk::Unsupported);
    CHECK_THROWS_AS(flows::all(stage), ropewalk::Unsupported);
    clock.advance(1s);
    CHECK(successResultOf(first) == Ints{1, 1, 2, 2});
    CHECK(successResultOf(second) == Ints{1, 2});
}

TEST_CASE("a Source that was moved from is refused") {
    flow::Source<int> first(flows::counter(1));
    const flow::Source<int> second(std::move(first));
    CHECK_THROWS_AS(flow::wrap(std::move(first)),
                    ropewalk::AssertionError); // NOLINT(bugprone-use-after-move)
}
