#include <ropewalk/defer/timeout.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/task/clock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace defer = ropewalk::defer;

using namespace std::chrono_literals;

using defer::CancelledError;
using defer::Deferred;
using defer::failureResultOf;
using defer::successResultOf;
using ropewalk::Failure;
using ropewalk::Result;
using ropewalk::ValueError;
using ropewalk::task::Clock;

namespace {

TEST_CASE("47.1: addTimeout gives a handle on the same Deferred") {
    Clock clock;
    Deferred<int> d;
    CHECK(d.addTimeout(10s, clock) == d);
    CHECK(d.addTimeout(10s, clock, [](Result<int> result, auto) { return result; }) == d);
    d.callback(1);
}

TEST_CASE("47.2: after the timeout, and not before, the Deferred is cancelled") {
    Clock clock;
    int cancelled = 0;
    Deferred<int> d([&] { ++cancelled; });
    d.addTimeout(10s, clock);
    clock.advance(9999ms);
    CHECK(cancelled == 0);
    defer::assertNoResult(d);
    clock.advance(1ms);
    CHECK(cancelled == 1);
    failureResultOf<defer::TimeoutError>(d);
    clock.advance(100s);
    CHECK(cancelled == 1);
}

TEST_CASE("47.3: the CancelledError becomes a TimeoutError that names the time and the Deferred") {
    Clock clock;
    Deferred<int> d;
    d.addTimeout(10s, clock);
    clock.advance(10s);
    const Failure failure = failureResultOf<defer::TimeoutError>(d);
    CHECK(failure.check<CancelledError>() == nullptr);
    CHECK(failure.check<defer::TimeoutError>()->seconds() == 10.0);
    CHECK(failure.check<defer::TimeoutError>()->subject() == "Deferred");
    CHECK(failure.getErrorMessage() == "(10, 'Deferred')");
    Deferred<void> half;
    half.addTimeout(500ms, clock);
    clock.advance(500ms);
    CHECK(failureResultOf(half).getErrorMessage() == "(0.5, 'Deferred')");
}

TEST_CASE("48.1: a result before the deadline cancels the timed call, and stands") {
    Clock clock;
    Deferred<int> d;
    d.addTimeout(10s, clock);
    CHECK(clock.getDelayedCalls().size() == 1);
    d.callback(7);
    CHECK(clock.getDelayedCalls().empty());
    clock.advance(20s);
    CHECK(successResultOf(d) == 7);
}

TEST_CASE("48.2: a failure before the deadline cancels the timed call, and stands") {
    Clock clock;
    Deferred<int> d;
    d.addTimeout(10s, clock);
    d.errback(ValueError("no poem"));
    CHECK(clock.getDelayedCalls().empty());
    clock.advance(20s);
    failureResultOf<ValueError>(d);
}

TEST_CASE("48.3: no Deferred that a later callback returns is cancelled") {
    Clock clock;
    int cancelled = 0;
    Deferred<int> d;
    Deferred<int> inner([&] { ++cancelled; });
    d.addTimeout(10s, clock);
    d.addCallback([&](int) { return inner; });
    d.callback(1);
    clock.advance(20s);
    CHECK(cancelled == 0);
    inner.callback(2);
    CHECK(successResultOf(d) == 2);
}

TEST_CASE("addTimeout: on a Deferred that has fired, no timed call stays") {
    Clock clock;
    const Deferred<int> d = defer::succeed(3);
    d.addTimeout(10s, clock);
    CHECK(clock.getDelayedCalls().empty());
    CHECK(successResultOf(d) == 3);
}

TEST_CASE("49.1: onTimeoutCancel gets the result and the timeout in place of the translation") {
    Clock clock;
    std::optional<Failure> got;
    std::optional<std::chrono::milliseconds> told;
    Deferred<int> d;
    d.addTimeout(1500ms, clock, [&](Result<int> result, std::chrono::milliseconds timeout) {
        got = result.error();
        told = timeout;
        return 0;
    });
    clock.advance(1500ms);
    REQUIRE(got);
    CHECK(got->check<CancelledError>() != nullptr);
    CHECK(told == 1500ms);
    successResultOf(d);
}

TEST_CASE("49.2: what onTimeoutCancel returns is the result") {
    Clock clock;
    Deferred<std::string> value;
    value.addTimeout(1s, clock, [](Result<std::string>, auto) { return "an old poem"; });
    Deferred<int> failing;
    failing.addTimeout(1s, clock, [](Result<int>, auto) { return Failure(ValueError("too slow")); });
    Deferred<int> kept;
    kept.addTimeout(1s, clock, [](Result<int> result, auto) { return result; });
    Deferred<int> inner;
    Deferred<int> waits;
    waits.addTimeout(1s, clock, [&](Result<int>, auto) { return inner; });
    Deferred<void> nothing;
    nothing.addTimeout(1s, clock, [](Result<void> result, auto) { CHECK_FALSE(result); });
    clock.advance(1s);
    CHECK(successResultOf(value) == "an old poem");
    failureResultOf<ValueError>(failing);
    failureResultOf<CancelledError>(kept);
    defer::assertNoResult(waits);
    inner.callback(5);
    CHECK(successResultOf(waits) == 5);
    CHECK_NOTHROW(successResultOf(nothing));
}

TEST_CASE("49.3: what onTimeoutCancel throws is the result") {
    Clock clock;
    Deferred<int> d;
    d.addTimeout(1s, clock, [](Result<int>, auto) -> int { throw ValueError("too slow"); });
    clock.advance(1s);
    failureResultOf<ValueError>(d);
}

TEST_CASE("addTimeout: without a timeout onTimeoutCancel isn't called") {
    Clock clock;
    int called = 0;
    Deferred<int> d;
    d.addTimeout(1s, clock, [&](Result<int> result, auto) {
        ++called;
        return result;
    });
    d.callback(3);
    CHECK(clock.getDelayedCalls().empty());
    clock.advance(2s);
    CHECK(called == 0);
    CHECK(successResultOf(d) == 3);
}

TEST_CASE("50.1: a value that the canceller fires with stands") {
    Clock clock;
    Deferred<int> d([](const Deferred<int>& cancelled) { cancelled.callback(11); });
    d.addTimeout(10s, clock);
    clock.advance(10s);
    CHECK(successResultOf(d) == 11);
}

TEST_CASE("50.2: another error that the canceller fires with stands unchanged") {
    Clock clock;
    Deferred<int> d([](const Deferred<int>& cancelled) { cancelled.errback(ValueError("broken")); });
    d.addTimeout(10s, clock);
    clock.advance(10s);
    failureResultOf<ValueError>(d);
}

TEST_CASE("50.3: onTimeoutCancel overrides a value and an error of the canceller") {
    Clock clock;
    Deferred<int> value([](const Deferred<int>& cancelled) { cancelled.callback(11); });
    value.addTimeout(10s, clock, [](Result<int> result, auto) { return *result + 1; });
    Deferred<int> error([](const Deferred<int>& cancelled) { cancelled.errback(ValueError("broken")); });
    error.addTimeout(10s, clock, [](Result<int> result, auto) {
        result.error().trap<ValueError>();
        return 4;
    });
    clock.advance(10s);
    CHECK(successResultOf(value) == 12);
    CHECK(successResultOf(error) == 4);
}

TEST_CASE("51.1: a CancelledError by hand before the deadline stays one, with its reason") {
    Clock clock;
    Deferred<int> d;
    d.addTimeout(10s, clock);
    d.cancel("no more");
    clock.advance(20s);
    CHECK(failureResultOf<CancelledError>(d).check<CancelledError>()->reason() == "no more");
}

TEST_CASE("51.2: cancelling by hand does not call onTimeoutCancel") {
    Clock clock;
    int called = 0;
    Deferred<int> d;
    d.addTimeout(10s, clock, [&](Result<int> result, auto) {
        ++called;
        return result;
    });
    d.cancel();
    clock.advance(20s);
    CHECK(called == 0);
    failureResultOf<CancelledError>(d);
}

TEST_CASE("51.3: cancelling by hand removes the timed call") {
    Clock clock;
    Deferred<int> d;
    d.addTimeout(10s, clock);
    d.cancel();
    CHECK(clock.getDelayedCalls().empty());
    failureResultOf<CancelledError>(d);
}

TEST_CASE(
    "52.1: an errback added before sees the CancelledError; if it returns that, the result is a TimeoutError") {
    Clock clock;
    bool seen = false;
    Deferred<int> d;
    d.addErrback([&](const Failure& failure) {
        seen = failure.check<CancelledError>() != nullptr;
        return failure;
    });
    d.addTimeout(10s, clock);
    clock.advance(10s);
    CHECK(seen);
    failureResultOf<defer::TimeoutError>(d);
}

TEST_CASE("52.2: if an errback added before swallows the CancelledError, the result is its value") {
    Clock clock;
    Deferred<int> d;
    d.addErrback([](const Failure& failure) {
        failure.trap<CancelledError>();
        return 6;
    });
    d.addTimeout(10s, clock);
    clock.advance(10s);
    CHECK(successResultOf(d) == 6);
}

TEST_CASE("52.3: onTimeoutCancel then gets that errback's value") {
    Clock clock;
    Deferred<int> d;
    d.addErrback([] { return 6; });
    d.addTimeout(10s, clock, [](Result<int> result, auto) { return *result * 7; });
    clock.advance(10s);
    CHECK(successResultOf(d) == 42);
}

TEST_CASE("53.1: a Deferred that a callback added before returned is cancelled at the deadline") {
    Clock clock;
    int cancelled = 0;
    Deferred<int> d;
    Deferred<int> inner([&] { ++cancelled; });
    d.addCallback([&](int) { return inner; });
    d.addTimeout(10s, clock);
    d.callback(1);
    CHECK(clock.getDelayedCalls().size() == 1);
    clock.advance(10s);
    CHECK(cancelled == 1);
    failureResultOf<defer::TimeoutError>(d);
}

TEST_CASE("53.2: callbacks added after addTimeout have all the time they want") {
    Clock clock;
    Deferred<int> d;
    Deferred<int> before;
    Deferred<int> after;
    d.addCallback([&](int) { return before; });
    d.addTimeout(10s, clock);
    d.addCallback([&](int) { return after; });
    d.callback(1);
    clock.advance(9s);
    before.callback(2);
    clock.advance(9s);
    defer::assertNoResult(d);
    after.callback(3);
    CHECK(successResultOf(d) == 3);
}

TEST_CASE("addTimeout: two timeouts on one chain are each for their own part") {
    Clock clock;
    Deferred<int> inner;
    Deferred<int> d;
    d.addTimeout(5s, clock);
    d.addCallback([&](int) { return inner; });
    d.addTimeout(7s, clock);
    d.callback(1);
    clock.advance(5s);
    defer::assertNoResult(d);
    clock.advance(2s);
    CHECK(failureResultOf<defer::TimeoutError>(d).check<defer::TimeoutError>()->seconds() == 7.0);
}

Deferred<std::string> coroutine(Deferred<int> poem) {
    Result<int> result = co_await poem.result();
    if (result) co_return std::to_string(*result);
    result.error().trap<CancelledError>();
    co_return "cut short";
}

TEST_CASE("addTimeout: on a coroutine's Deferred it cancels what the coroutine awaits") {
    Clock clock;
    Deferred<int> poem;
    const Deferred<std::string> text = coroutine(poem);
    text.addTimeout(3s, clock);
    clock.advance(3s);
    CHECK(successResultOf(text) == "cut short");
    CHECK(clock.getDelayedCalls().empty());
}

Deferred<int> impatient(Deferred<int> poem, Clock& clock) {
    try {
        co_return co_await poem.addTimeout(3s, clock);
    } catch (const defer::TimeoutError& error) {
        co_return static_cast<int>(error.seconds());
    }
}

TEST_CASE("addTimeout: its Deferred may be awaited at once") {
    Clock clock;
    Deferred<int> poem;
    const Deferred<int> slow = impatient(poem, clock);
    clock.advance(3s);
    CHECK(successResultOf(slow) == 3);
    Deferred<int> second;
    const Deferred<int> quick = impatient(second, clock);
    second.callback(14);
    CHECK(successResultOf(quick) == 14);
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("addTimeout: move-only results and functions pass through") {
    Clock clock;
    Deferred<std::unique_ptr<int>> d;
    d.addTimeout(3s, clock);
    d.addTimeout(3s, clock, [spare = std::make_unique<int>(2)](Result<std::unique_ptr<int>>, auto) mutable {
        return std::move(spare);
    });
    d.callback(std::make_unique<int>(1));
    CHECK(*successResultOf(d) == 1);
    Deferred<std::unique_ptr<int>> slow;
    slow.addTimeout(3s, clock,
                    [spare = std::make_unique<int>(2)](Result<std::unique_ptr<int>>, auto) mutable {
                        return std::move(spare);
                    });
    clock.advance(3s);
    CHECK(*successResultOf(slow) == 2);
}

TEST_CASE("addTimeout: the clock keeps the Deferred until the deadline, or until the clock goes") {
    std::optional<Clock> clock(std::in_place);
    bool failed = false;
    Deferred<int> d;
    d.addTimeout(3s, *clock);
    d.addErrback([&] { failed = true; });
    d = nullptr;
    clock->advance(3s);
    CHECK(failed);
    auto alive = std::make_shared<int>();
    Deferred<int> second([alive] {});
    second.addTimeout(3s, *clock);
    second.addCallback([alive](int) {});
    second = nullptr;
    CHECK(alive.use_count() == 3);
    clock.reset();
    CHECK(alive.use_count() == 1);
}

TEST_CASE("addTimeout: a clock that goes before the result does no harm") {
    std::optional<Clock> clock(std::in_place);
    Deferred<int> d;
    d.addTimeout(3s, *clock);
    clock.reset();
    d.callback(8);
    CHECK(successResultOf(d) == 8);
}

TEST_CASE("addTimeout: the error of a canceller comes out of the clock, and the Deferred stays unfired") {
    Clock clock;
    Deferred<int> d([] { throw ValueError("can't stop"); });
    d.addTimeout(3s, clock);
    CHECK_THROWS_AS(clock.advance(3s), ValueError);
    CHECK_FALSE(d.called());
    d.callback(4);
    CHECK(successResultOf(d) == 4);
}

TEST_CASE("addTimeout: an empty handle, and one of another type, are refused and leave no timed call") {
    Clock clock;
    const Deferred<int> empty = nullptr;
    CHECK_THROWS_AS(empty.addTimeout(3s, clock), ropewalk::EmptyDeferredError);
    Deferred<int> d;
    d.addCallback([](int) { return std::string(); });
    CHECK_THROWS_AS(d.addTimeout(3s, clock, [](Result<int>, auto) { return 1; }), ropewalk::WrongTypeError);
    CHECK(clock.getDelayedCalls().empty());
    CHECK_NOTHROW(d.addTimeout(3s, clock));
    d.callback(1);
    CHECK(clock.getDelayedCalls().empty());
}

/// All that addTimeout asks of a clock.
struct OneShot {
    struct Call {
        bool* pending;
        bool active() const { return *pending; }
        void cancel() { *pending = false; }
    };
    template <class F>
    Call callLater(std::chrono::minutes, F&& function) {
        pending = true;
        ring = [f = std::forward<F>(function)]() mutable { f(); };
        return {&pending};
    }
    bool pending = false;
    std::function<void()> ring;
};

TEST_CASE("addTimeout: any clock with callLater will do") {
    OneShot clock;
    Deferred<int> d;
    d.addTimeout(std::chrono::minutes(2), clock);
    CHECK(clock.pending);
    std::exchange(clock.ring, nullptr)();
    CHECK(failureResultOf<defer::TimeoutError>(d).check<defer::TimeoutError>()->seconds() == 120.0);
    CHECK_FALSE(clock.pending);
}

} // namespace
