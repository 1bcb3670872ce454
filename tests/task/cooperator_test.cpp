#include <ropewalk/task/cooperator.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/task/clock.hpp>
#include <ropewalk/task/errors.hpp>
#include <support/memory_driver.hpp>

#include <defer/probes.hpp>
#include <task/fake_scheduler.hpp>

namespace defer = ropewalk::defer;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using defer::Deferred;
using defer::failureResultOf;
using defer::successResultOf;
using ropewalk::Seconds;
using task::Clock;
using task::Cooperator;
using task::SchedulerStopped;
using task::Steps;

namespace {

Steps<> letters(std::string& log, std::string text) {
    for (const char letter : text) {
        log += letter;
        co_yield letter;
    }
}

/// Steps that take so long each, on that clock.
Steps<> slow(Clock& clock, Seconds each, int& steps, int most) {
    while (steps < most) {
        ++steps;
        clock.advance(each);
        co_yield {};
    }
}

/// Calls that stop when they have been made so often.
auto upTo(int& steps, int most) {
    return [&steps, most] {
        if (steps == most) {
            throw ropewalk::StopIteration();
        }
        ++steps;
    };
}

} // namespace

TEST_CASE(
    "109.1: a tick takes steps until 10 ms have gone by on the clock (DESIGN: its own, not the wall's)") {
    Clock clock;
    int steps = 0;
    Cooperator cooperator(clock);
    const auto done = cooperator.coiterate(slow(clock, 4ms, steps, 7));
    clock.advance(1ms);
    CHECK(steps == 3);
    clock.advance(1ms);
    CHECK(steps == 6);
    clock.advance(1ms);
    CHECK(steps == 7);
    successResultOf(done);
}

TEST_CASE("109.1: on a reactor too, which reads its driver's clock for it") {
    MemoryReactor memory;
    int steps = 0;
    Cooperator cooperator(memory.reactor);
    const auto done = cooperator.coiterate([&] {
        if (steps == 6) {
            throw ropewalk::StopIteration();
        }
        ++steps;
        memory.driver.time += 5 * MemoryDriver::millisecond;
    });
    memory.reactor.iterate();
    CHECK(steps == 2);
    memory.reactor.iterate();
    CHECK(steps == 4);
    memory.reactor.iterate();
    memory.reactor.iterate();
    successResultOf(done);
}

TEST_CASE("109.2: a tick takes one step at least") {
    Clock clock;
    int steps = 0;
    Cooperator cooperator(clock);
    const auto done = cooperator.coiterate(slow(clock, 1s, steps, 3));
    clock.advance(1ms);
    CHECK(steps == 1);
    clock.advance(1ms);
    CHECK(steps == 2);
    done.cancel();
    failureResultOf<defer::CancelledError>(done);

    StepByStep by;
    std::string log;
    static_cast<void>(by.cooperator.coiterate(letters(log, "xy")));
    by.pump();
    CHECK(log == "x");
    by.pump(2);
    CHECK(log == "xy");
}

TEST_CASE("109.3: the next tick is scheduled after 1e-8 s") {
    Clock clock;
    int steps = 0;
    Cooperator cooperator(clock);
    const auto done = cooperator.coiterate(slow(clock, 1s, steps, 100));
    REQUIRE(clock.getDelayedCalls().size() == 1);
    CHECK(clock.getDelayedCalls()[0].getTime() == Seconds(1e-8));
    clock.advance(1s);
    REQUIRE(clock.getDelayedCalls().size() == 1);
    CHECK(clock.getDelayedCalls()[0].getTime() == clock.seconds() + Seconds(1e-8));
    CHECK(steps == 1);
    done.cancel();
    failureResultOf<defer::CancelledError>(done);
}

TEST_CASE("109.4: a tick takes 10,000 steps at most (DESIGN)") {
    for (const int tasks : {1, 7, 100}) {
        CAPTURE(tasks);
        Clock clock;
        Cooperator cooperator(clock);
        int steps = 0;
        std::vector<Deferred<void>> all;
        all.reserve(static_cast<std::size_t>(tasks));
        for (int i = 0; i < tasks; ++i) {
            all.push_back(cooperator.coiterate(upTo(steps, 25'000)));
        }
        clock.advance(1ms);
        CHECK(steps == 10'000);
        clock.advance(1ms);
        CHECK(steps == 20'000);
        clock.advance(1ms);
        CHECK(steps == 25'000);
        for (const auto& done : all) {
            successResultOf(done);
        }
    }
}

TEST_CASE("where steps are long the clock is read after each; where they are short, after 32 at most") {
    MemoryReactor memory;
    int steps = 0;
    Cooperator cooperator(memory.reactor);
    std::int64_t each = MemoryDriver::millisecond;
    const auto work = cooperator.cooperate([&] {
        ++steps;
        memory.driver.time += each;
    });
    int before = memory.driver.clockReads;
    memory.reactor.iterate();
    CHECK(steps == 10);
    CHECK(memory.driver.clockReads - before >= steps);
    each = 0;
    steps = 0;
    before = memory.driver.clockReads;
    memory.reactor.iterate();
    CHECK(steps == 10'000);
    CHECK(memory.driver.clockReads - before >= 10'000 / 32);
    CHECK(memory.driver.clockReads - before <= 10'000 / 32 + 20);
    work.stop();
}

TEST_CASE("110.1: steps go round in the order in which the tasks came") {
    StepByStep by(100);
    std::string log;
    for (const char* text : {"abc", "123", "def", "456"}) {
        static_cast<void>(by.cooperator.coiterate(letters(log, text)));
    }
    by.pump();
    CHECK(log == "a1d4b2e5c3f6");
}

TEST_CASE("110.2: whose turn it is is kept from tick to tick") {
    for (const int stepsPerTick : {1, 2, 4, 5}) {
        CAPTURE(stepsPerTick);
        StepByStep by(stepsPerTick);
        std::string log;
        for (const char* text : {"abc", "12", "def"}) {
            static_cast<void>(by.cooperator.coiterate(letters(log, text)));
        }
        by.pump(20);
        CHECK(log == "a1db2ecf");
    }
}

TEST_CASE("110.3: a task that comes has its turn after those that are there") {
    StepByStep by;
    std::string log;
    static_cast<void>(by.cooperator.coiterate(letters(log, "abc")));
    static_cast<void>(by.cooperator.coiterate(letters(log, "123")));
    by.pump();
    static_cast<void>(by.cooperator.coiterate(letters(log, "xyz")));
    by.pump(20);
    CHECK(log == "a1xb2yc3z");
}

TEST_CASE("110.4: one that was paused, or has waited, comes after the others") {
    StepByStep by;
    std::string log;
    const auto first = by.cooperator.cooperate(letters(log, "abcd"));
    static_cast<void>(by.cooperator.cooperate(letters(log, "1234")));
    static_cast<void>(by.cooperator.cooperate(letters(log, "wxyz")));
    by.pump(3);
    first.pause();
    by.pump();
    first.resume();
    by.pump(20);
    CHECK(log == "a1w2xb3yc4zd");
}

TEST_CASE("117.1: stop fails its task with SchedulerStopped, and nothing is scheduled any more") {
    Clock clock;
    std::string log;
    Cooperator cooperator(clock);
    const auto done = cooperator.coiterate(letters(log, "abc"));
    cooperator.stop();
    failureResultOf<SchedulerStopped>(done);
    CHECK(clock.getDelayedCalls().empty());
    clock.advance(1s);
    CHECK(log.empty());
}

TEST_CASE("117.2: stop fails all tasks, however many, in their order (DESIGN: Q1 mended)") {
    for (const int tasks : {2, 3, 5, 100}) {
        Clock clock;
        Cooperator cooperator(clock);
        std::vector<int> stopped;
        std::vector<int> expected;
        std::string log;
        for (int i = 0; i < tasks; ++i) {
            expected.push_back(i);
            cooperator.coiterate(letters(log, "abc"))
                .addErrback([&stopped, i](const ropewalk::Failure& failure) {
                    failure.trap<SchedulerStopped>();
                    stopped.push_back(i);
                });
        }
        cooperator.stop();
        CHECK(stopped == expected);
    }
}

TEST_CASE("117.3: tasks that come while it is stopped fail at once, also into a Deferred that was given") {
    Clock clock;
    Cooperator cooperator(clock);
    cooperator.stop();
    std::string log;
    failureResultOf<SchedulerStopped>(cooperator.coiterate(letters(log, "abc")));
    Deferred<void> given;
    const auto returned = cooperator.coiterate(letters(log, "abc"), given);
    CHECK(returned == given);
    failureResultOf<SchedulerStopped>(given);
    CHECK(clock.getDelayedCalls().empty());
    CHECK(log.empty());
}

TEST_CASE("117.4: stop and pause of a task that failed so throw SchedulerStopped") {
    Clock clock;
    Cooperator cooperator(clock);
    std::string log;
    const auto before = cooperator.cooperate(letters(log, "abc"));
    cooperator.stop();
    CHECK_THROWS_AS(before.stop(), SchedulerStopped);
    CHECK_THROWS_AS(before.pause(), SchedulerStopped);
    const auto later = cooperator.cooperate(letters(log, "abc"));
    CHECK_THROWS_AS(later.stop(), SchedulerStopped);
    failureResultOf<SchedulerStopped>(later.whenDone());
}

TEST_CASE("117.5: start makes it usable again") {
    Clock clock;
    Cooperator cooperator(clock);
    std::string log;
    const auto first = cooperator.coiterate(letters(log, "abc"));
    const auto second = cooperator.coiterate(letters(log, "xyz"));
    cooperator.stop();
    failureResultOf<SchedulerStopped>(first);
    failureResultOf<SchedulerStopped>(second);
    cooperator.start();
    const auto third = cooperator.coiterate(letters(log, "123"));
    clock.advance(1s);
    successResultOf(third);
    CHECK(log == "123");
}

TEST_CASE("117.6: what waits, or is paused, when it is stopped fails when its next turn would come") {
    Clock clock;
    Cooperator cooperator(clock);
    Deferred<int> d;
    std::string log;
    auto make = [](Deferred<int> waitFor, std::string& into) -> Steps<> {
        co_yield waitFor;
        into += "went on";
    };
    const auto waits = cooperator.coiterate(make(d, log));
    const auto paused = cooperator.cooperate(letters(log, "abc"));
    paused.pause();
    clock.advance(1s);
    cooperator.stop();
    defer::assertNoResult(waits);
    d.callback(1);
    failureResultOf<SchedulerStopped>(waits);
    paused.resume();
    failureResultOf<SchedulerStopped>(paused.whenDone());
    CHECK(log.empty());
}

TEST_CASE("117.6: unless it was started again before") {
    Clock clock;
    Cooperator cooperator(clock);
    std::string log;
    const auto paused = cooperator.cooperate(letters(log, "abc"));
    paused.pause();
    cooperator.stop();
    cooperator.start();
    paused.resume();
    clock.advance(1s);
    CHECK(log == "abc");
}

TEST_CASE("stopping twice, and starting twice, is the same as once") {
    Clock clock;
    Cooperator cooperator(clock);
    std::string log;
    cooperator.start();
    const auto done = cooperator.coiterate(letters(log, "abc"));
    cooperator.start();
    CHECK(clock.getDelayedCalls().size() == 1);
    cooperator.stop();
    cooperator.stop();
    failureResultOf<SchedulerStopped>(done);
}

TEST_CASE("118.1: one that wasn't started schedules nothing until start") {
    Clock clock;
    Cooperator cooperator(clock, {.started = false});
    std::string log;
    const auto done = cooperator.coiterate(letters(log, "abc"));
    CHECK(clock.getDelayedCalls().empty());
    clock.advance(1s);
    CHECK(log.empty());
    cooperator.start();
    CHECK(clock.getDelayedCalls().size() == 1);
    CHECK(log.empty());
    clock.advance(1s);
    CHECK(log == "abc");
    successResultOf(done);
}

TEST_CASE("118.2: running means started, and not stopped") {
    Clock clock;
    Cooperator started(clock);
    CHECK(started.running());
    Cooperator cooperator(clock, {.started = false});
    CHECK_FALSE(cooperator.running());
    cooperator.start();
    CHECK(cooperator.running());
    cooperator.stop();
    CHECK_FALSE(cooperator.running());
    cooperator.start();
    CHECK(cooperator.running());
}

TEST_CASE("118.1: one that is stopped before it was started fails what it has") {
    Clock clock;
    Cooperator cooperator(clock, {.started = false});
    std::string log;
    const auto done = cooperator.coiterate(letters(log, "abc"));
    cooperator.stop();
    failureResultOf<SchedulerStopped>(done);
    CHECK_FALSE(cooperator.running());
}

TEST_CASE("119.1: one tick is scheduled, however many tasks there are") {
    StepByStep by;
    std::string log;
    for (int i = 0; i < 50; ++i) {
        static_cast<void>(by.cooperator.coiterate(letters(log, "ab")));
    }
    CHECK(by.scheduler.scheduled == 1);
    by.pump();
    CHECK(by.scheduler.pending() == 1);
    CHECK(by.scheduler.scheduled == 2);
    by.pump(200);
    CHECK(by.scheduler.pending() == 0);
}

TEST_CASE("119.2: removing the last task cancels the tick; removing others doesn't") {
    StepByStep by;
    std::string log;
    const auto first = by.cooperator.cooperate(letters(log, "12"));
    const auto second = by.cooperator.cooperate(letters(log, "12"));
    first.stop();
    CHECK(by.scheduler.pending() == 1);
    SUBCASE("by stop") {
        second.stop();
    }
    SUBCASE("by pause") {
        second.pause();
        CHECK(by.scheduler.pending() == 0);
        second.stop();
    }
    CHECK(by.scheduler.pending() == 0);
    CHECK(by.scheduler.scheduled == 1);
}

TEST_CASE("119.3: adding a task afterwards schedules a tick anew") {
    StepByStep by;
    std::string log;
    by.cooperator.cooperate(letters(log, "12")).stop();
    CHECK(by.scheduler.pending() == 0);
    static_cast<void>(by.cooperator.cooperate(letters(log, "1")));
    CHECK(by.scheduler.pending() == 1);
    CHECK(by.scheduler.scheduled == 2);
    by.pump(2);
    CHECK(log == "1");
    CHECK(by.scheduler.pending() == 0);
}

TEST_CASE("119.4: within a tick nothing is scheduled; after it, once") {
    StepByStep by(100);
    std::string log;
    Deferred<int> d;
    auto make = [](Cooperator& cooperator, std::string& into) -> Steps<> {
        co_yield cooperator.coiterate(letters(into, "a"));
        co_yield cooperator.coiterate(letters(into, "b"));
    };
    const auto done = by.cooperator.coiterate(make(by.cooperator, log));
    CHECK(by.scheduler.scheduled == 1);
    by.pump();
    CHECK(by.scheduler.scheduled == 1);
    CHECK(log == "ab");
    successResultOf(done);
}

TEST_CASE("120.1: in a callback of whenDone its task is gone: the Cooperator may be stopped there") {
    StepByStep by(100);
    std::string log;
    std::vector<std::string> phases;
    const auto work = by.cooperator.cooperate(letters(log, "a"));
    work.whenDone().addCallback([&] {
        phases.emplace_back("done");
        by.cooperator.stop();
        phases.emplace_back("stopped");
        CHECK_THROWS_AS(work.stop(), task::TaskDone);
    });
    const auto other = by.cooperator.coiterate(letters(log, "xyz"));
    by.pump();
    CHECK(phases == std::vector<std::string>{"done", "stopped"});
    failureResultOf<SchedulerStopped>(other);
    CHECK(log == "ax");
    successResultOf(work.whenDone());
}

TEST_CASE("120.2: and tasks may be added there, with as little scheduling as needed") {
    StepByStep by;
    std::vector<std::string> done;
    by.cooperator.coiterate(std::vector<int>{}).addCallback([&] {
        by.cooperator.coiterate(std::vector<int>{}).addCallback([&] { done.emplace_back("another"); });
    });
    CHECK(by.scheduler.pending() == 1);
    by.pump();
    CHECK(by.scheduler.pending() == 1);
    by.pump();
    CHECK(done == std::vector<std::string>{"another"});
    CHECK(by.scheduler.pending() == 0);
}

TEST_CASE("120.3: stop within stop: a callback of one that was stopped stops, starts and adds") {
    Clock clock;
    Cooperator cooperator(clock);
    std::string log;
    Deferred<void> added = nullptr;
    cooperator.coiterate(letters(log, "abc")).addErrback([&] {
        cooperator.stop();
        cooperator.start();
        added = cooperator.coiterate(letters(log, "new"));
    });
    const auto second = cooperator.coiterate(letters(log, "xyz"));
    const auto third = cooperator.coiterate(letters(log, "123"));
    cooperator.stop();
    failureResultOf<SchedulerStopped>(second);
    failureResultOf<SchedulerStopped>(third);
    CHECK(cooperator.running());
    clock.advance(1s);
    successResultOf(added);
    CHECK(log == "new");
}

TEST_CASE("a predicate is made for each tick, and asked after each step, the last one too") {
    Clock clock;
    FakeScheduler scheduler;
    int made = 0;
    int asked = 0;
    std::string log;
    Cooperator cooperator(
        clock,
        {.terminationPredicateFactory =
             [&] {
                 ++made;
                 return [&] { return ++asked % 3 == 0; };
             },
         .scheduler = [&](std::move_only_function<void()> tick) { return scheduler(std::move(tick)); }});
    const auto done = cooperator.coiterate(letters(log, "abcde"));
    CHECK(made == 0);
    scheduler.pump();
    CHECK(log == "abc");
    CHECK(made == 1);
    CHECK(asked == 3);
    scheduler.pump();
    CHECK(log == "abcde");
    CHECK(made == 2);
    CHECK(asked == 6);
    successResultOf(done);
}

TEST_CASE("a predicate may be steered by the steps") {
    Clock clock;
    bool over = false;
    std::vector<int> output;
    Cooperator cooperator(clock, {.terminationPredicateFactory = [&] { return [&] { return over; }; }});
    const auto done = cooperator.coiterate([&, n = 0]() mutable {
        output.push_back(n);
        over = n == 9;
        ++n;
    });
    clock.advance(1s);
    CHECK(output.size() == 10);
    done.cancel();
    failureResultOf<defer::CancelledError>(done);
}

TEST_CASE("a scheduler may be the clock's own callLater, and may make its tick at once") {
    Clock clock;
    std::string log;
    Cooperator later(clock, {.scheduler = [&](std::move_only_function<void()> tick) {
                         return clock.callLater(5s, std::move(tick));
                     }});
    const auto done = later.coiterate(letters(log, "abc"));
    clock.advance(4s);
    CHECK(log.empty());
    clock.advance(1s);
    CHECK(log == "abc");
    successResultOf(done);
    struct Nothing {
        void cancel() const {}
    };
    Cooperator atOnce(clock, {.scheduler = [](std::move_only_function<void()> tick) {
                          tick();
                          return Nothing();
                      }});
    successResultOf(atOnce.coiterate(letters(log, "xyz")));
    CHECK(log == "abcxyz");
}
