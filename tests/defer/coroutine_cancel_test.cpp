#include "probes.hpp"

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Cancelling a coroutine: statements 80 and 81, and what a request meets that comes at another time.
namespace {

using namespace ropewalk;
using defer::CancelledError;
using defer::Deferred;
using probes::contains;
using probes::Counted;
using probes::Words;

Deferred<int> awaitsTwo(Words& seen, Deferred<int> first, Deferred<int> second) {
    int sum = 0;
    try {
        sum += co_await first;
    } catch (const CancelledError& error) {
        seen.push_back("first cancelled: " + std::string(error.reason()));
    }
    sum += co_await second;
    co_return sum;
}

TEST_CASE("80.1, 80.2: cancelling cancels what is awaited, and CancelledError is raised there") {
    Words seen;
    int cancellers = 0;
    const Deferred<int> first([&] { ++cancellers; });
    const Deferred<int> second;
    const Deferred<int> own = awaitsTwo(seen, first, second);
    own.cancel("enough");
    CHECK(cancellers == 1);
    CHECK(first.called());
    CHECK(seen == Words{"first cancelled: enough"});
    second.callback(0);
    defer::successResultOf(own);
}

TEST_CASE("80.3: if that is caught, the coroutine goes on, and its own Deferred stays unfired") {
    Words seen;
    const Deferred<int> first;
    const Deferred<int> second;
    const Deferred<int> own = awaitsTwo(seen, first, second);
    own.cancel();
    CHECK(seen.size() == 1);
    CHECK_FALSE(own.called());
    second.callback(5);
    CHECK(defer::successResultOf(own) == 5);
}

TEST_CASE("80.4: a second request cancels what is awaited next") {
    Words seen;
    int cancellers = 0;
    const Deferred<int> first;
    const Deferred<int> second([&] { ++cancellers; });
    const Deferred<int> own = awaitsTwo(seen, first, second);
    own.cancel("once");
    CHECK(cancellers == 0);
    own.cancel("twice");
    CHECK(cancellers == 1);
    const Failure failure = defer::failureResultOf<CancelledError>(own);
    CHECK(failure.check<CancelledError>()->reason() == "twice");
}

Deferred<int> passesOn(Deferred<int> d) {
    co_return co_await d;
}

TEST_CASE("80.2: uncaught, it is the result") {
    const Deferred<int> d;
    const Deferred<int> own = passesOn(d);
    own.cancel();
    defer::failureResultOf<CancelledError>(own);
}

TEST_CASE(
    "80.1: through any number of coroutines, and callbacks that wait, down to what is awaited in the end") {
    bool cancelled = false;
    const Deferred<int> d([&] { cancelled = true; });
    Deferred<int> last = d;
    for (int i = 0; i < 10; ++i) last = passesOn(last);
    const Deferred<int> outer = defer::succeed(1).addCallback([&](int) { return last; });
    const Deferred<int> own = passesOn(outer);
    own.cancel();
    CHECK(cancelled);
    defer::failureResultOf<CancelledError>(own);
}

TEST_CASE("80.1: a canceller that gives a value makes the coroutine go on with that") {
    Words seen;
    const Deferred<int> first([](const Deferred<int>& self) { self.callback(7); });
    const Deferred<int> own = awaitsTwo(seen, first, defer::succeed(1));
    own.cancel();
    CHECK(seen.empty());
    CHECK(defer::successResultOf(own) == 8);
}

TEST_CASE(
    "81.1: it ends only when the chain of what it awaits has done its cleaning, however long that takes") {
    const Deferred<int> d;
    const Deferred<void> cleaning;
    d.addErrback([&](const Failure& failure) {
        return cleaning.addCallback([failure]() -> int { failure.raiseException(); });
    });
    const Deferred<int> own = passesOn(d);
    own.cancel();
    CHECK_FALSE(own.called());
    cleaning.callback();
    defer::failureResultOf<CancelledError>(own);
}

Deferred<std::string> translates(Deferred<int> d) {
    try {
        co_await d;
    } catch (const CancelledError&) {
        throw ValueError("translated");
    }
    co_return "not cancelled";
}

TEST_CASE("81.2: it may make another error of the cancellation") {
    const Deferred<int> d;
    const Deferred<std::string> own = translates(d);
    own.cancel();
    CHECK(defer::failureResultOf<ValueError>(own).getErrorMessage() == "translated");
}

Deferred<std::string> givesAValue(Deferred<int> d) {
    const Result<int> r = co_await d.result();
    if (!r && r.error().check<CancelledError>() != nullptr) {
        co_return "a value instead";
    }
    co_return "not cancelled";
}

TEST_CASE("81.3: or a value") {
    const Deferred<int> d;
    const Deferred<std::string> own = givesAValue(d);
    own.cancel();
    CHECK(defer::successResultOf(own) == "a value instead");
}

Deferred<void> cleansUpWhenCancelled(Deferred<void> d, Deferred<void> cleaning, Words& seen) {
    const Result<void> r = co_await d.result();
    if (!r) {
        seen.push_back("cleaning");
        co_await cleaning;
        seen.push_back("cleaned");
        r.error().raiseException();
    }
}

TEST_CASE("81.1: the coroutine itself may await its cleaning") {
    Words seen;
    const Deferred<void> d;
    const Deferred<void> cleaning;
    const Deferred<void> own = cleansUpWhenCancelled(d, cleaning, seen);
    own.cancel();
    CHECK_FALSE(own.called());
    CHECK(seen == Words{"cleaning"});
    cleaning.callback();
    CHECK(seen == Words{"cleaning", "cleaned"});
    defer::failureResultOf<CancelledError>(own);
}

// A request that comes while the coroutine runs.

Deferred<int> cancelsItself(Deferred<int>& self, Deferred<void> begin, Words& seen, Deferred<int> next) {
    co_await begin;
    self.cancel("while it runs");
    seen.push_back("after cancel");
    const int plain = co_await 1;
    const int fired = co_await defer::succeed(2);
    seen.push_back("after what was there");
    const int last = co_await next;
    seen.push_back("after next");
    co_return plain + fired + last;
}

TEST_CASE("a request to a running coroutine waits until it awaits something unfired") {
    Words seen;
    const Deferred<void> begin;
    bool cancelled = false;
    const Deferred<int> next([&] { cancelled = true; });
    Deferred<int> own = nullptr;
    own = cancelsItself(own, begin, seen, next);
    begin.callback();
    CHECK(cancelled);
    CHECK(seen == Words{"after cancel", "after what was there"});
    const Failure failure = defer::failureResultOf<CancelledError>(own);
    CHECK(failure.check<CancelledError>()->reason() == "while it runs");
}

TEST_CASE("with a canceller that gives a value it goes on with that") {
    Words seen;
    const Deferred<void> begin;
    const Deferred<int> next([](const Deferred<int>& self) { self.callback(10); });
    Deferred<int> own = nullptr;
    own = cancelsItself(own, begin, seen, next);
    begin.callback();
    CHECK(seen.back() == "after next");
    CHECK(defer::successResultOf(own) == 13);
}

TEST_CASE("with a chain that cleans up it suspends until that is done") {
    Words seen;
    const Deferred<void> begin;
    const Deferred<int> next;
    const Deferred<int> cleaning;
    next.addErrback([&] { return cleaning; });
    Deferred<int> own = nullptr;
    own = cancelsItself(own, begin, seen, next);
    begin.callback();
    CHECK(next.called());
    CHECK_FALSE(own.called());
    cleaning.callback(4);
    CHECK(defer::successResultOf(own) == 7);
}

Deferred<int> cancelsItselfBeforeATemporary(Deferred<int>& self, Deferred<void> begin) {
    co_await begin;
    self.cancel();
    co_return co_await Deferred<int>();
}

TEST_CASE("and something that nobody else holds is cancelled, not abandoned") {
    const Deferred<void> begin;
    Deferred<int> own = nullptr;
    own = cancelsItselfBeforeATemporary(own, begin);
    begin.callback();
    defer::failureResultOf<CancelledError>(own);
}

Deferred<void> cancelsItselfAndEnds(Deferred<void>& self, Deferred<void> begin) {
    co_await begin;
    self.cancel();
    co_await 1;
}

TEST_CASE("a coroutine that ends without another wait isn't cancelled any more") {
    const Deferred<void> begin;
    Deferred<void> own = nullptr;
    own = cancelsItselfAndEnds(own, begin);
    begin.callback();
    CHECK_NOTHROW(defer::successResultOf(own));
}

Deferred<int> cancelsItselfOften(Deferred<int>& self, Deferred<void> begin, int times,
                                 std::uintptr_t& stack) {
    co_await begin;
    const auto top = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    int caught = 0;
    for (int i = 0; i < times; ++i) {
        self.cancel();
        const Result<void> r = co_await Deferred<void>().result();
        caught += r ? 0 : 1;
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        stack = std::max(stack, top > here ? top - here : here - top);
    }
    co_return caught;
}

TEST_CASE("a coroutine that cancels itself again and again doesn't grow the stack") {
    const Deferred<void> begin;
    Deferred<int> own = nullptr;
    std::uintptr_t stack = 0;
    own = cancelsItselfOften(own, begin, 20'000, stack);
    begin.callback();
    CHECK(defer::successResultOf(own) == 20'000);
    CHECK(stack == 0);
}

Deferred<void> isCancelledBeforeItSuspends(Deferred<void>& self, Deferred<void> begin,
                                           Deferred<void>& outside) {
    co_await begin;
    self.cancel();
    const Deferred<void>& awaited = outside;
    co_await awaited;
}

TEST_CASE("the canceller may drop the handle that is awaited") {
    const Deferred<void> begin;
    Deferred<void> outside = nullptr;
    outside = Deferred<void>([&outside] { outside = nullptr; });
    Deferred<void> own = nullptr;
    own = isCancelledBeforeItSuspends(own, begin, outside);
    begin.callback();
    defer::failureResultOf<CancelledError>(own);
    CHECK_FALSE(outside);
}

// A request that comes at another time.

TEST_CASE("cancelling one that has ended does nothing") {
    const Deferred<int> own = passesOn(defer::succeed(1));
    own.cancel();
    CHECK(defer::successResultOf(own) == 1);
}

TEST_CASE("cancelling one that waits on a paused Deferred, which has its result, does nothing") {
    const Deferred<int> d;
    d.pause();
    d.callback(3);
    const Deferred<int> own = passesOn(d);
    own.cancel();
    d.unpause();
    CHECK(defer::successResultOf(own) == 3);
}

TEST_CASE("cancelling one that was abandoned fails it, since nobody else can go on with it") {
    Deferred<int> d;
    const Deferred<int> own = passesOn(d);
    d = nullptr;
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
    CHECK_FALSE(own.called());
    own.cancel("gone");
    const Failure failure = defer::failureResultOf<CancelledError>(own);
    CHECK(failure.check<CancelledError>()->reason() == "gone");
    CHECK_NOTHROW(own.cancel());
}

TEST_CASE("also through what waits for it") {
    Deferred<int> d;
    const Deferred<int> own = passesOn(d);
    const Deferred<int> outer = passesOn(own);
    const Deferred<int> chained = defer::succeed(0).addCallback([&](int) { return outer; });
    d = nullptr;
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
    chained.cancel();
    defer::failureResultOf<CancelledError>(chained);
    CHECK(own.called());
}

TEST_CASE("a canceller that throws: the exception comes out of cancel(), and the wait goes on") {
    const Deferred<int> d([] { throw ValueError("out of a canceller"); });
    const Deferred<int> own = passesOn(d);
    CHECK_THROWS_AS(own.cancel(), ValueError);
    CHECK_FALSE(own.called());
    d.callback(1);
    CHECK(defer::successResultOf(own) == 1);
}

Deferred<int> holdsALocal(Deferred<int> d, int& alive) {
    const Counted local(alive);
    co_return co_await d;
}

TEST_CASE("a cancelled coroutine's locals and frame are gone when cancel() returns") {
    int alive = 0;
    const Deferred<int> d;
    const Deferred<int> own = holdsALocal(d, alive);
    CHECK(alive == 1);
    own.cancel();
    CHECK(alive == 0);
    defer::failureResultOf<CancelledError>(own);
}

TEST_CASE("a cancellation that nobody handles is reported at its own level") {
    probes::Events events;
    {
        const Deferred<int> d;
        passesOn(d).cancel();
    }
    REQUIRE_FALSE(events.all.empty());
    CHECK(events.all.back().level == log::LogLevel::cancelled);
    CHECK(defer::flushLoggedErrors<CancelledError>().size() == 1);
}

} // namespace
