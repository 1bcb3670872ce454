#include <ropewalk/task/filesystem_lock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/task/clock.hpp>
#include <support/memory_driver.hpp>

namespace defer = ropewalk::defer;

using namespace std::chrono_literals;
using defer::AlreadyTryingToLockError;
using defer::CancelledError;
using defer::Deferred;
using defer::failureResultOf;
using defer::successResultOf;
using ropewalk::Failure;
using ropewalk::IOError;
using ropewalk::Seconds;
using ropewalk::task::Clock;
using ropewalk::task::DeferredFilesystemLock;
using ropewalk::task::LockSystem;

namespace {

/// Links in memory. Process 1 lives; this one is 100.
struct Memory : LockSystem {
    std::error_code makeLink(const std::string& name, const std::string& target) override {
        ++tries;
        if (broken) {
            return std::make_error_code(std::errc::read_only_file_system);
        }
        return links.try_emplace(name, target).second ? std::error_code()
                                                      : std::make_error_code(std::errc::file_exists);
    }
    std::expected<std::string, std::error_code> readLink(const std::string& name) override {
        return links.at(name);
    }
    std::error_code remove(const std::string& name) override {
        links.erase(name);
        return {};
    }
    std::error_code findProcess(long) override { return {}; }
    long ownProcess() override { return 100; }

    int tries = 0;
    bool broken = false;
    std::map<std::string, std::string> links;
};

/// A lock that somebody else holds.
struct Held {
    Held() { hold(); }
    void hold() { system.links["lock"] = "1"; }
    void letGo() { system.links.clear(); }
    bool quiet() const { return clock.getDelayedCalls().empty(); }

    Memory system;
    Clock clock;
    DeferredFilesystemLock lock{"lock", clock, system};
};

} // namespace

TEST_CASE("91.1: a lock that is free is taken at once") {
    Held held;
    held.letGo();
    const Deferred<void> d = held.lock.deferUntilLocked(5s);
    successResultOf(d);
    CHECK(held.lock.locked());
    CHECK(held.quiet());
}

TEST_CASE("91.2: one that is held is tried again each second") {
    Held held;
    const Deferred<void> d = held.lock.deferUntilLocked();
    CHECK(held.system.tries == 1);
    for (int second = 1; second <= 5; ++second) {
        held.clock.advance(999ms);
        CHECK(held.system.tries == second);
        held.clock.advance(1ms);
        CHECK(held.system.tries == second + 1);
    }
    held.letGo();
    defer::assertNoResult(d);
    held.clock.advance(1s);
    successResultOf(d);
    CHECK(held.lock.locked());
    CHECK(held.quiet());
}

TEST_CASE("91.3: after the timeout the Deferred fails with TimeoutError") {
    Held held;
    const Deferred<void> d = held.lock.deferUntilLocked(2500ms);
    held.clock.pump({1s, 1s, 499ms});
    defer::assertNoResult(d);
    held.clock.advance(1ms);
    const Failure failure = failureResultOf<defer::TimeoutError>(d);
    CHECK(failure.check<defer::TimeoutError>()->seconds() == 2.5);
    CHECK(failure.getErrorMessage() == "(2.5, 'acquiring the lock lock')");
    CHECK_FALSE(held.lock.locked());
    CHECK(held.quiet());
}

TEST_CASE("91.4: while one waits, another fails with AlreadyTryingToLockError") {
    Held held;
    const Deferred<void> first = held.lock.deferUntilLocked();
    const Deferred<void> second = held.lock.deferUntilLocked(1s);
    failureResultOf<AlreadyTryingToLockError>(second);
    held.letGo();
    held.clock.advance(1s);
    successResultOf(first);
    held.lock.unlock();
    successResultOf(held.lock.deferUntilLocked());
}

TEST_CASE("91.5, 91.6: cancelled, it fails with CancelledError and leaves no timers") {
    for (const bool timed : {true, false}) {
        Held held;
        const Deferred<void> d =
            held.lock.deferUntilLocked(timed ? std::optional<Seconds>(5s) : std::nullopt);
        held.clock.advance(1s);
        d.cancel("enough");
        CHECK(failureResultOf<CancelledError>(d).getErrorMessage() == "enough");
        CHECK(held.quiet());
        CHECK_FALSE(held.lock.locked());
    }
}

TEST_CASE("91.7: success takes the timeout out") {
    Held held;
    const Deferred<void> d = held.lock.deferUntilLocked(10s);
    held.letGo();
    held.clock.advance(1s);
    successResultOf(d);
    CHECK(held.quiet());
    held.clock.advance(10s);
    CHECK(held.lock.locked());
}

TEST_CASE("91.8: after a timeout it may be used again, with a timeout or without") {
    Held held;
    const Deferred<void> first = held.lock.deferUntilLocked(1500ms);
    held.clock.pump({1s, 1s});
    failureResultOf<defer::TimeoutError>(first);
    const Deferred<void> second = held.lock.deferUntilLocked(1500ms);
    held.clock.pump({1s, 1s});
    failureResultOf<defer::TimeoutError>(second);
    const Deferred<void> third = held.lock.deferUntilLocked(10s);
    held.letGo();
    held.clock.advance(1s);
    successResultOf(third);
    CHECK(held.quiet());
}

TEST_CASE("the timeout of a DeferredFilesystemLock, and a cancellation, try a last time") {
    Held held;
    const Deferred<void> late = held.lock.deferUntilLocked(500ms);
    held.letGo();
    held.clock.advance(500ms);
    successResultOf(late);
    CHECK(held.lock.locked());
    held.lock.unlock();
    held.hold();
    const Deferred<void> cancelled = held.lock.deferUntilLocked();
    held.letGo();
    cancelled.cancel();
    successResultOf(cancelled);
    CHECK(held.lock.locked());
    CHECK(held.quiet());
}

TEST_CASE("an error of the system is the failure of deferUntilLocked, whenever it comes") {
    Held held;
    held.system.broken = true;
    failureResultOf<IOError>(held.lock.deferUntilLocked(1s));
    CHECK(held.quiet());
    const auto later = [&](auto happens) {
        held.system.broken = false;
        const Deferred<void> d = held.lock.deferUntilLocked(1500ms);
        held.system.broken = true;
        happens(d);
        CHECK(failureResultOf<IOError>(d).template check<IOError>()->code() ==
              std::errc::read_only_file_system);
        CHECK(held.quiet());
    };
    later([&](const Deferred<void>&) { held.clock.advance(1s); });
    later([&](const Deferred<void>& d) { d.cancel(); });
    later([&](const Deferred<void>&) {
        held.system.broken = false;
        held.clock.advance(1s);
        held.system.broken = true;
        held.clock.advance(500ms);
    });
}

TEST_CASE("a DeferredFilesystemLock is used anew within a callback of its Deferred") {
    Held held;
    std::vector<std::string> log;
    Deferred<void> second = nullptr;
    held.lock.deferUntilLocked().addCallback([&] {
        log.push_back("first");
        held.lock.unlock();
        second = held.lock.deferUntilLocked();
        second.addCallback([&] { log.push_back("second"); });
    });
    held.letGo();
    held.clock.advance(1s);
    CHECK(log == std::vector<std::string>{"first", "second"});
}

TEST_CASE("a coroutine waits for a DeferredFilesystemLock") {
    Held held;
    const Deferred<bool> d = [](Held& by) -> Deferred<bool> {
        co_await by.lock.deferUntilLocked();
        const bool had = by.lock.locked();
        by.lock.unlock();
        co_return had;
    }(held);
    held.letGo();
    held.clock.advance(1s);
    CHECK(successResultOf(d));
    CHECK(held.system.links.empty());
}

TEST_CASE("a DeferredFilesystemLock that goes while it is waited for") {
    Memory system;
    system.links["lock"] = "1";
    Clock clock;
    Deferred<void> d = nullptr;
    bool fired = false;
    {
        DeferredFilesystemLock lock("lock", clock, system);
        d = lock.deferUntilLocked(5s);
        d.addBoth([&] { fired = true; });
        CHECK(clock.getDelayedCalls().size() == 2);
    }
    CHECK(clock.getDelayedCalls().empty());
    CHECK_FALSE(fired);
    d.cancel();
    CHECK(fired);
}

TEST_CASE("a DeferredFilesystemLock that goes within a callback of its Deferred") {
    Memory system;
    Clock clock;
    std::optional<DeferredFilesystemLock> lock;
    const auto waitFor = [&](std::optional<Seconds> timeout) {
        system.links["lock"] = "1";
        lock.emplace("lock", clock, system);
        const Deferred<void> d = lock->deferUntilLocked(timeout);
        d.addBoth([&] { lock.reset(); });
        return d;
    };
    waitFor(std::nullopt);
    system.links.clear();
    clock.advance(1s);
    CHECK_FALSE(lock);
    CHECK(system.links.empty());
    waitFor(500ms);
    clock.advance(500ms);
    CHECK_FALSE(lock);
    waitFor(500ms).cancel();
    CHECK_FALSE(lock);
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("a clock that goes before its DeferredFilesystemLock") {
    Memory system;
    system.links["lock"] = "1";
    std::optional<Clock> clock(std::in_place);
    DeferredFilesystemLock lock("lock", *clock, system);
    const Deferred<void> d = lock.deferUntilLocked(5s);
    clock.reset();
    defer::assertNoResult(d);
    d.cancel();
    failureResultOf<CancelledError>(d);
    const Deferred<void> never = lock.deferUntilLocked(5s);
    defer::assertNoResult(never);
    system.links.clear();
    never.cancel();
    successResultOf(never);
}

TEST_CASE("a DeferredFilesystemLock goes by the time of the thread's reactor") {
    MemoryReactor made;
    DeferredFilesystemLock lock("/nowhere/at/all/lock");
    failureResultOf<IOError>(lock.deferUntilLocked());
    CHECK(made.reactor.getDelayedCalls().empty());
    Memory system;
    system.links["lock"] = "1";
    DeferredFilesystemLock other("lock", made.reactor, system);
    made.reactor.callLater(2500ms, [&] { system.links.clear(); });
    other.deferUntilLocked().addCallback([&] { made.reactor.stop(); });
    made.reactor.run();
    CHECK(made.driver.time == 3000 * MemoryDriver::millisecond);
}
