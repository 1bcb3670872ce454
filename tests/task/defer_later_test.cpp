#include <ropewalk/task/defer_later.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/reactor/errors.hpp>
#include <ropewalk/task/clock.hpp>
#include <support/memory_driver.hpp>

namespace defer = ropewalk::defer;

using namespace std::chrono_literals;
using defer::CancelledError;
using defer::Deferred;
using defer::failureResultOf;
using defer::flushLoggedErrors;
using defer::successResultOf;
using ropewalk::AssertionError;
using ropewalk::Failure;
using ropewalk::ValueError;
using ropewalk::task::Clock;
using ropewalk::task::deferLater;

namespace {

struct Account {
    int add(int amount) { return balance += amount; }
    int balance = 0;
};

Deferred<int> twiceLater(Clock& clock, int value) {
    co_await deferLater(clock, 1s);
    co_return value * 2;
}

} // namespace

TEST_CASE("98.1: the Deferred fires with what the callable returned, after the delay and not before") {
    Clock clock;
    int calls = 0;
    const Deferred<std::string> d = deferLater(clock, 3s, [&] {
        ++calls;
        return std::string("ready");
    });
    clock.advance(2999ms);
    CHECK(calls == 0);
    defer::assertNoResult(d);
    clock.advance(1ms);
    CHECK(calls == 1);
    CHECK(successResultOf(d) == "ready");
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("98.2: without a callable it fires with nothing") {
    Clock clock;
    const Deferred<void> d = deferLater(clock, 3s);
    const Deferred<void> e = deferLater(clock, 3s, nullptr);
    defer::assertNoResult(d);
    clock.advance(3s);
    successResultOf(d);
    successResultOf(e);
}

TEST_CASE("98.3: what the callable throws is the failure") {
    Clock clock;
    const Deferred<int> d = deferLater(clock, 1s, []() -> int { throw ValueError("no"); });
    clock.advance(1s);
    CHECK(failureResultOf<ValueError>(d).getErrorMessage() == "no");
}

TEST_CASE("98.4, 98.5: cancelling takes the timed call out, and the failure is a CancelledError") {
    Clock clock;
    auto held = std::make_shared<int>(1);
    const Deferred<void> d = deferLater(clock, 1s, [held] { FAIL("called"); });
    CHECK(clock.getDelayedCalls().size() == 1);
    d.cancel("enough");
    CHECK(clock.getDelayedCalls().empty());
    CHECK(held.use_count() == 1);
    CHECK(failureResultOf<CancelledError>(d).getErrorMessage() == "enough");
    clock.advance(5s);
}

TEST_CASE("98.6: the callable gets the arguments") {
    Clock clock;
    Account account;
    const Deferred<int> sum = deferLater(clock, 1s, [](int a, int b) { return a + b; }, 3, 4);
    const Deferred<int> member = deferLater(clock, 1s, &Account::add, &account, 5);
    const Deferred<std::size_t> moved = deferLater(
        clock, 1s, [](std::unique_ptr<std::string> text) { return text->size(); },
        std::make_unique<std::string>("four"));
    clock.advance(1s);
    CHECK(successResultOf(sum) == 7);
    CHECK(successResultOf(member) == 5);
    CHECK(successResultOf(moved) == 4);
}

TEST_CASE("a Deferred that the callable of deferLater returns is waited for") {
    Clock clock;
    Deferred<int> inner;
    const Deferred<int> d = deferLater(clock, 1s, [&] { return inner; });
    clock.advance(1s);
    defer::assertNoResult(d);
    inner.callback(5);
    CHECK(successResultOf(d) == 5);
}

TEST_CASE("cancelling a deferLater whose callable has run cancels what that returned") {
    Clock clock;
    bool cancelled = false;
    Deferred<int> inner([&] { cancelled = true; });
    const Deferred<int> d = deferLater(clock, 1s, [&] { return inner; });
    clock.advance(1s);
    d.cancel();
    CHECK(cancelled);
    failureResultOf<CancelledError>(d);
}

TEST_CASE("the callable of deferLater may be a coroutine, whose closure lives as long as it") {
    Clock clock;
    auto held = std::make_shared<int>(20);
    const Deferred<int> d = deferLater(
        clock, 1s,
        [held, &clock](int more) -> Deferred<int> {
            const int twice = co_await twiceLater(clock, *held);
            co_return twice + more;
        },
        2);
    clock.advance(1s);
    CHECK(held.use_count() == 2);
    defer::assertNoResult(d);
    clock.advance(1s);
    CHECK(successResultOf(d) == 42);
    CHECK(held.use_count() == 1);
}

TEST_CASE("results and failures that the callable of deferLater returns count as such") {
    Clock clock;
    const Deferred<int> good = deferLater(clock, 1s, []() -> ropewalk::Result<int> { return 3; });
    const Deferred<int> bad = deferLater(
        clock, 1s, []() -> ropewalk::Result<int> { return std::unexpected(Failure(ValueError())); });
    const Deferred<void> failed = deferLater(clock, 1s, [] { return Failure(ValueError()); });
    clock.advance(1s);
    CHECK(successResultOf(good) == 3);
    failureResultOf<ValueError>(bad);
    failureResultOf<ValueError>(failed);
}

TEST_CASE("deferLater is how a coroutine sleeps") {
    Clock clock;
    std::vector<ropewalk::Seconds> woke;
    const Deferred<void> d = [](Clock& on, std::vector<ropewalk::Seconds>& at) -> Deferred<void> {
        co_await deferLater(on, 1s);
        at.push_back(on.seconds());
        co_await deferLater(on, 2s);
        at.push_back(on.seconds());
    }(clock, woke);
    clock.pump({1s, 1s, 1s});
    CHECK(woke == std::vector<ropewalk::Seconds>{1s, 3s});
    successResultOf(d);
}

TEST_CASE("cancelling a coroutine that sleeps takes its timed call out") {
    Clock clock;
    const Deferred<int> d = twiceLater(clock, 1);
    d.cancel();
    CHECK(clock.getDelayedCalls().empty());
    failureResultOf<CancelledError>(d);
}

TEST_CASE("a deferLater that nobody holds calls its function, and its error is reported") {
    Clock clock;
    int calls = 0;
    deferLater(clock, 1s, [&] { ++calls; });
    deferLater(clock, 1s, [] { throw ValueError("nobody listens"); });
    clock.advance(1s);
    CHECK(calls == 1);
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("a deferLater that was fired by hand does not fire again in silence") {
    Clock clock;
    const Deferred<void> d = deferLater(clock, 1s);
    d.errback(ValueError());
    CHECK_THROWS_AS(clock.advance(1s), defer::AlreadyCalledError);
    failureResultOf<ValueError>(d);
}

TEST_CASE("a clock that goes lets a deferLater go, unfired") {
    auto held = std::make_shared<int>(1);
    std::optional<Clock> clock(std::in_place);
    const Deferred<void> kept = deferLater(*clock, 1s, [held] {});
    deferLater(*clock, 1s, [held] {});
    CHECK(held.use_count() == 3);
    clock.reset();
    CHECK(held.use_count() == 2);
    defer::assertNoResult(kept);
    kept.cancel();
    failureResultOf<CancelledError>(kept);
    CHECK(held.use_count() == 1);
}

TEST_CASE("what deferLater can't do it says at once") {
    Clock clock;
    CHECK_THROWS_AS(deferLater(clock, 1s, std::function<int()>()), AssertionError);
    CHECK(clock.getDelayedCalls().empty());
    MemoryReactor made;
    CHECK_THROWS_AS(deferLater(made.reactor, -1s), AssertionError);
}

TEST_CASE("deferLater on a reactor") {
    MemoryReactor made;
    std::vector<int> order;
    deferLater(made.reactor, 20ms, [&] { order.push_back(2); }).addCallback([&] { made.reactor.stop(); });
    deferLater(made.reactor, 10ms, [&] { order.push_back(1); });
    const Deferred<void> cancelled = deferLater(made.reactor, 15ms, [] { FAIL("called"); });
    cancelled.addErrback([] {});
    cancelled.cancel();
    made.reactor.run();
    CHECK(order == std::vector<int>{1, 2});
    CHECK(made.driver.time == 20 * MemoryDriver::millisecond);
    CHECK(made.reactor.getDelayedCalls().empty());
}
