#include <ropewalk/task/looping_call.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/task/clock.hpp>
#include <ropewalk/task/defer_later.hpp>

namespace defer = ropewalk::defer;

using namespace std::chrono_literals;
using defer::Deferred;
using defer::failureResultOf;
using defer::flushLoggedErrors;
using defer::successResultOf;
using ropewalk::EmptyDeferredError;
using ropewalk::Failure;
using ropewalk::Result;
using ropewalk::Seconds;
using ropewalk::ValueError;
using ropewalk::task::Clock;
using ropewalk::task::deferLater;
using ropewalk::task::LoopingCall;

namespace {

/// Its function returns a Deferred that `pending` names.
struct Waiting {
    Waiting() { loop.clock = &clock; }

    Clock clock;
    int calls = 0;
    Deferred<int> pending = nullptr;
    LoopingCall loop{[this] {
        ++calls;
        pending = Deferred<int>();
        return pending;
    }};
};

} // namespace

TEST_CASE("103.1: while the Deferred of a call is pending, nothing is scheduled and nothing is called") {
    Waiting waiting;
    waiting.loop.start(1s);
    CHECK(waiting.clock.getDelayedCalls().empty());
    waiting.clock.advance(1500ms);
    CHECK(waiting.calls == 1);
    waiting.pending.callback(5);
    CHECK(waiting.calls == 1);
    REQUIRE(waiting.clock.getDelayedCalls().size() == 1);
    CHECK(waiting.clock.getDelayedCalls()[0].getTime() == 2s);
    waiting.clock.advance(500ms);
    CHECK(waiting.calls == 2);
}

TEST_CASE("103.2, 103.3: a stop meanwhile counts at once, and the Deferred of start fires after the call's") {
    Waiting waiting;
    const auto d = waiting.loop.start(1s);
    waiting.loop.stop();
    CHECK_FALSE(waiting.loop.running());
    CHECK_THROWS_AS(waiting.loop.stop(), ropewalk::AssertionError);
    defer::assertNoResult(d);
    waiting.clock.advance(5s);
    waiting.pending.callback(1);
    CHECK(successResultOf(d) == &waiting.loop);
    CHECK(waiting.clock.getDelayedCalls().empty());
    CHECK(waiting.calls == 1);
}

TEST_CASE("104.1, 104.2, 104.5: an exception ends the loop and is the failure of start's Deferred") {
    Clock clock;
    int calls = 0;
    LoopingCall loop([&] {
        if (++calls == 2) {
            throw ValueError("second");
        }
    });
    loop.clock = &clock;
    bool running = true;
    const auto d = loop.start(1s);
    d.addErrback([&](const Failure& failure) {
        running = loop.running();
        return failure;
    });
    clock.advance(1s);
    CHECK(failureResultOf<ValueError>(d).getErrorMessage() == "second");
    CHECK_FALSE(running);
    CHECK(clock.getDelayedCalls().empty());
    clock.advance(5s);
    CHECK(calls == 2);
}

TEST_CASE("104.2: so does one of the first call, before start returns") {
    Clock clock;
    LoopingCall loop([] { throw ValueError("first"); });
    loop.clock = &clock;
    const auto d = loop.start(1s);
    CHECK_FALSE(loop.running());
    failureResultOf<ValueError>(d);
}

TEST_CASE("104.3, 104.5: so does a Deferred that fails") {
    Waiting waiting;
    const auto d = waiting.loop.start(1s);
    waiting.pending.errback(ValueError("late"));
    CHECK(failureResultOf<ValueError>(d).getErrorMessage() == "late");
    CHECK_FALSE(waiting.loop.running());
    CHECK(waiting.clock.getDelayedCalls().empty());
    const auto again = waiting.loop.start(1s);
    CHECK(waiting.calls == 2);
    defer::assertNoResult(again);
    waiting.pending.callback(0);
}

TEST_CASE("104.4, 104.5: an error counts when the function called stop before it too") {
    Clock clock;
    bool throws = true;
    Deferred<void> pending;
    LoopingCall loop([&]() -> Deferred<void> {
        loop.stop();
        if (throws) {
            throw ValueError("thrown");
        }
        return pending;
    });
    loop.clock = &clock;
    const auto thrown = loop.start(1s);
    CHECK(failureResultOf<ValueError>(thrown).getErrorMessage() == "thrown");
    throws = false;
    const auto failed = loop.start(1s);
    defer::assertNoResult(failed);
    pending.errback(ValueError("failed"));
    CHECK(failureResultOf<ValueError>(failed).getErrorMessage() == "failed");
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("a LoopingCall that its function stops fires when the function has returned") {
    Clock clock;
    bool fired = false;
    bool firedInside = false;
    int calls = 0;
    LoopingCall loop([&] {
        if (++calls == 2) {
            loop.stop();
            firedInside = fired;
        }
    });
    loop.clock = &clock;
    const auto d = loop.start(1s);
    d.addCallback([&](LoopingCall* which) {
        fired = true;
        return which;
    });
    clock.advance(1s);
    CHECK(fired);
    CHECK_FALSE(firedInside);
    CHECK(successResultOf(d) == &loop);
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("the Deferred of a LoopingCall's function has lost its result afterwards, good or bad") {
    Waiting waiting;
    const auto d = waiting.loop.start(1s);
    const Deferred<int> good = waiting.pending;
    good.callback(5);
    failureResultOf<ropewalk::NoResultError>(good.addCallback([](int value) { return value; }));
    waiting.clock.advance(1s);
    const Deferred<int> bad = waiting.pending;
    bad.errback(ValueError());
    failureResultOf<ValueError>(d);
    failureResultOf<ropewalk::NoResultError>(bad.addCallback([](int value) { return value; }));
    CHECK(flushLoggedErrors().empty());
}

TEST_CASE("a LoopingCall goes on when its function returns a Deferred that has fired") {
    Clock clock;
    int calls = 0;
    LoopingCall loop([&] { return defer::succeed(++calls); });
    loop.clock = &clock;
    loop.start(1s);
    clock.pump({1s, 1s});
    CHECK(calls == 3);
}

TEST_CASE("failures and results that a LoopingCall's function returns count as such") {
    Clock clock;
    int calls = 0;
    const auto failing = [&](auto function) {
        LoopingCall loop(function);
        loop.clock = &clock;
        const auto d = loop.start(1s);
        CHECK_FALSE(loop.running());
        failureResultOf<ValueError>(d);
    };
    failing([] { return Failure(ValueError()); });
    failing([] { return defer::fail(ValueError()); });
    failing([]() -> Result<int> { return std::unexpected(Failure(ValueError())); });
    failing([]() -> Deferred<int> { return defer::fail(ValueError()); });
    LoopingCall good([&]() -> Result<int> { return ++calls; });
    good.clock = &clock;
    good.start(1s);
    clock.advance(1s);
    CHECK(calls == 2);
}

TEST_CASE("an empty Deferred from a LoopingCall's function is an error") {
    Clock clock;
    LoopingCall loop([]() -> Deferred<int> { return nullptr; });
    loop.clock = &clock;
    const auto d = loop.start(1s);
    failureResultOf<EmptyDeferredError>(d);
}

TEST_CASE("a LoopingCall's function may be a coroutine: its turns don't overlap") {
    Clock clock;
    std::vector<std::string> log;
    LoopingCall loop(
        [&](std::string name) -> Deferred<void> {
            log.push_back(name + " in");
            co_await deferLater(clock, 1500ms);
            log.push_back(name + " out");
        },
        "turn");
    loop.clock = &clock;
    loop.start(1s);
    clock.pump({1s, 500ms});
    CHECK(log == std::vector<std::string>{"turn in", "turn out"});
    clock.advance(500ms);
    CHECK(log.size() == 3);
    loop.stop();
    clock.advance(1500ms);
    CHECK(log.size() == 4);
}

TEST_CASE("what a coroutine throws ends its LoopingCall") {
    Clock clock;
    LoopingCall loop([&]() -> Deferred<void> {
        co_await deferLater(clock, 1s);
        throw ValueError("late");
    });
    loop.clock = &clock;
    const auto d = loop.start(1s);
    clock.advance(1s);
    CHECK(failureResultOf<ValueError>(d).getErrorMessage() == "late");
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("a coroutine may wait for a LoopingCall of its own") {
    Clock clock;
    const auto countTo = [](Clock& on, int limit) -> Deferred<int> {
        int calls = 0;
        LoopingCall loop([&] {
            if (++calls == limit) {
                loop.stop();
            }
        });
        loop.clock = &on;
        co_await loop.start(1s);
        co_return calls;
    };
    const Deferred<int> d = countTo(clock, 3);
    clock.pump({1s, 1s});
    CHECK(successResultOf(d) == 3);
    const Deferred<int> cancelled = countTo(clock, 3);
    cancelled.cancel();
    failureResultOf<defer::CancelledError>(cancelled);
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("cancelling start's Deferred leaves the loop alone") {
    Clock clock;
    int calls = 0;
    LoopingCall loop([&] {
        if (++calls == 3) {
            throw ValueError("nobody hears it");
        }
    });
    loop.clock = &clock;
    const auto first = loop.start(1s);
    first.cancel();
    failureResultOf<defer::CancelledError>(first);
    clock.advance(1s);
    CHECK(calls == 2);
    loop.stop();
    const auto second = loop.start(1s, false);
    second.cancel();
    second.addErrback([] {});
    clock.advance(1s);
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
    CHECK_FALSE(loop.running());
}

TEST_CASE("start's Deferred, fired by hand, is not fired again in silence") {
    Clock clock;
    LoopingCall loop([] {});
    loop.clock = &clock;
    const auto first = loop.start(1s);
    first.callback(nullptr);
    CHECK_THROWS_AS(loop.stop(), defer::AlreadyCalledError);
    CHECK_FALSE(loop.running());

    LoopingCall itself([&] { itself.stop(); });
    itself.clock = &clock;
    const auto second = itself.start(1s, false);
    second.callback(nullptr);
    clock.advance(1s);
    CHECK(flushLoggedErrors<defer::AlreadyCalledError>().size() == 1);
}
