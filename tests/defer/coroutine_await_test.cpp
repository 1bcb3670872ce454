#include "probes.hpp"

#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <coroutine>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What can be awaited, in which state, and what comes of it.
namespace {

using namespace ropewalk;
using defer::Deferred;
using probes::contains;
using probes::Words;

template <class T>
Deferred<T> awaits(Deferred<T> d) {
    co_return co_await d;
}

Deferred<std::string> awaitsResult(Deferred<int> d) {
    const Result<int> r = co_await d.result();
    if (!r) {
        co_return "failed: " + r.error().getErrorMessage();
    }
    co_return "value: " + std::to_string(*r);
}

TEST_CASE("result(): the value, fired before or after") {
    CHECK(defer::successResultOf(awaitsResult(defer::succeed(1))) == "value: 1");
    const Deferred<int> d;
    const Deferred<std::string> own = awaitsResult(d);
    d.callback(2);
    CHECK(defer::successResultOf(own) == "value: 2");
}

TEST_CASE("result(): a failure is a value, which nobody has to report") {
    CHECK(defer::successResultOf(awaitsResult(defer::fail(ValueError("early")))) == "failed: early");
    Deferred<int> d;
    const Deferred<std::string> own = awaitsResult(d);
    d.errback(ValueError("late"));
    d = nullptr;
    CHECK(defer::successResultOf(own) == "failed: late");
}

TEST_CASE("result(): of one whose value is gone, a NoResultError") {
    const Deferred<int> d = defer::succeed(1);
    defer::successResultOf(awaits(d));
    CHECK(contains(defer::successResultOf(awaitsResult(d)), "failed: "));
}

Deferred<bool> awaitsVoidResult(Deferred<void> d) {
    const Result<void> r = co_await d.result();
    co_return r.has_value();
}

TEST_CASE("result(): of a Deferred<void>") {
    CHECK(defer::successResultOf(awaitsVoidResult(defer::succeed())));
    CHECK_FALSE(defer::successResultOf(awaitsVoidResult(defer::fail(ValueError()))));
}

Deferred<std::string> awaitsResultOfTemporary() {
    const Result<std::string> good = co_await defer::succeed(std::string("good")).result();
    const Result<std::string> bad = co_await defer::fail<std::string>(ValueError("bad")).result();
    co_return *good + ' ' + bad.error().getErrorMessage();
}

TEST_CASE("result(): of a temporary") {
    CHECK(defer::successResultOf(awaitsResultOfTemporary()) == "good bad");
}

Deferred<int> cleansUp(Deferred<int> d, Deferred<void> cleaning, Words& seen) {
    const Result<int> r = co_await d.result();
    if (!r && r.error().check<ValueError>() != nullptr) {
        seen.push_back("cleaning");
        co_await cleaning;
        seen.push_back("cleaned");
        co_return 0;
    }
    co_return r.value();
}

TEST_CASE("result(): Python's except with a yield in it") {
    Words seen;
    const Deferred<int> d;
    const Deferred<void> cleaning;
    const Deferred<int> own = cleansUp(d, cleaning, seen);
    d.errback(ValueError("x"));
    CHECK(seen == Words{"cleaning"});
    cleaning.callback();
    CHECK(seen == Words{"cleaning", "cleaned"});
    CHECK(defer::successResultOf(own) == 0);
}

TEST_CASE("an empty handle throws where it is awaited") {
    const Failure failure = defer::failureResultOf<EmptyDeferredError>(awaits(Deferred<int>(nullptr)));
    CHECK(contains(failure.getErrorMessage(), "co_await"));
    CHECK(contains(failure.getErrorMessage(), "coroutine_await_test.cpp"));
    defer::failureResultOf<EmptyDeferredError>(awaitsResult(nullptr));
}

Deferred<int> awaitsMoved(Deferred<int> d) {
    const int n = co_await std::move(d);
    CHECK_FALSE(d);
    try {
        co_await d;
    } catch (const EmptyDeferredError&) {
        co_return n;
    }
    co_return 0;
}

TEST_CASE("so does one that was moved into an earlier co_await") {
    CHECK(defer::successResultOf(awaitsMoved(defer::succeed(6))) == 6);
}

TEST_CASE("a handle of another type than the end's throws where it is awaited") {
    const Deferred<int> d;
    d.addCallback([](int n) { return std::to_string(n); });
    defer::failureResultOf<WrongTypeError>(awaits(d));
    defer::failureResultOf<WrongTypeError>(awaitsResult(d));
    d.callback(1);
    defer::failureResultOf<WrongTypeError>(awaits(d));
}

TEST_CASE("waiting without the value takes any handle") {
    const Deferred<void> d;
    const Deferred<int> after = d.addCallback([] { return 7; });
    const Deferred<void> own = awaits(d);
    d.callback();
    defer::successResultOf(own);
    after.addCallback([](int) {});
    defer::failureResultOf<NoResultError>(after);
}

TEST_CASE("one that is paused: it resumes when the last pause ends") {
    const Deferred<int> d;
    d.pause();
    d.callback(3);
    d.pause();
    const Deferred<int> own = awaits(d);
    CHECK_FALSE(own.called());
    d.unpause();
    CHECK_FALSE(own.called());
    d.unpause();
    CHECK(defer::successResultOf(own) == 3);
}

TEST_CASE("one that waits for another: it resumes with the other's result") {
    const Deferred<int> inner;
    const Deferred<int> d = defer::succeed(1).addCallback([&](int) { return inner; });
    const Deferred<int> own = awaits(d);
    CHECK_FALSE(own.called());
    inner.callback(9);
    CHECK(defer::successResultOf(own) == 9);
}

TEST_CASE(
    "one that is in the middle of its chain, from a callback of it: it gets the result at the chain's end") {
    Words seen;
    Deferred<int> own = nullptr;
    const Deferred<int> d;
    d.addCallback([&](int n) {
        own = awaits(d);
        own.addCallback([&](int last) { seen.push_back("coroutine got " + std::to_string(last)); });
        seen.push_back("callback ends");
        return n + 1;
    });
    d.addCallback([&](int n) {
        seen.push_back("next callback");
        return 10 * n;
    });
    d.callback(1);
    CHECK(seen == Words{"callback ends", "next callback", "coroutine got 20"});
}

TEST_CASE("one whose callback runs at this moment, and is its last") {
    const Deferred<int> d;
    Deferred<int> own = nullptr;
    d.addCallback([&](int n) {
        own = awaits(d);
        CHECK_FALSE(own.called());
        return n + 1;
    });
    d.callback(1);
    CHECK(defer::successResultOf(own) == 2);
}

TEST_CASE("one whose callback returns the coroutine that awaits it: a RuntimeError, not a wait without end") {
    const Deferred<int> d;
    Deferred<int> own = nullptr;
    d.addCallback([&](int) {
        own = awaits(d);
        return own;
    });
    d.callback(1);
    CHECK(contains(defer::failureResultOf<RuntimeError>(own).getErrorMessage(), "waits for this one"));
}

TEST_CASE(
    "two coroutines on one Deferred: the first gets the value, the second a NoResultError that names the first") {
    const Deferred<int> d;
    const Deferred<int> first = awaits(d);
    const Deferred<int> second = awaits(d);
    d.callback(5);
    CHECK(defer::successResultOf(first) == 5);
    const Failure failure = defer::failureResultOf<NoResultError>(second);
    CHECK(contains(failure.getErrorMessage(), "a coroutine"));
    CHECK(contains(failure.getErrorMessage(), "coroutine_await_test.cpp"));
}

TEST_CASE("two coroutines on one Deferred<void>: both go on") {
    const Deferred<void> d;
    const Deferred<void> first = awaits(d);
    const Deferred<void> second = awaits(d);
    d.callback();
    defer::successResultOf(first);
    defer::successResultOf(second);
}

TEST_CASE("two coroutines on one Deferred of a type that has a None: the second gets that") {
    const Deferred<std::optional<int>> d;
    const Deferred<std::optional<int>> first = awaits(d);
    const Deferred<std::optional<int>> second = awaits(d);
    d.callback(5);
    CHECK(defer::successResultOf(first) == 5);
    CHECK(defer::successResultOf(second) == std::nullopt);
}

TEST_CASE("two coroutines on one that fails: the first gets the failure, the second nothing") {
    const Deferred<void> d;
    const Deferred<void> first = awaits(d);
    const Deferred<void> second = awaits(d);
    d.errback(ValueError("once"));
    defer::failureResultOf<ValueError>(first);
    defer::successResultOf(second);
}

TEST_CASE("a fork for each: both get the value") {
    const Deferred<int> d;
    const Deferred<int> first = awaits(d.fork());
    const Deferred<int> second = awaits(d.fork());
    d.callback(5);
    CHECK(defer::successResultOf(first) == 5);
    CHECK(defer::successResultOf(second) == 5);
}

TEST_CASE("a coroutine resumes where it is in the chain; callbacks added later see None") {
    const Deferred<int> d;
    const Deferred<int> own = awaits(d);
    bool ran = false;
    d.addCallback([&] { ran = true; });
    d.callback(1);
    CHECK(defer::successResultOf(own) == 1);
    CHECK(ran);
}

Deferred<std::string> awaitsAList(Deferred<int> wendy, Deferred<std::string> james) {
    const auto [number, text] = co_await defer::DeferredList(wendy, james);
    co_return std::to_string(*number) + *text;
}

TEST_CASE("a DeferredList, unpacked") {
    const Deferred<int> wendy;
    const Deferred<std::string> james;
    const Deferred<std::string> own = awaitsAList(wendy, james);
    james.callback("a text that is longer than a small string");
    wendy.callback(1);
    CHECK(defer::successResultOf(own) == "1a text that is longer than a small string");
}

// Awaitables of other libraries.

/// Its address matters: it can be neither copied nor moved.
class Event {
public:
    Event() = default;
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    bool await_ready() const noexcept { return set_; }
    void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }
    int await_resume() {
        if (fails_) throw ValueError("foreign");
        return 11;
    }

    void set(bool fails = false) {
        set_ = true;
        fails_ = fails;
        if (waiter_) std::exchange(waiter_, nullptr).resume();
    }

private:
    bool set_ = false;
    bool fails_ = false;
    std::coroutine_handle<> waiter_;
};

struct MemberAwaitable {
    Event& event;
    Event& operator co_await() const noexcept { return event; }
};

struct FreeAwaitable {
    Event& event;
};
struct FreeAwaiter {
    Event& event;
    bool await_ready() const noexcept { return event.await_ready(); }
    bool await_suspend(std::coroutine_handle<> waiter) const noexcept {
        event.await_suspend(waiter);
        return true;
    }
    int await_resume() const { return event.await_resume(); }
};
FreeAwaiter operator co_await(const FreeAwaitable& awaitable) noexcept {
    return {awaitable.event};
}

Deferred<int> awaitsEvent(Event& event) {
    const int n = co_await event;
    co_return n;
}
Deferred<int> awaitsMember(Event& event) {
    const int n = co_await MemberAwaitable{event};
    co_return n;
}
Deferred<int> awaitsFree(Event& event) {
    const int n = co_await FreeAwaitable{event};
    co_return n;
}

TEST_CASE("a foreign awaiter: it is used in place, never copied") {
    Event event;
    SUBCASE("itself") {
        const Deferred<int> own = awaitsEvent(event);
        CHECK_FALSE(own.called());
        event.set();
        CHECK(defer::successResultOf(own) == 11);
        CHECK(defer::successResultOf(awaitsEvent(event)) == 11);
    }
    SUBCASE("by a member operator co_await") {
        const Deferred<int> own = awaitsMember(event);
        CHECK_FALSE(own.called());
        event.set();
        CHECK(defer::successResultOf(own) == 11);
    }
    SUBCASE("by a free operator co_await, whose await_suspend returns a bool") {
        const Deferred<int> own = awaitsFree(event);
        CHECK_FALSE(own.called());
        event.set();
        CHECK(defer::successResultOf(own) == 11);
    }
}

TEST_CASE("what a foreign awaiter throws is thrown at the co_await") {
    Event event;
    const Deferred<int> own = awaitsEvent(event);
    event.set(true);
    defer::failureResultOf<ValueError>(own);
}

Deferred<int> eventThenDeferred(Event& event, Deferred<int> d) {
    const int first = co_await event;
    const int second = co_await d;
    co_return first + second;
}

TEST_CASE("after a foreign awaiter it awaits Deferreds as before") {
    Event event;
    const Deferred<int> d;
    const Deferred<int> own = eventThenDeferred(event, d);
    event.set();
    CHECK_FALSE(own.called());
    d.callback(1);
    CHECK(defer::successResultOf(own) == 12);
}

} // namespace
