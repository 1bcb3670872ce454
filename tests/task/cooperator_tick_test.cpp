#include <ropewalk/task/cooperator.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/task/clock.hpp>
#include <ropewalk/task/errors.hpp>

#include <defer/probes.hpp>
#include <task/fake_scheduler.hpp>

namespace defer = ropewalk::defer;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using defer::failureResultOf;
using defer::flushLoggedErrors;
using probes::Counted;
using ropewalk::ValueError;
using task::Clock;
using task::Cooperator;
using task::SchedulerStopped;
using task::Steps;

namespace {

Steps<> forever(int& steps, Counted) {
    for (;;) {
        ++steps;
        co_yield {};
    }
}

} // namespace

TEST_CASE("a scheduler whose handle owns its tick leaves no circle when the Cooperator goes") {
    std::weak_ptr<FakeScheduler::Unit> last;
    {
        StepByStep by;
        static_cast<void>(by.cooperator.coiterate(std::vector<int>{}));
        last = by.scheduler.work.back();
        by.pump();
        CHECK(by.scheduler.scheduled == 1);
    }
    CHECK(last.expired());
}

TEST_CASE(
    "ticks that are made though they were cancelled, or twice, or after the Cooperator went, do nothing") {
    std::vector<std::shared_ptr<FakeScheduler::Unit>> kept;
    int steps = 0;
    int alive = 0;
    {
        StepByStep by;
        const auto work = by.cooperator.cooperate(forever(steps, Counted(alive)));
        kept = by.scheduler.work;
        work.pause();
        CHECK(kept.at(0)->cancelled);
        kept.at(0)->tick();
        CHECK(steps == 0);
        CHECK(by.scheduler.pending() == 0);
        work.resume();
        kept.push_back(by.scheduler.work.back());
        work.stop();
    }
    for (const auto& unit : kept) {
        unit->tick();
    }
    CHECK(steps == 0);
    CHECK(alive == 0);
}

TEST_CASE("a scheduler that throws: whoever added the task is told, and nothing is broken") {
    Clock clock;
    bool fails = true;
    FakeScheduler scheduler;
    int steps = 0;
    int alive = 0;
    {
        Cooperator cooperator(clock, {.terminationPredicateFactory = [] { return [] { return true; }; },
                                      .scheduler =
                                          [&](std::move_only_function<void()> tick) {
                                              if (fails) {
                                                  throw ValueError("not now");
                                              }
                                              return scheduler(std::move(tick));
                                          }});
        CHECK_THROWS_WITH_AS(static_cast<void>(cooperator.coiterate(forever(steps, Counted(alive)))),
                             "not now", ValueError);
        fails = false;
        const auto work = cooperator.cooperate(forever(steps, Counted(alive)));
        CHECK(scheduler.pending() == 1);
        scheduler.pump();
        scheduler.pump();
        CHECK(steps == 2);
        work.stop();
        cooperator.stop();
        static_cast<void>(flushLoggedErrors<SchedulerStopped>());
    }
    CHECK(alive == 0);
}

TEST_CASE("a predicate that throws: the tick's caller is told, and the next tick comes") {
    Clock clock;
    FakeScheduler scheduler;
    int steps = 0;
    int alive = 0;
    Cooperator cooperator(
        clock,
        {.terminationPredicateFactory = [] { return []() -> bool { throw ValueError("no answer"); }; },
         .scheduler = [&](std::move_only_function<void()> tick) { return scheduler(std::move(tick)); }});
    const auto work = cooperator.cooperate(forever(steps, Counted(alive)));
    CHECK_THROWS_AS(scheduler.pump(), ValueError);
    CHECK(steps == 1);
    CHECK(scheduler.pending() == 1);
    CHECK_THROWS_AS(scheduler.pump(), ValueError);
    CHECK(steps == 2);
    work.stop();
}

TEST_CASE("a scheduler's handle that throws when it is cancelled is logged") {
    struct Stubborn {
        void cancel() const { throw ValueError("not cancelled"); }
    };
    Clock clock;
    int steps = 0;
    int alive = 0;
    {
        Cooperator cooperator(clock,
                              {.scheduler = [](std::move_only_function<void()>) { return Stubborn(); }});
        cooperator.cooperate(forever(steps, Counted(alive))).stop();
    }
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
    CHECK(alive == 0);
}

TEST_CASE("a factory of predicates that stops the Cooperator") {
    Clock clock;
    int steps = 0;
    int alive = 0;
    Cooperator* itself = nullptr;
    Cooperator cooperator(clock, {.terminationPredicateFactory = [&] {
                              itself->stop();
                              return [] { return true; };
                          }});
    itself = &cooperator;
    const auto done = cooperator.coiterate(forever(steps, Counted(alive)));
    clock.advance(1s);
    CHECK(steps == 0);
    CHECK(alive == 0);
    failureResultOf<SchedulerStopped>(done);
}

TEST_CASE("a step that turns the clock makes no tick within its own") {
    Clock clock;
    Cooperator cooperator(clock);
    int depth = 0;
    int deepest = 0;
    int steps = 0;
    static_cast<void>(cooperator.coiterate([&] {
        if (++steps > 50) {
            throw ropewalk::StopIteration();
        }
        deepest = std::max(deepest, ++depth);
        clock.advance(1s);
        --depth;
    }));
    for (int i = 0; i < 100; ++i) {
        clock.advance(1s);
    }
    CHECK(deepest == 1);
    CHECK(steps == 51);
}
