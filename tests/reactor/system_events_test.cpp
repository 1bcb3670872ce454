#include <ropewalk/reactor/reactor.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <support/memory_driver.hpp>

using namespace std::chrono_literals;
using ropewalk::Reactor;
using ropewalk::SystemEventId;
using ropewalk::defer::Deferred;
using ropewalk::defer::flushLoggedErrors;

namespace {

using Calls = std::vector<std::string>;

struct Fixture : MemoryReactor {
    auto log(std::string name) {
        return [this, name] { calls.push_back(name); };
    }
    SystemEventId add(const char* phase, std::string name) {
        return reactor.addSystemEventTrigger(phase, "event", log(std::move(name)));
    }
    void fire() { reactor.fireSystemEvent("event"); }
    Calls calls;
};

} // namespace

TEST_CASE(
    "131.1, 131.3: the phases come in turn, and in each the triggers in the order in which they were added") {
    Fixture f;
    for (const char* phase : {"after", "during", "before"}) {
        for (const char* number : {" 1", " 2", " 3"}) {
            f.add(phase, std::string(phase) + number);
        }
    }
    f.fire();
    CHECK(f.calls == Calls{"before 1", "before 2", "before 3", "during 1", "during 2", "during 3", "after 1",
                           "after 2", "after 3"});
}

TEST_CASE("131.1: a shutdown goes through the three phases") {
    Fixture f;
    for (const char* phase : {"after", "before", "during"}) {
        f.reactor.addSystemEventTrigger(phase, "shutdown", f.log(phase));
    }
    f.reactor.callWhenRunning([&] {
        f.reactor.stop();
        CHECK(f.calls.empty());
    });
    f.reactor.run();
    CHECK(f.calls == Calls{"before", "during", "after"});
}

TEST_CASE("131.2: a Deferred returned by a before trigger delays the during phase") {
    Fixture f;
    Deferred<int> first;
    Deferred<void> second;
    f.reactor.addSystemEventTrigger("before", "event", [&] { return first; });
    f.reactor.addSystemEventTrigger(
        "before", "event",
        [&](std::string name) {
            f.log(std::move(name))();
            return second;
        },
        "second trigger");
    f.add("before", "third trigger");
    f.add("during", "during");
    f.add("after", "after");
    f.fire();
    CHECK(f.calls == Calls{"second trigger", "third trigger"});
    second.callback();
    CHECK(f.calls.size() == 2);
    first.callback(1);
    CHECK(f.calls == Calls{"second trigger", "third trigger", "during", "after"});
}

TEST_CASE("131.2: the reactor goes on running while a before trigger's Deferred delays the shutdown") {
    Fixture f;
    f.reactor.addSystemEventTrigger("before", "shutdown", [&]() -> Deferred<void> {
        Deferred<void> later;
        f.reactor.callLater(5s, [later] { later.callback(); });
        f.log("waiting")();
        co_await later;
        f.log("done")();
    });
    f.reactor.addSystemEventTrigger("during", "shutdown", f.log("during"));
    f.reactor.callWhenRunning([&] { f.reactor.stop(); });
    f.reactor.run();
    CHECK(f.calls == Calls{"waiting", "done", "during"});
    CHECK(f.reactor.seconds() == 5s);
}

TEST_CASE("131.2: a start is delayed likewise, and the reactor turns meanwhile") {
    Fixture f;
    Deferred<void> ready;
    f.reactor.addSystemEventTrigger("before", "startup", [&] {
        f.reactor.callLater(1s, [&] {
            CHECK_FALSE(f.reactor.running());
            f.log("fire")();
            ready.callback();
        });
        return ready;
    });
    f.reactor.callWhenRunning([&] {
        f.log("running")();
        f.reactor.stop();
    });
    f.reactor.run();
    CHECK(f.calls == Calls{"fire", "running"});
}

TEST_CASE("131.2: what triggers of other phases return delays nothing") {
    Fixture f;
    Deferred<int> never;
    f.reactor.addSystemEventTrigger("during", "event", [&] { return never; });
    f.reactor.addSystemEventTrigger("after", "event", [&] { return never; });
    f.add("after", "after");
    f.fire();
    CHECK(f.calls == Calls{"after"});
}

TEST_CASE("131.4: what a trigger throws is logged, and the others are called") {
    Fixture f;
    for (const char* phase : {"before", "during", "after"}) {
        f.reactor.addSystemEventTrigger(phase, "event", [] { throw std::runtime_error("trigger"); });
        f.add(phase, phase);
    }
    f.fire();
    CHECK(f.calls == Calls{"before", "during", "after"});
    CHECK(flushLoggedErrors<std::runtime_error>().size() == 3);
}

TEST_CASE("131.4: a Deferred that fails is logged and delays no longer") {
    Fixture f;
    Deferred<int> failing;
    f.reactor.addSystemEventTrigger("before", "event", [&] { return failing; });
    f.add("during", "during");
    f.fire();
    failing.errback(std::runtime_error("failed"));
    CHECK(f.calls == Calls{"during"});
    CHECK(flushLoggedErrors<std::runtime_error>().size() == 1);
}

TEST_CASE("a Deferred that is dropped unfired delays no longer") {
    Fixture f;
    Deferred<int> dropped;
    f.reactor.addSystemEventTrigger("before", "event", [&] { return dropped; });
    f.add("during", "during");
    f.fire();
    CHECK(f.calls.empty());
    dropped = nullptr;
    CHECK(f.calls == Calls{"during"});
}

TEST_CASE("a trigger's captures live until its Deferred has fired") {
    Fixture f;
    auto held = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = held;
    Deferred<void> later;
    f.reactor.addSystemEventTrigger("before", "event",
                                    [held = std::move(held), later, &f]() -> Deferred<void> {
                                        co_await later;
                                        f.calls.push_back(std::to_string(*held));
                                    });
    f.add("during", "during");
    f.fire();
    CHECK_FALSE(watch.expired());
    later.callback();
    CHECK(f.calls == Calls{"1", "during"});
    CHECK(watch.expired());
}

TEST_CASE("132.1: a phase that there isn't is a KeyError") {
    Fixture f;
    CHECK_THROWS_AS(f.add("sometime", "never"), ropewalk::KeyError);
    CHECK_THROWS_AS(f.add("", "never"), ropewalk::KeyError);
    f.fire();
    CHECK(f.calls.empty());
}

TEST_CASE("132.2: an empty function is an AssertionError") {
    Fixture f;
    CHECK_THROWS_AS(f.reactor.addSystemEventTrigger("before", "event", std::function<void()>()),
                    ropewalk::AssertionError);
    CHECK_THROWS_AS(f.reactor.callWhenRunning(static_cast<void (*)()>(nullptr)), ropewalk::AssertionError);
    CHECK_THROWS_AS(f.reactor.callFromThread(std::function<void(int)>(), 1), ropewalk::AssertionError);
    CHECK_THROWS_AS(f.reactor.callLater(1s, std::function<void()>()), ropewalk::AssertionError);
}

TEST_CASE("132.3: a trigger can be removed once, and then isn't called") {
    Fixture f;
    const SystemEventId id = f.add("before", "removed");
    const SystemEventId copy = id;
    f.add("before", "kept");
    f.reactor.removeSystemEventTrigger(id);
    CHECK_THROWS_AS(f.reactor.removeSystemEventTrigger(id), ropewalk::ValueError);
    CHECK_THROWS_AS(f.reactor.removeSystemEventTrigger(copy), ropewalk::ValueError);
    f.fire();
    CHECK(f.calls == Calls{"kept"});
}

TEST_CASE("132.4: an id that isn't one is a TypeError, one of another reactor's a ValueError") {
    SystemEventId foreign;
    CHECK_FALSE(foreign);
    {
        Fixture f;
        CHECK_THROWS_AS(f.reactor.removeSystemEventTrigger(foreign), ropewalk::TypeError);
        foreign = f.add("before", "event");
    }
    CHECK(foreign);
    auto padding = std::make_unique<Fixture>();
    CHECK_THROWS_AS(padding->reactor.removeSystemEventTrigger(foreign), ropewalk::ValueError);
}

TEST_CASE("132.5: a trigger is called once, and can't be removed from then on") {
    Fixture f;
    SystemEventId id;
    id = f.reactor.addSystemEventTrigger("before", "event", [&] {
        f.log("called")();
        CHECK_THROWS_AS(f.reactor.removeSystemEventTrigger(id), ropewalk::ValueError);
    });
    f.fire();
    f.fire();
    CHECK(f.calls == Calls{"called"});
    CHECK_THROWS_AS(f.reactor.removeSystemEventTrigger(id), ropewalk::ValueError);
}

TEST_CASE("132.6: an event that nobody has heard of is nothing") {
    Fixture f;
    f.reactor.fireSystemEvent("nothing of the kind");
    f.add("before", "before");
    f.reactor.fireSystemEvent("still nothing");
    CHECK(f.calls.empty());
}

TEST_CASE("triggers added and removed by triggers") {
    Fixture f;
    const SystemEventId removed = f.add("during", "removed");
    f.reactor.addSystemEventTrigger("before", "event", [&] {
        f.reactor.removeSystemEventTrigger(removed);
        f.add("before", "added before");
        f.add("during", "added during");
    });
    f.reactor.addSystemEventTrigger("after", "event", [&] { f.add("before", "next time"); });
    f.fire();
    CHECK(f.calls == Calls{"added before", "added during"});
    f.fire();
    CHECK(f.calls.back() == "next time");
}

TEST_CASE("an event that is fired within its own trigger goes on there, and each trigger is called once") {
    Fixture f;
    f.reactor.addSystemEventTrigger("before", "event", [&] { f.fire(); });
    f.add("before", "before");
    f.add("during", "during");
    f.fire();
    CHECK(f.calls == Calls{"before", "during"});
}

TEST_CASE("an event may be fired again while a Deferred delays it") {
    Fixture f;
    Deferred<void> slow;
    f.reactor.addSystemEventTrigger("before", "event", [&] { return slow; });
    f.add("during", "during");
    f.fire();
    f.fire();
    CHECK(f.calls == Calls{"during"});
    f.add("during", "again");
    slow.callback();
    CHECK(f.calls == Calls{"during", "again"});
}

TEST_CASE("a delayed shutdown that was cut short by a crash doesn't go on in the next run") {
    Fixture f;
    Deferred<void> slow;
    f.reactor.addSystemEventTrigger("before", "shutdown", [&] { return slow; });
    f.reactor.addSystemEventTrigger("during", "shutdown", f.log("during"));
    f.reactor.callWhenRunning([&] { f.reactor.stop(); });
    f.reactor.callLater(1s, [&] { f.reactor.crash(); });
    f.reactor.run();
    CHECK(f.calls.empty());
    f.reactor.callLater(1s, [&] {
        slow.callback();
        CHECK(f.calls.empty());
        CHECK(f.reactor.running());
        f.reactor.stop();
    });
    f.reactor.run();
    CHECK(f.calls == Calls{"during"});
}

TEST_CASE("a reactor may go while a Deferred delays one of its events") {
    Deferred<void> slow;
    auto held = std::make_shared<int>(1);
    {
        Fixture f;
        f.reactor.addSystemEventTrigger("before", "event", [&] { return slow; });
        f.reactor.addSystemEventTrigger("during", "event", [held] { FAIL("called"); });
        f.fire();
    }
    CHECK(held.use_count() == 1);
    slow.callback();
}
