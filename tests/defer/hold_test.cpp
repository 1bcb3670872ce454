#include "probes.hpp"

#include <ropewalk/defer/lock.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// Locks in coroutines: `auto held = co_await lock.hold();` for Python's `async with lock`. Statement 88.
namespace {

using namespace ropewalk;
using defer::CancelledError;
using defer::Deferred;
using defer::DeferredLock;
using defer::DeferredSemaphore;
using probes::Counted;
using probes::Words;

template <class Lock>
Deferred<int> worksWith(Lock& lock, Deferred<int> d) {
    const auto held = co_await lock.hold();
    const int n = co_await d;
    co_return n;
}

TEST_CASE("88.1: a lock is held to the end of the block, and released by an exception, which goes on") {
    DeferredLock lock;
    const Deferred<int> d;
    const Deferred<int> own = worksWith(lock, d);
    CHECK(lock.locked());
    SUBCASE("a value") {
        d.callback(3);
        CHECK(defer::successResultOf(own) == 3);
    }
    SUBCASE("an exception") {
        d.errback(ValueError("inside"));
        CHECK(defer::failureResultOf<ValueError>(own).getErrorMessage() == "inside");
    }
    SUBCASE("a cancellation") {
        own.cancel();
        defer::failureResultOf<CancelledError>(own);
    }
    CHECK_FALSE(lock.locked());
}

TEST_CASE("88.2: a semaphore too") {
    DeferredSemaphore semaphore(2);
    const Deferred<int> d;
    const Deferred<int> own = worksWith(semaphore, d);
    CHECK(semaphore.tokens() == 1);
    SUBCASE("a value") {
        d.callback(3);
        CHECK(defer::successResultOf(own) == 3);
    }
    SUBCASE("an exception") {
        d.errback(ValueError("inside"));
        CHECK(defer::failureResultOf<ValueError>(own).getErrorMessage() == "inside");
    }
    CHECK(semaphore.tokens() == 2);
}

Deferred<void> saysItHolds(DeferredLock& lock, Words& seen, std::string name, Deferred<void> d) {
    const auto held = co_await lock.hold();
    seen.push_back(name + " has it");
    co_await d;
    seen.push_back(name + " ends");
}

TEST_CASE("coroutines get the lock one after the other") {
    DeferredLock lock;
    Words seen;
    const Deferred<void> first;
    const Deferred<void> second;
    saysItHolds(lock, seen, "first", first);
    saysItHolds(lock, seen, "second", second);
    CHECK(seen == Words{"first has it"});
    CHECK(lock.waiting() == 1);
    second.callback();
    CHECK(seen == Words{"first has it"});
    first.callback();
    CHECK(seen == Words{"first has it", "first ends", "second has it", "second ends"});
    CHECK_FALSE(lock.locked());
}

TEST_CASE(
    "cancelling one that waits for the lock takes it out of the queue, and raises CancelledError there") {
    DeferredLock lock;
    Words seen;
    lock.acquire();
    const Deferred<void> own = saysItHolds(lock, seen, "cancelled", Deferred<void>());
    own.cancel();
    defer::failureResultOf<CancelledError>(own);
    CHECK(lock.waiting() == 0);
    lock.release();
    CHECK_FALSE(lock.locked());
    CHECK(seen.empty());
}

TEST_CASE("a coroutine that is abandoned while it holds the lock gives it back") {
    DeferredLock lock;
    Words seen;
    Deferred<void> d;
    saysItHolds(lock, seen, "abandoned", d);
    CHECK(lock.locked());
    bool next = false;
    lock.acquire().addCallback([&] { next = true; });
    d = nullptr;
    CHECK(next);
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
}

Deferred<bool> releasesEarly(DeferredLock& lock, Deferred<void> d) {
    auto held = co_await lock.hold();
    held.release();
    const bool locked = lock.locked();
    co_await d;
    held.release();
    co_return locked;
}

TEST_CASE("release() gives it back before; once is enough") {
    DeferredLock lock;
    const Deferred<void> d;
    const Deferred<bool> own = releasesEarly(lock, d);
    lock.acquire();
    d.callback();
    CHECK(lock.locked());
    CHECK_FALSE(defer::successResultOf(own));
}

using Hold = DeferredLock::Hold;
static_assert(!std::is_copy_constructible_v<Hold>);
static_assert(std::is_nothrow_move_constructible_v<Hold>);
static_assert(std::is_nothrow_move_assignable_v<Hold>);

TEST_CASE("a Hold can be moved, and only the last one releases") {
    DeferredLock lock;
    DeferredLock other;
    {
        Hold held = defer::successResultOf(lock.hold());
        Hold moved = std::move(held);
        {
            const Hold again = std::move(moved);
            CHECK(lock.locked());
        }
        CHECK_FALSE(lock.locked());
        held = defer::successResultOf(lock.hold());
        Hold another = defer::successResultOf(other.hold());
        held = std::move(another);
        CHECK_FALSE(lock.locked());
        CHECK(other.locked());
    }
    CHECK_FALSE(other.locked());
}

TEST_CASE("a Hold that nobody took is released with its Deferred") {
    DeferredLock lock;
    {
        const Deferred<Hold> d = lock.hold();
        CHECK(lock.locked());
    }
    CHECK_FALSE(lock.locked());
    lock.acquire();
    lock.hold();
    lock.release();
    CHECK_FALSE(lock.locked());
}

TEST_CASE("a Hold of a lock that was released by hand: its destructor logs the AssertionError") {
    DeferredLock lock;
    {
        const Hold held = defer::successResultOf(lock.hold());
        lock.release();
    }
    CHECK(defer::flushLoggedErrors<AssertionError>().size() == 1);
    CHECK_FALSE(lock.locked());
}

// A lock that goes before those who wait for it, or hold it.

TEST_CASE("coroutines that wait for a lock that goes are abandoned") {
    Words seen;
    auto lock = std::make_unique<DeferredLock>();
    lock->acquire();
    saysItHolds(*lock, seen, "first", Deferred<void>());
    saysItHolds(*lock, seen, "second", Deferred<void>());
    lock = nullptr;
    CHECK(seen.empty());
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 2);
}

TEST_CASE("a coroutine that holds a lock that goes is none the worse") {
    const Deferred<int> d;
    auto lock = std::make_unique<DeferredLock>();
    const Deferred<int> own = worksWith(*lock, d);
    lock = nullptr;
    d.callback(6);
    CHECK(defer::successResultOf(own) == 6);
}

Deferred<void> usesTheLockWhenItGoes(DeferredLock* lock, DeferredLock* other, int& alive) {
    const probes::AtExit local([other] { other->release(); });
    const Counted count(alive);
    const auto held = co_await lock->hold();
}

TEST_CASE("the destructors of those who are abandoned with a lock may use other locks") {
    DeferredLock other;
    int alive = 0;
    other.acquire();
    auto lock = std::make_unique<DeferredLock>();
    lock->acquire();
    usesTheLockWhenItGoes(lock.get(), &other, alive);
    lock = nullptr;
    CHECK(alive == 0);
    CHECK_FALSE(other.locked());
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
}

Deferred<void> destroysTheLock(std::unique_ptr<DeferredLock>& lock, Deferred<void> d) {
    const auto held = co_await lock->hold();
    lock = nullptr;
    co_await d;
}

TEST_CASE("who holds a lock may destroy it") {
    auto lock = std::make_unique<DeferredLock>();
    const Deferred<void> d;
    const Deferred<void> own = destroysTheLock(lock, d);
    CHECK(lock == nullptr);
    d.callback();
    defer::successResultOf(own);
}

Deferred<int> takesTurns(DeferredLock& lock, int count, int& inside) {
    for (int i = 0; i < count; ++i) {
        const auto held = co_await lock.hold();
        CHECK(++inside == 1);
        co_await 1;
        --inside;
    }
    co_return count;
}

TEST_CASE("many turns don't grow the stack") {
    DeferredLock lock;
    int inside = 0;
    auto first = lock.acquire();
    std::vector<Deferred<int>> own;
    for (int i = 0; i < 10; ++i) own.push_back(takesTurns(lock, 1'000, inside));
    lock.release();
    for (const Deferred<int>& d : own) CHECK(defer::successResultOf(d) == 1'000);
    CHECK_FALSE(lock.locked());
}

} // namespace
