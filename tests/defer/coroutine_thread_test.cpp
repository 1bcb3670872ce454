// labels: threads
#include "probes.hpp"

#include <ropewalk/defer/config.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/living.hpp>
#include <ropewalk/defer/lock.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// What a thread leaves behind: its end destroys the coroutines that still wait in it.
namespace {

using namespace ropewalk;
using defer::Deferred;
using probes::contains;
using probes::Counted;
using probes::Words;

template <class F>
void inAThread(F function) {
    std::thread(std::move(function)).join();
}

Deferred<void> waits(Deferred<void> d, int& alive) {
    const Counted local(alive);
    co_await d;
}

Deferred<void> waitsOnItsOwn(int& alive) {
    const Counted local(alive);
    Deferred<void> d;
    co_await d;
}

Deferred<void> waitsOnAnother(Deferred<void> d, int& alive) {
    const Counted local(alive);
    co_await d;
}

TEST_CASE("a coroutine that keeps itself is destroyed at its thread's end, with a word in the log") {
    probes::Events events;
    int alive = 0;
    inAThread([&] {
        waitsOnItsOwn(alive);
        CHECK(alive == 1);
    });
    CHECK(alive == 0);
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
    REQUIRE(events.all.size() == 1);
    CHECK(contains(events.all[0].text, "abandoned: waitsOnItsOwn, waiting at "));
}

TEST_CASE("so are those that wait for it, and those that hang on handles that outlive the thread") {
    int alive = 0;
    Deferred<void> outlives = nullptr;
    Deferred<void> own = nullptr;
    inAThread([&] {
        waitsOnAnother(waitsOnItsOwn(alive), alive);
        outlives = Deferred<void>();
        own = waits(outlives, alive);
        CHECK(alive == 3);
    });
    CHECK(alive == 0);
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 3);
}

TEST_CASE("handles that outlive their thread can be dropped, and what was to run on them is destroyed") {
    int alive = 0;
    int closures = 0;
    Deferred<void> unfired = nullptr;
    Deferred<void> fired = nullptr;
    Deferred<void> own = nullptr;
    inAThread([&] {
        unfired = Deferred<void>();
        unfired.addCallback([count = Counted(closures)] {});
        fired = defer::succeed();
        own = waits(unfired, alive);
    });
    CHECK(alive == 0);
    CHECK(closures == 1);
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
    const std::size_t before = defer::livingDeferreds().size();
    const Deferred<void> here;
    own = nullptr;
    unfired = nullptr;
    fired = nullptr;
    CHECK(closures == 0);
    CHECK(defer::livingDeferreds().size() == before + ROPEWALK_CHECKS);
}

TEST_CASE("the lists of two threads are apart") {
    int alive = 0;
    const Deferred<void> d;
    waits(d, alive);
    CHECK(defer::livingCoroutines().size() == 1);
    inAThread([&] {
        CHECK(defer::livingCoroutines().empty());
        int aliveThere = 0;
        const Deferred<void> there;
        waits(there, aliveThere);
        waits(there, aliveThere);
        CHECK(defer::livingCoroutines().size() == 2);
        there.callback();
        CHECK(defer::livingCoroutines().empty());
    });
    CHECK(defer::livingCoroutines().size() == 1);
    d.callback();
    CHECK(alive == 0);
}

Deferred<void> startsAnotherWhenItGoes(int& alive, Deferred<void>& kept, int generations) {
    const probes::AtExit local([&alive, &kept, generations] {
        if (generations > 0) startsAnotherWhenItGoes(alive, kept, generations - 1);
    });
    const Counted count(alive);
    Deferred<void> d;
    co_await d;
}

TEST_CASE("a coroutine that is started by the destructors at the thread's end goes too") {
    int alive = 0;
    Deferred<void> kept = nullptr;
    inAThread([&] { startsAnotherWhenItGoes(alive, kept, 3); });
    CHECK(alive == 0);
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 4);
}

/// A variable of the thread, destroyed with it, that uses Deferreds in its destructor.
struct LateUser {
    LateUser() = default;
    LateUser(const LateUser&) = delete;
    LateUser& operator=(const LateUser&) = delete;
    ~LateUser() {
        if (done == nullptr) return;
        Deferred<int> d;
        int got = 0;
        d.addCallback([&](int n) { got = n; });
        d.callback(5);
        *done = got;
    }
    int* done = nullptr;
};

TEST_CASE(
    "a thread's variable may use Deferreds in its destructor, made before the first Deferred or after") {
    int before = 0;
    int after = 0;
    inAThread([&] {
        static thread_local LateUser early;
        early.done = &before;
        defer::succeed(1);
        static thread_local LateUser late;
        late.done = &after;
    });
    CHECK(before == 5);
    CHECK(after == 5);
}

/// A variable of the thread that starts a coroutine in its destructor.
struct LateStarter {
    LateStarter() = default;
    LateStarter(const LateStarter&) = delete;
    LateStarter& operator=(const LateStarter&) = delete;
    ~LateStarter() {
        if (alive != nullptr) waitsOnItsOwn(*alive);
    }
    int* alive = nullptr;
};

TEST_CASE(
    "a coroutine that a thread's variable starts in its destructor is destroyed if the thread's end still comes") {
    int alive = 0;
    inAThread([&] {
        defer::succeed(1);
        static thread_local LateStarter starter;
        starter.alive = &alive;
    });
    CHECK(alive == 0);
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
}

TEST_CASE("a coroutine that holds a lock at its thread's end gives it back") {
    bool locked = true;
    inAThread([&] {
        auto lock = std::make_unique<defer::DeferredLock>();
        const auto holds = [](defer::DeferredLock& held, Deferred<void> d) -> Deferred<void> {
            const auto hold = co_await held.hold();
            Deferred<void> never;
            co_await never;
            co_await d;
        };
        holds(*lock, Deferred<void>());
        CHECK(lock->locked());
        static thread_local std::unique_ptr<defer::DeferredLock> outlives;
        outlives = std::move(lock);
        locked = outlives->locked();
    });
    CHECK(locked);
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
}

TEST_CASE("many threads at once, each with its own coroutines") {
    std::atomic<int> fired = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&fired] {
            int alive = 0;
            for (int i = 0; i < 200; ++i) {
                const Deferred<void> d;
                const Deferred<void> own = waitsOnAnother(waits(d, alive), alive);
                own.addCallback([&fired] { ++fired; });
                d.callback();
            }
            waitsOnItsOwn(alive).cancel();
            CHECK(alive == 0);
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(fired == 800);
    CHECK(defer::flushLoggedErrors<defer::CancelledError>().size() == 4);
}

} // namespace
