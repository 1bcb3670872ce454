#include <ropewalk/reactor/reactor.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <ropewalk/defer/logged_errors.hpp>
#include <support/memory_driver.hpp>

using namespace std::chrono_literals;
using ropewalk::Reactor;
using ropewalk::ReactorAlreadyRunning;
using ropewalk::ReactorNotRunning;
using ropewalk::defer::Deferred;
using ropewalk::defer::flushLoggedErrors;

namespace {

constexpr std::int64_t ms = MemoryDriver::millisecond;

using Calls = std::vector<std::string>;

struct Fixture : MemoryReactor {
    auto log(std::string name) {
        return [this, name] { calls.push_back(name); };
    }
    auto stop() {
        return [this] { reactor.stop(); };
    }
    void watchShutdown() {
        for (const char* phase : {"before", "during", "after"}) {
            reactor.addSystemEventTrigger(phase, "shutdown", log(phase));
        }
    }
    Calls calls;
};

} // namespace

TEST_CASE("129.1: what was given to callWhenRunning before is called in order, when the reactor runs") {
    Fixture f;
    for (const char* phase : {"after", "during", "before"}) {
        f.reactor.addSystemEventTrigger(phase, "startup", f.log(phase));
    }
    CHECK(f.reactor.callWhenRunning(f.log("first")));
    f.reactor.callWhenRunning(
        [&](const std::string& name, int number) { f.log(name + std::to_string(number))(); }, "number ", 2);
    f.reactor.callWhenRunning([&] { CHECK(f.reactor.running()); });
    f.reactor.callWhenRunning(f.stop());
    CHECK(f.calls.empty());
    f.reactor.run();
    CHECK(f.calls == Calls{"before", "during", "after", "first", "number 2"});
}

TEST_CASE("129.2: callWhenRunning calls at once while the reactor runs, and names no trigger then") {
    Fixture f;
    f.reactor.callLater(1s, [&] {
        CHECK_FALSE(f.reactor.callWhenRunning(f.log("at once")));
        f.log("afterwards")();
        CHECK_THROWS_AS(f.reactor.callWhenRunning([] { throw std::runtime_error("mine"); }),
                        std::runtime_error);
        f.reactor.stop();
    });
    f.reactor.run();
    CHECK(f.calls == Calls{"at once", "afterwards"});
}

TEST_CASE("callWhenRunning is for one start, and can be taken back") {
    Fixture f;
    f.reactor.callWhenRunning(f.log("once"));
    const auto id = f.reactor.callWhenRunning(f.log("never"));
    f.reactor.removeSystemEventTrigger(id);
    f.reactor.callWhenRunning(f.stop());
    f.reactor.run();
    f.reactor.callWhenRunning(f.stop());
    f.reactor.run();
    CHECK(f.calls == Calls{"once"});
}

TEST_CASE("callWhenRunning keeps the captures of a coroutine until it has ended") {
    Fixture f;
    Deferred<void> awaited;
    auto held = std::make_shared<std::string>("held");
    const std::weak_ptr<std::string> watch = held;
    f.reactor.callWhenRunning([held = std::move(held), &f, &awaited]() -> Deferred<void> {
        co_await awaited;
        f.log (*held)();
        f.reactor.stop();
    });
    f.reactor.callLater(1s, [&] {
        CHECK(watch.use_count() == 1);
        awaited.callback();
    });
    f.reactor.run();
    CHECK(f.calls == Calls{"held"});
    CHECK(watch.expired());
}

TEST_CASE("130.1: stop on a reactor that doesn't run throws ReactorNotRunning") {
    Fixture f;
    CHECK_THROWS_AS(f.reactor.stop(), ReactorNotRunning);
    f.reactor.callWhenRunning(f.stop());
    f.reactor.run();
    CHECK_THROWS_AS(f.reactor.stop(), ReactorNotRunning);
}

TEST_CASE("130.2: to stop twice throws ReactorNotRunning") {
    Fixture f;
    f.reactor.callWhenRunning([&] {
        f.reactor.stop();
        CHECK_THROWS_AS(f.reactor.stop(), ReactorNotRunning);
    });
    f.reactor.addSystemEventTrigger("before", "shutdown",
                                    [&] { CHECK_THROWS_AS(f.reactor.stop(), ReactorNotRunning); });
    f.reactor.run();
}

TEST_CASE("130.3: run within run throws ReactorAlreadyRunning, and the outer one goes on") {
    Fixture f;
    f.reactor.callWhenRunning([&] { CHECK_THROWS_AS(f.reactor.run(), ReactorAlreadyRunning); });
    f.reactor.callLater(1s, [&] {
        CHECK_THROWS_AS(f.reactor.run(false), ReactorAlreadyRunning);
        f.log("still running")();
    });
    f.reactor.callLater(2s, f.stop());
    f.reactor.run();
    CHECK(f.calls == Calls{"still running"});
}

TEST_CASE("130.4: a reactor that was stopped can run again") {
    Fixture f;
    for (int i = 0; i < 3; ++i) {
        const ropewalk::Seconds begun = f.reactor.seconds();
        f.reactor.callLater(1s, [&] {
            f.log("ran")();
            f.reactor.stop();
        });
        f.watchShutdown();
        f.reactor.run();
        CHECK(f.reactor.seconds() == begun + 1s);
        CHECK_FALSE(f.reactor.running());
        CHECK(f.calls == Calls{"ran", "before", "during", "after"});
        f.calls.clear();
    }
}

TEST_CASE("a timed call that was pending when the reactor stopped is made when it runs again") {
    Fixture f;
    f.reactor.callLater(2s, [&] {
        f.log("later")();
        f.reactor.stop();
    });
    f.reactor.callLater(1s, f.stop());
    f.reactor.run();
    CHECK(f.calls.empty());
    f.reactor.run();
    CHECK(f.calls == Calls{"later"});
}

TEST_CASE("130.5: crash ends the run without the events of the shutdown") {
    Fixture f;
    f.watchShutdown();
    f.reactor.callLater(1s, [&] { f.reactor.crash(); });
    f.reactor.callLater(1s, f.log("due with it"));
    f.reactor.callLater(2s, f.log("not any more"));
    f.reactor.run();
    CHECK_FALSE(f.reactor.running());
    CHECK(f.calls == Calls{"due with it"});
}

TEST_CASE("130.6: a reactor that crashed can run again") {
    Fixture f;
    f.reactor.callWhenRunning([&] {
        f.log("crash")();
        f.reactor.crash();
    });
    f.reactor.run();
    f.reactor.callWhenRunning([&] {
        CHECK(f.reactor.running());
        f.log("stop")();
        f.reactor.stop();
    });
    f.watchShutdown();
    f.reactor.run();
    CHECK(f.calls == Calls{"crash", "stop", "before", "during", "after"});
}

TEST_CASE(
    "135.1, 135.2: stop takes effect after the timed calls that are due with it; then comes the shutdown") {
    Fixture f;
    f.watchShutdown();
    f.reactor.callLater(1s, [&] {
        f.reactor.stop();
        f.log("stopped")();
        f.reactor.callLater(0s, f.log("too late"));
        CHECK(f.reactor.running());
    });
    f.reactor.callLater(1s, f.log("due with it"));
    f.reactor.run();
    CHECK(f.calls == Calls{"stopped", "due with it", "before", "during", "after"});
    CHECK(f.reactor.getDelayedCalls().size() == 1);
}

TEST_CASE("135.2: a stop by an event comes into effect without waiting for anything else") {
    Fixture f;
    f.watchShutdown();
    f.driver.at(5 * ms, f.stop());
    f.reactor.callLater(3600s, f.log("too late"));
    f.reactor.run();
    CHECK(f.calls == Calls{"before", "during", "after"});
    CHECK(f.driver.time == 5 * ms);
    CHECK(f.driver.polls.size() == 1);
}

TEST_CASE("running() is false before the start, in its first phase, and from the middle of the shutdown on") {
    Fixture f;
    CHECK_FALSE(f.reactor.running());
    f.reactor.addSystemEventTrigger("before", "startup", [&] { CHECK_FALSE(f.reactor.running()); });
    f.reactor.addSystemEventTrigger("during", "startup", [&] { CHECK(f.reactor.running()); });
    f.reactor.addSystemEventTrigger("before", "shutdown", [&] { CHECK(f.reactor.running()); });
    f.reactor.addSystemEventTrigger("during", "shutdown", [&] { CHECK_FALSE(f.reactor.running()); });
    f.reactor.callLater(1s, f.stop());
    f.reactor.run();
    CHECK_FALSE(f.reactor.running());
}

TEST_CASE("stop and crash may be called within triggers") {
    Fixture f;
    f.watchShutdown();
    f.reactor.addSystemEventTrigger("before", "startup", f.stop());
    f.reactor.run();
    CHECK(f.calls == Calls{"before", "during", "after"});
    f.calls.clear();
    f.watchShutdown();
    f.reactor.addSystemEventTrigger("before", "shutdown", [&] { f.reactor.crash(); });
    f.reactor.callWhenRunning(f.stop());
    f.reactor.run();
    CHECK(f.calls == Calls{"before", "during", "after"});
}

TEST_CASE("iterate makes one turn and then lets one round of events happen, without waiting") {
    Fixture f;
    f.reactor.callLater(0s, f.log("due"));
    f.reactor.callLater(5s, f.log("not due"));
    f.driver.at(0, f.log("event"));
    f.reactor.iterate();
    CHECK(f.calls == Calls{"due", "event"});
    CHECK(f.driver.polls == std::vector<std::int64_t>{0});
    CHECK_FALSE(f.reactor.running());
}

TEST_CASE("iterate waits for its delay, or until a timed call is due") {
    Fixture f;
    f.reactor.callLater(5s, f.log("call"));
    f.reactor.iterate(2s);
    CHECK(f.driver.time == 2000 * ms);
    f.reactor.iterate(20s);
    CHECK(f.driver.time == 5000 * ms);
    CHECK(f.calls.empty());
    f.reactor.iterate();
    CHECK(f.calls == Calls{"call"});
    f.driver.at(6000 * ms, f.log("event"));
    f.reactor.iterate(ropewalk::Seconds(1e300));
    CHECK(f.calls.back() == "event");
}

TEST_CASE("iterate within a timed call makes the rest of those that are due first") {
    Fixture f;
    f.reactor.callLater(1s, [&] {
        f.reactor.callLater(0s, f.log("next turn"));
        f.reactor.iterate();
        f.log("outer")();
    });
    f.reactor.callLater(1s, f.log("inner"));
    f.reactor.callLater(1s, f.stop());
    f.reactor.run();
    CHECK(f.calls == Calls{"inner", "next turn", "outer"});
}

TEST_CASE("iterate within what an event calls is refused") {
    Fixture f;
    f.driver.at(1, [&] {
        CHECK_THROWS_AS(f.reactor.iterate(), ropewalk::RuntimeError);
        CHECK_THROWS_AS(f.reactor.run(), ReactorAlreadyRunning);
        f.reactor.stop();
    });
    f.reactor.run();
}

TEST_CASE("an error of the driver's ends the run, and the reactor can run again") {
    Fixture f;
    CHECK_THROWS_WITH_AS(f.reactor.run(), "the reactor would wait for ever", std::logic_error);
    CHECK_FALSE(f.reactor.running());
    CHECK_THROWS_AS(f.reactor.stop(), ReactorNotRunning);
    f.reactor.callWhenRunning(f.stop());
    f.reactor.run();
}

TEST_CASE("134.1: callFromThread keeps the order") {
    Fixture f;
    for (const char* name : {"a", "b", "c"}) {
        f.reactor.callFromThread(f.log(name));
    }
    f.reactor.callFromThread([&](const std::string& name,
                                 std::unique_ptr<int> number) { f.log(name + std::to_string(*number))(); },
                             "d", std::make_unique<int>(4));
    f.reactor.callFromThread(&Reactor::crash, &f.reactor);
    CHECK(f.calls.empty());
    f.reactor.run();
    CHECK(f.calls == Calls{"a", "b", "c", "d4"});
}

TEST_CASE("134.2: calls from threads come before the timed calls of the turn") {
    Fixture f;
    f.reactor.callLater(0s, f.log("timed"));
    f.reactor.callLater(0s, f.stop());
    f.reactor.callFromThread(f.log("from thread"));
    f.reactor.run();
    CHECK(f.calls == Calls{"from thread", "timed"});
}

TEST_CASE("134.3: what is added while they are being made waits for the next turn, which comes at once") {
    Fixture f;
    f.reactor.callFromThread([&] {
        f.log("a")();
        f.reactor.callFromThread(f.log("c"));
        f.reactor.callFromThread(f.stop());
    });
    f.reactor.callFromThread(f.log("b"));
    f.reactor.callLater(0s, f.log("timed"));
    f.reactor.run();
    CHECK(f.calls == Calls{"a", "b", "timed", "c"});
    CHECK(f.driver.polls.size() == 1);
    CHECK(f.driver.polls[0] == 0);
}

TEST_CASE("an exception that escapes a call from a thread is logged, and the others are made") {
    Fixture f;
    f.reactor.callFromThread([] { throw std::runtime_error("from thread"); });
    f.reactor.callFromThread(f.stop());
    f.reactor.run();
    CHECK(flushLoggedErrors<std::runtime_error>().size() == 1);
}

TEST_CASE("callFromThread keeps the captures of a coroutine until it has ended") {
    Fixture f;
    auto held = std::make_shared<std::string>("held");
    const std::weak_ptr<std::string> watch = held;
    Deferred<void> awaited;
    f.reactor.callFromThread([held = std::move(held), &f, &awaited]() -> Deferred<void> {
        co_await awaited;
        f.log (*held)();
        f.reactor.stop();
    });
    f.reactor.callLater(1s, [&] { awaited.callback(); });
    f.reactor.run();
    CHECK(f.calls == Calls{"held"});
    CHECK(watch.expired());
}

TEST_CASE("a reactor says when a driver lacks something") {
    Fixture f;
    f.driver.hasSignals = false;
    CHECK_THROWS_AS(f.reactor.run(true), ropewalk::UnsupportedError);
    CHECK_FALSE(f.reactor.running());
    char bytes[4];
    CHECK_THROWS_AS(f.reactor.driver().random(bytes, sizeof bytes), ropewalk::UnsupportedError);
    f.reactor.callWhenRunning(f.stop());
    f.reactor.run();
}
