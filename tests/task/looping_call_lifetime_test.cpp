#include <ropewalk/task/looping_call.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/reactor/errors.hpp>
#include <ropewalk/task/clock.hpp>
#include <ropewalk/task/defer_later.hpp>

namespace defer = ropewalk::defer;

using namespace std::chrono_literals;
using defer::Deferred;
using defer::failureResultOf;
using defer::flushLoggedErrors;
using defer::successResultOf;
using ropewalk::DelayedCall;
using ropewalk::ValueError;
using ropewalk::task::Clock;
using ropewalk::task::deferLater;
using ropewalk::task::LoopingCall;

TEST_CASE(
    "a LoopingCall that goes while it is scheduled takes its call out, and lets its Deferred go unfired") {
    Clock clock;
    auto held = std::make_shared<int>(0);
    Deferred<LoopingCall*> d = nullptr;
    bool fired = false;
    {
        LoopingCall loop([held] { ++*held; });
        loop.clock = &clock;
        d = loop.start(1s);
        d.addBoth([&] { fired = true; });
    }
    CHECK(clock.getDelayedCalls().empty());
    CHECK(held.use_count() == 1);
    clock.advance(5s);
    CHECK(*held == 1);
    CHECK_FALSE(fired);
    CHECK_FALSE(d.called());
}

TEST_CASE("a LoopingCall that was never started just goes") {
    auto held = std::make_shared<int>(0);
    {
        const LoopingCall loop([held] {});
    }
    CHECK(held.use_count() == 1);
}

TEST_CASE("a LoopingCall may go within its own call") {
    for (const bool now : {true, false}) {
        Clock clock;
        auto held = std::make_shared<std::string>("alive");
        std::optional<LoopingCall> loop;
        std::string after;
        loop.emplace([&, held] {
            loop.reset();
            after = *held;
        });
        loop->clock = &clock;
        const auto d = loop->start(1s, now);
        clock.advance(1s);
        CHECK(after == "alive");
        CHECK(held.use_count() == 1);
        CHECK_FALSE(d.called());
        CHECK(clock.getDelayedCalls().empty());
    }
}

TEST_CASE("what a LoopingCall's function throws when that has gone is logged") {
    Clock clock;
    std::optional<LoopingCall> loop;
    loop.emplace([&] {
        loop.reset();
        throw ValueError("last words");
    });
    loop->clock = &clock;
    const auto d = loop->start(1s, false);
    clock.advance(1s);
    CHECK_FALSE(d.called());
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("a LoopingCall may go within a callback of start's Deferred") {
    Clock clock;
    std::optional<LoopingCall> loop;
    int fired = 0;
    const auto watch = [&](const Deferred<LoopingCall*>& d) {
        d.addBoth([&] {
            loop.reset();
            ++fired;
        });
    };
    loop.emplace([] {});
    loop->clock = &clock;
    watch(loop->start(1s));
    loop->stop();
    CHECK(fired == 1);

    loop.emplace([&] { loop->stop(); });
    loop->clock = &clock;
    watch(loop->start(1s, false));
    clock.advance(1s);
    CHECK(fired == 2);

    loop.emplace([] { throw ValueError(); });
    loop->clock = &clock;
    watch(loop->start(1s, false));
    clock.advance(1s);
    CHECK(fired == 3);

    Deferred<void> pending;
    loop.emplace([&] { return pending; });
    loop->clock = &clock;
    watch(loop->start(1s));
    loop->stop();
    pending.callback();
    CHECK(fired == 4);
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE(
    "a LoopingCall may go while the Deferred of its call is pending: the function lives until that fires") {
    Clock clock;
    auto held = std::make_shared<int>(0);
    std::optional<LoopingCall> loop;
    loop.emplace([&clock, held]() -> Deferred<void> {
        co_await deferLater(clock, 1s);
        ++*held;
    });
    loop->clock = &clock;
    const auto d = loop->start(1s);
    loop.reset();
    CHECK(held.use_count() == 2);
    clock.advance(1s);
    CHECK(*held == 1);
    CHECK(held.use_count() == 1);
    CHECK_FALSE(d.called());
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("a failure that comes after the LoopingCall has gone is reported as any other") {
    Clock clock;
    Deferred<void> pending;
    std::optional<LoopingCall> loop;
    loop.emplace([&] { return pending; });
    loop->clock = &clock;
    loop->start(1s);
    loop.reset();
    pending.errback(ValueError());
    CHECK(flushLoggedErrors<ValueError>().empty());
    pending = nullptr;
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("when the Deferred of a call goes away unfired, the loop has stopped and lets its own go") {
    Clock clock;
    int calls = 0;
    Deferred<void> pending;
    LoopingCall loop([&] {
        ++calls;
        return std::exchange(pending, Deferred<void>());
    });
    loop.clock = &clock;
    auto coroutine = [](LoopingCall& of) -> Deferred<void> { co_await of.start(1s); };
    const Deferred<void> d = coroutine(loop);
    CHECK_FALSE(loop.running());
    CHECK(flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
    defer::assertNoResult(d);
    clock.advance(5s);
    CHECK(calls == 1);
    pending = defer::succeed();
    loop.start(1s);
    CHECK(loop.running());
}

TEST_CASE("a LoopingCall may be stopped and started within its call: the old start ends with that call") {
    Clock clock;
    int calls = 0;
    Deferred<LoopingCall*> second = nullptr;
    LoopingCall loop([&] {
        if (++calls == 2) {
            loop.stop();
            second = loop.start(3s, false);
        }
    });
    loop.clock = &clock;
    const auto first = loop.start(1s);
    clock.advance(1s);
    CHECK(successResultOf(first) == &loop);
    CHECK(loop.running());
    CHECK(clock.getDelayedCalls().size() == 1);
    clock.advance(2s);
    CHECK(calls == 2);
    clock.advance(1s);
    CHECK(calls == 3);
    loop.stop();
    CHECK(successResultOf(second) == &loop);
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("started anew with a call at once within its call, it calls there") {
    Clock clock;
    std::vector<std::string> log;
    Deferred<LoopingCall*> second = nullptr;
    LoopingCall loop([&] {
        log.push_back("in");
        if (log.size() == 1) {
            loop.stop();
            second = loop.start(1s);
        }
        log.push_back("out");
    });
    loop.clock = &clock;
    const auto first = loop.start(1s);
    CHECK(log == std::vector<std::string>{"in", "in", "out", "out"});
    CHECK(successResultOf(first) == &loop);
    CHECK(clock.getDelayedCalls().size() == 1);
    defer::assertNoResult(second);
}

TEST_CASE("an error of the old start's call is the old start's") {
    Clock clock;
    std::vector<Deferred<void>> pending;
    LoopingCall loop([&] { return pending.emplace_back(); });
    loop.clock = &clock;
    const auto first = loop.start(1s);
    loop.stop();
    const auto second = loop.start(2s);
    loop.stop();
    const auto third = loop.start(3s);
    REQUIRE(pending.size() == 3);
    pending[1].errback(ValueError("second"));
    failureResultOf<ValueError>(second);
    CHECK(loop.running());
    pending[2].callback();
    CHECK(clock.getDelayedCalls().size() == 1);
    pending[0].callback();
    CHECK(successResultOf(first) == &loop);
    CHECK(clock.getDelayedCalls().size() == 1);
    defer::assertNoResult(third);
    loop.stop();
    CHECK(successResultOf(third) == &loop);
}

TEST_CASE("a LoopingCall goes with starts of old whose calls are pending") {
    Clock clock;
    std::vector<Deferred<void>> pending;
    std::optional<LoopingCall> loop;
    loop.emplace([&] { return pending.emplace_back(); });
    loop->clock = &clock;
    const auto first = loop->start(1s);
    loop->stop();
    const auto second = loop->start(2s);
    loop.reset();
    pending[0].callback();
    pending[1].callback();
    CHECK_FALSE(first.called());
    CHECK_FALSE(second.called());
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("a LoopingCall may be started within a callback of its start's Deferred") {
    Clock clock;
    int calls = 0;
    LoopingCall loop([&] { ++calls; });
    loop.clock = &clock;
    Deferred<LoopingCall*> second = nullptr;
    loop.start(1s).addCallback([&](LoopingCall* which) { second = which->start(2s); });
    loop.stop();
    CHECK(loop.running());
    CHECK(calls == 2);
    clock.advance(2s);
    CHECK(calls == 3);
    defer::assertNoResult(second);
}

TEST_CASE("a clock that goes first: nothing is called any more, and stop still ends it") {
    std::optional<Clock> clock(std::in_place);
    int calls = 0;
    LoopingCall loop([&] { ++calls; });
    loop.clock = &*clock;
    const auto d = loop.start(1s);
    clock.reset();
    CHECK(loop.running());
    loop.reset();
    loop.stop();
    CHECK(successResultOf(d) == &loop);
    CHECK(calls == 1);
    clock.emplace();
    loop.clock = &*clock;
    loop.start(1s);
    clock->advance(1s);
    CHECK(calls == 3);
}

TEST_CASE("a clock that goes while the Deferred of a call is pending") {
    std::optional<Clock> clock(std::in_place);
    Deferred<void> pending;
    LoopingCall loop([&] { return pending; });
    loop.clock = &*clock;
    const auto d = loop.start(1s);
    clock.reset();
    pending.callback();
    CHECK(loop.running());
    loop.stop();
    CHECK(successResultOf(d) == &loop);
}

TEST_CASE("a clock that goes within the call that it makes") {
    std::optional<Clock> clock(std::in_place);
    int calls = 0;
    LoopingCall loop([&] {
        if (++calls == 2) {
            clock.reset();
        }
    });
    loop.clock = &*clock;
    loop.start(1s);
    clock->advance(1s);
    CHECK(calls == 2);
    loop.stop();
}

TEST_CASE("a clock and its LoopingCall go together within the call") {
    struct Both {
        explicit Both(std::function<void()> function) : loop(std::move(function)) {}
        Clock clock;
        LoopingCall loop;
    };
    std::unique_ptr<Both> both;
    int calls = 0;
    both = std::make_unique<Both>([&] {
        if (++calls == 2) {
            both.reset();
        }
    });
    both->loop.clock = &both->clock;
    both->loop.start(1s);
    both->clock.advance(1s);
    CHECK(calls == 2);
    CHECK(both == nullptr);
}

TEST_CASE("a handle on a turn's timed call names that turn alone") {
    Clock clock;
    int calls = 0;
    LoopingCall loop([&] { ++calls; });
    loop.clock = &clock;
    const auto d = loop.start(1s);
    const DelayedCall first = clock.getDelayedCalls().at(0);
    clock.advance(1s);
    CHECK_FALSE(first.active());
    CHECK_THROWS_AS(first.cancel(), ropewalk::AlreadyCalled);
    const DelayedCall second = clock.getDelayedCalls().at(0);
    CHECK_FALSE(first == second);
    second.cancel();
    clock.advance(5s);
    CHECK(calls == 2);
    loop.stop();
    CHECK(successResultOf(d) == &loop);
}

TEST_CASE("somebody else may move a turn's timed call") {
    Clock clock;
    std::vector<ropewalk::Seconds> times;
    LoopingCall loop([&] { times.push_back(clock.seconds()); });
    loop.clock = &clock;
    loop.start(2s);
    clock.getDelayedCalls().at(0).reset(500ms);
    clock.pump({500ms, 1500ms});
    CHECK(times == std::vector<ropewalk::Seconds>{0s, 0.5s, 2s});
}

TEST_CASE("advancing the clock within the call, with a stop and a start in it") {
    Clock clock;
    int calls = 0;
    LoopingCall loop([&] {
        if (++calls == 2) {
            loop.stop();
            loop.start(1s, false);
            clock.advance(3s);
        }
    });
    loop.clock = &clock;
    loop.start(1s);
    clock.advance(1s);
    CHECK(calls == 3);
    clock.advance(1s);
    CHECK(calls == 4);
    CHECK(clock.getDelayedCalls().size() == 1);
}
