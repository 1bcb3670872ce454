#include "probes.hpp"

#include <ropewalk/defer/lock.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

// DeferredLock and DeferredSemaphore with callbacks: statements 84 to 87.
namespace {

using namespace ropewalk;
using defer::CancelledError;
using defer::Deferred;
using defer::DeferredLock;
using defer::DeferredSemaphore;
using probes::contains;
using probes::Counted;
using probes::Words;

TEST_CASE("84.1: acquire fires with the lock itself") {
    DeferredLock lock;
    CHECK(defer::successResultOf(lock.acquire()) == &lock);
}

TEST_CASE("84.2: at once if it is free") {
    DeferredLock lock;
    CHECK_FALSE(lock.locked());
    CHECK(lock.acquire().called());
    CHECK(lock.locked());
}

TEST_CASE("84.3: else in the order in which they asked") {
    DeferredLock lock;
    Words seen;
    lock.acquire();
    for (const char* name : {"first", "second", "third"}) {
        lock.acquire().addCallback([&seen, name] { seen.push_back(name); });
    }
    CHECK(seen.empty());
    CHECK(lock.waiting() == 3);
    lock.release();
    CHECK(seen == Words{"first"});
    lock.release();
    lock.release();
    CHECK(seen == Words{"first", "second", "third"});
    CHECK(lock.waiting() == 0);
    CHECK(lock.locked());
    lock.release();
    CHECK_FALSE(lock.locked());
}

TEST_CASE("84.4: release hands it over; nobody sees it unlocked between") {
    DeferredLock lock;
    bool lockedThen = false;
    lock.acquire();
    lock.acquire().addCallback([&] { lockedThen = lock.locked(); });
    lock.release();
    CHECK(lockedThen);
    CHECK(lock.locked());
    lock.release();
}

TEST_CASE("84.5: releasing an unlocked lock is an AssertionError") {
    DeferredLock lock;
    CHECK_THROWS_AS(lock.release(), AssertionError);
    lock.acquire();
    lock.release();
    CHECK_THROWS_AS(lock.release(), AssertionError);
    CHECK_FALSE(lock.locked());
}

TEST_CASE(
    "85.1: cancelling an acquire that waits takes it out of the queue, and fails it with CancelledError") {
    DeferredLock lock;
    lock.acquire();
    const Deferred<DeferredLock*> cancelled = lock.acquire();
    const Deferred<DeferredLock*> next = lock.acquire();
    cancelled.cancel();
    defer::failureResultOf<CancelledError>(cancelled);
    CHECK(lock.waiting() == 1);
    lock.release();
    CHECK(next.called());
    CHECK(lock.locked());
    lock.release();
    CHECK_FALSE(lock.locked());
}

TEST_CASE("85.2: cancelling one that has the lock has no effect") {
    DeferredLock lock;
    const Deferred<DeferredLock*> d = lock.acquire();
    d.cancel();
    CHECK(lock.locked());
    CHECK(defer::successResultOf(d) == &lock);
    lock.release();
}

TEST_CASE("85.2: also after it waited for it") {
    DeferredLock lock;
    lock.acquire();
    const Deferred<DeferredLock*> d = lock.acquire();
    lock.release();
    d.cancel();
    CHECK(lock.locked());
    CHECK(defer::successResultOf(d) == &lock);
}

TEST_CASE("86.1, 86.2: run holds the lock until the Deferred of the function fires, and releases it then") {
    DeferredLock lock;
    const Deferred<int> d;
    const Deferred<int> own = lock.run([&] { return d; });
    CHECK(lock.locked());
    defer::assertNoResult(own);
    d.callback(3);
    CHECK_FALSE(lock.locked());
    CHECK(defer::successResultOf(own) == 3);
}

TEST_CASE("86.1: the function is called when the lock is there, not before") {
    DeferredLock lock;
    bool called = false;
    lock.acquire();
    const Deferred<void> own = lock.run([&] { called = true; });
    CHECK_FALSE(called);
    lock.release();
    CHECK(called);
    CHECK_FALSE(lock.locked());
    defer::successResultOf(own);
}

TEST_CASE("86.3: it releases on failure too") {
    DeferredLock lock;
    SUBCASE("thrown") {
        const Deferred<int> own = lock.run([]() -> int { throw ValueError("thrown"); });
        CHECK_FALSE(lock.locked());
        CHECK(defer::failureResultOf<ValueError>(own).getErrorMessage() == "thrown");
    }
    SUBCASE("of the Deferred that was returned") {
        const Deferred<int> d;
        const Deferred<int> own = lock.run([&] { return d; });
        d.errback(ValueError("later"));
        CHECK_FALSE(lock.locked());
        CHECK(defer::failureResultOf<ValueError>(own).getErrorMessage() == "later");
    }
}

TEST_CASE("86.4: run gives what the function gave; the function gets the arguments") {
    DeferredLock lock;
    const Deferred<std::string> text =
        lock.run([](std::string a, int b) { return a + std::to_string(b); }, "n = ", 5);
    CHECK(defer::successResultOf(text) == "n = 5");
    const Deferred<std::unique_ptr<int>> owned =
        lock.run([](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(8));
    CHECK(*defer::successResultOf(owned) == 8);
    const Deferred<int> failed = lock.run([] { return Result<int>(std::unexpected(Failure(ValueError()))); });
    defer::failureResultOf<ValueError>(failed);
    CHECK_FALSE(lock.locked());
}

TEST_CASE("86.1: what the function captures, and its arguments, live as long as the lock is held") {
    DeferredLock lock;
    const Deferred<void> gate;
    const std::string text = "a text that is longer than a small string";
    const auto coroutine = [text, &gate](std::string extra) -> Deferred<std::string> {
        co_await gate;
        co_return text + extra;
    };
    const Deferred<std::string> own = lock.run(coroutine, text);
    const Deferred<std::string> second = lock.run(
        [text, &gate](std::string extra) -> Deferred<std::string> {
            co_await gate;
            co_return extra + text;
        },
        "and ");
    gate.callback();
    CHECK(defer::successResultOf(own) == text + text);
    CHECK(defer::successResultOf(second) == "and " + text);
}

TEST_CASE("86.1: cancelling run while it waits takes it out of the queue, and the function is never called") {
    DeferredLock lock;
    lock.acquire();
    bool called = false;
    const Deferred<void> own = lock.run([&] { called = true; });
    own.cancel();
    defer::failureResultOf<CancelledError>(own);
    CHECK(lock.waiting() == 0);
    CHECK(lock.locked());
    lock.release();
    CHECK_FALSE(called);
    CHECK_FALSE(lock.locked());
}

TEST_CASE("86.1: a function whose Deferred goes unfired holds the lock no longer") {
    DeferredLock lock;
    Deferred<int> d;
    lock.run([&] { return std::exchange(d, nullptr); });
    CHECK_FALSE(lock.locked());
}

TEST_CASE("86.1: cancelling run while the function runs cancels what that returned") {
    DeferredLock lock;
    const Deferred<int> d;
    const Deferred<int> own = lock.run([&] { return d; });
    own.cancel();
    CHECK(d.called());
    CHECK_FALSE(lock.locked());
    defer::failureResultOf<CancelledError>(own);
}

TEST_CASE("87.1: a semaphore of no tokens is a ValueError") {
    CHECK_THROWS_AS(DeferredSemaphore(0), ValueError);
    const DeferredSemaphore semaphore(1);
    CHECK(semaphore.limit() == 1);
    CHECK(semaphore.tokens() == 1);
}

TEST_CASE("87.2: who comes when no token is left waits") {
    DeferredSemaphore semaphore(3);
    for (std::size_t i = 3; i > 0; --i) {
        CHECK(semaphore.tokens() == i);
        CHECK(defer::successResultOf(semaphore.acquire()) == &semaphore);
    }
    CHECK(semaphore.tokens() == 0);
    const Deferred<DeferredSemaphore*> waits = semaphore.acquire();
    CHECK_FALSE(waits.called());
    CHECK(semaphore.waiting() == 1);
    semaphore.release();
    CHECK(waits.called());
}

TEST_CASE("87.3: release wakes who waits longest, and the tokens stay as they are") {
    DeferredSemaphore semaphore(1);
    Words seen;
    semaphore.acquire();
    for (const char* name : {"first", "second"}) {
        semaphore.acquire().addCallback([&seen, name] { seen.push_back(name); });
    }
    semaphore.release();
    CHECK(seen == Words{"first"});
    CHECK(semaphore.tokens() == 0);
    semaphore.release();
    CHECK(seen == Words{"first", "second"});
    semaphore.release();
    CHECK(semaphore.tokens() == 1);
}

TEST_CASE("87.4: more releases than acquires are an AssertionError") {
    DeferredSemaphore semaphore(2);
    CHECK_THROWS_AS(semaphore.release(), AssertionError);
    semaphore.acquire();
    semaphore.release();
    CHECK_THROWS_AS(semaphore.release(), AssertionError);
    CHECK(semaphore.tokens() == 2);
}

TEST_CASE("a semaphore runs as many at once as it has tokens") {
    DeferredSemaphore semaphore(2);
    Deferred<int> gates[3];
    int running = 0;
    Deferred<int> own[3] = {nullptr, nullptr, nullptr};
    for (int i = 0; i < 3; ++i) {
        own[i] = semaphore.run([&running, gate = gates[i]] {
            ++running;
            return gate;
        });
    }
    CHECK(running == 2);
    gates[1].callback(1);
    CHECK(running == 3);
    gates[0].callback(0);
    gates[2].callback(2);
    for (int i = 0; i < 3; ++i) CHECK(defer::successResultOf(own[i]) == i);
    CHECK(semaphore.tokens() == 2);
}

TEST_CASE("cancelling one that waits for a semaphore takes it out of the queue") {
    DeferredSemaphore semaphore(1);
    semaphore.acquire();
    const Deferred<DeferredSemaphore*> waits = semaphore.acquire();
    waits.cancel();
    CHECK(semaphore.waiting() == 0);
    defer::failureResultOf<CancelledError>(waits);
    semaphore.release();
    CHECK(semaphore.tokens() == 1);
}

TEST_CASE("a callback may release the lock that it was given, acquire it again, and run in it") {
    DeferredLock lock;
    Words seen;
    lock.acquire().addCallback([&](DeferredLock* held) {
        seen.push_back("has it");
        held->acquire().addCallback([&](DeferredLock* again) {
            seen.push_back("has it again");
            again->release();
        });
        held->run([&] { seen.push_back("runs"); });
        held->release();
        seen.push_back("released");
    });
    CHECK(seen == Words{"has it", "has it again", "runs", "released"});
    CHECK_FALSE(lock.locked());
}

// A lock that goes before those who wait for it, or hold it.

TEST_CASE(
    "a lock that goes lets go of those who wait: their callbacks are destroyed, a handle that is held stays unfired") {
    int closures = 0;
    Deferred<DeferredLock*> held = nullptr;
    {
        DeferredLock lock;
        lock.acquire();
        lock.acquire().addCallback([count = Counted(closures)] { FAIL("called"); });
        held = lock.acquire();
        CHECK(closures == 1);
    }
    CHECK(closures == 0);
    CHECK_FALSE(held.called());
    held.cancel();
    defer::failureResultOf<CancelledError>(held);
}

TEST_CASE("a lock may be destroyed by a callback that it fires, and while a function runs in it") {
    auto lock = std::make_unique<DeferredLock>();
    SUBCASE("in acquire's callback") {
        lock->acquire();
        lock->acquire().addCallback([&] { lock = nullptr; });
        lock->release();
        CHECK(lock == nullptr);
    }
    SUBCASE("in the function that runs in it") {
        const Deferred<int> own = lock->run([&] {
            lock = nullptr;
            return 4;
        });
        CHECK(defer::successResultOf(own) == 4);
    }
    SUBCASE("before that function's Deferred fires") {
        const Deferred<int> d;
        const Deferred<int> own = lock->run([&] { return d; });
        lock = nullptr;
        d.callback(5);
        CHECK(defer::successResultOf(own) == 5);
    }
}

TEST_CASE("what is destroyed with a lock may use its other waiters") {
    Deferred<DeferredLock*> second = nullptr;
    bool cancelled = false;
    {
        DeferredLock lock;
        lock.acquire();
        lock.acquire().addCallback([use = probes::AtExit([&] {
                                        second.cancel();
                                        cancelled = true;
                                    })] {});
        second = lock.acquire();
    }
    CHECK(cancelled);
    defer::failureResultOf<CancelledError>(second);
}

} // namespace
