#include <ropewalk/reactor/reactor.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <support/memory_driver.hpp>

using namespace std::chrono_literals;
using ropewalk::DelayedCall;
using ropewalk::Firer;
using ropewalk::Reactor;
using ropewalk::ScopedCall;
using ropewalk::SystemEventId;
using ropewalk::defer::Deferred;
using ropewalk::defer::flushLoggedErrors;

TEST_CASE("a reactor that goes destroys what it holds, uncalled") {
    auto held = std::make_shared<int>(1);
    {
        MemoryReactor made;
        made.reactor.callLater(0s, [held] { FAIL("called"); });
        made.reactor.callLater(1000000s, [held] { FAIL("called"); });
        made.reactor.callWhenRunning([held] { FAIL("called"); });
        made.reactor.addSystemEventTrigger("before", "shutdown", [held] { FAIL("called"); });
        made.reactor.callFromThread([held] { FAIL("called"); });
        CHECK(held.use_count() == 6);
    }
    CHECK(held.use_count() == 1);
}

TEST_CASE("handles that outlive their reactor do nothing") {
    DelayedCall pending;
    DelayedCall cancelled;
    DelayedCall run;
    ScopedCall scoped;
    SystemEventId id;
    {
        MemoryReactor made;
        pending = made.reactor.callLater(5s, [] { FAIL("called"); });
        cancelled = made.reactor.callLater(5s, [] { FAIL("called"); });
        run = made.reactor.callLater(0s, [] {});
        scoped = made.reactor.callLater(5s, [] { FAIL("called"); });
        id = made.reactor.callWhenRunning([] { FAIL("called"); });
        cancelled.cancel();
        made.reactor.iterate();
    }
    CHECK_FALSE(pending.active());
    CHECK(pending.getTime() == 5s);
    pending.cancel();
    pending.reset(1s);
    pending.delay(1s);
    CHECK(pending.str().find("its reactor is gone") != std::string::npos);
    CHECK_THROWS_AS(cancelled.cancel(), ropewalk::AlreadyCancelled);
    CHECK_THROWS_AS(run.cancel(), ropewalk::AlreadyCalled);
    CHECK_FALSE(scoped.active());
    scoped.cancel();
    CHECK(id);
}

TEST_CASE("a firer that outlives its reactor does nothing, in whatever thread") {
    std::optional<Firer<std::string>> called;
    std::optional<Firer<int>> dropped;
    Deferred<std::string> d;
    {
        MemoryReactor made;
        called.emplace(made.reactor.firer(d));
        dropped.emplace(made.reactor.firer(Deferred<int>()));
    }
    std::thread([&] {
        (*called)("too late");
        dropped.reset();
        called.reset();
    }).join();
    CHECK_FALSE(d.called());
}

TEST_CASE("a firer's Deferred goes with the reactor, and a coroutine that waits for it is abandoned") {
    std::optional<Firer<int>> firer;
    {
        MemoryReactor made;
        [](Reactor& reactor, std::optional<Firer<int>>& into) -> Deferred<void> {
            Deferred<int> d;
            into.emplace(reactor.firer(d));
            co_await std::move(d);
            FAIL("fired");
        }(made.reactor, firer);
    }
    CHECK(flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
    (*firer)(1);
}

TEST_CASE("a fire that is on its way when the reactor goes is dropped") {
    Deferred<int> d;
    {
        MemoryReactor made;
        auto fire = made.reactor.firer(d);
        fire(1);
    }
    CHECK_FALSE(d.called());
}

TEST_CASE("suspended coroutines go with their thread's reactor") {
    auto held = std::make_shared<int>(1);
    Deferred<void> never;
    {
        MemoryReactor made;
        made.reactor.callLater(0s, [held, &never]() -> Deferred<void> {
            auto alsoHeld = held;
            co_await never;
        });
        made.reactor.iterate();
        CHECK(held.use_count() == 3);
    }
    CHECK(held.use_count() == 1);
    CHECK(flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
}

namespace {

/// Uses a reactor when it is destroyed.
struct Restless {
    explicit Restless(Reactor& theReactor) : reactor(&theReactor) {}
    Restless(Restless&& other) noexcept : reactor(std::exchange(other.reactor, nullptr)) {}
    ~Restless() {
        if (reactor == nullptr) {
            return;
        }
        const DelayedCall call = reactor->callLater(0s, [] { FAIL("called"); });
        CHECK_FALSE(call.active());
        call.cancel();
        reactor->callWhenRunning([] { FAIL("called"); });
        reactor->addSystemEventTrigger("before", "shutdown", [] { FAIL("called"); });
        reactor->callFromThread([] { FAIL("called"); });
        Deferred<void> d;
        reactor->firer(d);
        CHECK_FALSE(d.called());
        CHECK(&ropewalk::reactor() == reactor);
    }
    void operator()() {}
    Reactor* reactor;
};

} // namespace

TEST_CASE("a reactor may be used while it is being destroyed, in vain") {
    MemoryReactor made;
    made.reactor.callLater(0s, Restless(made.reactor));
    made.reactor.callLater(5s, Restless(made.reactor));
    made.reactor.callWhenRunning(Restless(made.reactor));
    made.reactor.callFromThread(Restless(made.reactor));
}

TEST_CASE("a call's function may destroy all handles on the call, and other calls, while it runs") {
    MemoryReactor made;
    auto handles = std::make_shared<std::pair<DelayedCall, ScopedCall>>();
    int run = 0;
    handles->first = made.reactor.callLater(1s, [&run, handles]() mutable {
        handles->first = nullptr;
        handles->second = ScopedCall();
        handles.reset();
        ++run;
    });
    handles->second = made.reactor.callLater(1s, [] { FAIL("called"); });
    const std::weak_ptr<std::pair<DelayedCall, ScopedCall>> watch = handles;
    handles.reset();
    made.reactor.callLater(2s, [&] { made.reactor.stop(); });
    made.reactor.run();
    CHECK(run == 1);
    CHECK(watch.expired());
}

TEST_CASE("a function that is destroyed by cancelling may cancel others") {
    MemoryReactor made;
    auto chain = std::make_shared<ScopedCall>(made.reactor.callLater(1s, [] { FAIL("called"); }));
    for (int i = 0; i < 10; ++i) {
        chain = std::make_shared<ScopedCall>(made.reactor.callLater(1s, [chain] { FAIL("called"); }));
    }
    CHECK(made.reactor.getDelayedCalls().size() == 11);
    chain->cancel();
    CHECK(made.reactor.getDelayedCalls().empty());
}
