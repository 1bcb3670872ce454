#include <ropewalk/task/cooperator.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/reactor/errors.hpp>
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
using defer::flushLoggedErrors;
using defer::successResultOf;
using probes::AtExit;
using probes::contains;
using probes::Counted;
using ropewalk::AbandonedError;
using ropewalk::Failure;
using ropewalk::ValueError;
using task::Clock;
using task::CooperativeTask;
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

Steps<> waiting(Deferred<int> d) {
    co_yield std::move(d);
}

/// The texts of what was abandoned meanwhile.
std::vector<std::string> abandoned() {
    std::vector<std::string> texts;
    for (const Failure& failure : flushLoggedErrors<AbandonedError>()) {
        texts.push_back(failure.getErrorMessage());
    }
    return texts;
}

} // namespace

TEST_CASE("a Cooperator that goes takes its tick out and its tasks with it; the log names each") {
    Clock clock;
    int alive = 0;
    int steps = 0;
    bool fired = false;
    std::optional<Cooperator> cooperator(std::in_place, clock);
    const auto done = cooperator->coiterate(forever(steps, Counted(alive)));
    done.addBoth([&] { fired = true; });
    static_cast<void>(cooperator->coiterate(forever(steps, Counted(alive))));
    CHECK(clock.getDelayedCalls().size() == 1);
    CHECK(alive == 2);
    cooperator.reset();
    CHECK(clock.getDelayedCalls().empty());
    CHECK(alive == 0);
    CHECK_FALSE(fired);
    CHECK_FALSE(done.called());
    const auto texts = abandoned();
    REQUIRE(texts.size() == 2);
    CHECK(contains(texts[0], "forever, whose Cooperator is gone"));
}

TEST_CASE("a Cooperator without tasks, never started, or stopped just goes") {
    Clock clock;
    { const Cooperator idle(clock); }
    { const Cooperator unstarted(clock, {.started = false}); }
    {
        Cooperator stopped(clock);
        stopped.stop();
    }
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("the task's Deferred can be cancelled after the Cooperator went") {
    Clock clock;
    int alive = 0;
    int steps = 0;
    std::optional<Cooperator> cooperator(std::in_place, clock);
    const auto done = cooperator->coiterate(forever(steps, Counted(alive)));
    cooperator.reset();
    CHECK(abandoned().size() == 1);
    done.cancel();
    failureResultOf<defer::CancelledError>(done);
}

TEST_CASE("whoever has a handle on a task whose Cooperator went learns that it is over") {
    Clock clock;
    int steps = 0;
    int alive = 0;
    std::optional<Cooperator> cooperator(std::in_place, clock);
    const auto task = cooperator->cooperate(forever(steps, Counted(alive)));
    const auto asked = task.whenDone();
    cooperator.reset();
    CHECK(alive == 0);
    CHECK(abandoned().size() == 1);
    CHECK_THROWS_AS(task.stop(), SchedulerStopped);
    CHECK_THROWS_AS(task.pause(), SchedulerStopped);
    defer::assertNoResult(asked);
    failureResultOf<SchedulerStopped>(task.whenDone());
}

TEST_CASE("a task that waits goes with its Cooperator, and what it waits for goes on") {
    Clock clock;
    Deferred<int> d;
    std::optional<Cooperator> cooperator(std::in_place, clock);
    const auto done = cooperator->coiterate(waiting(d));
    clock.advance(1s);
    cooperator.reset();
    CHECK(abandoned().size() == 1);
    CHECK_FALSE(d.called());
    d.callback(1);
    defer::assertNoResult(done);
}

TEST_CASE("a task that is paused goes with its Cooperator, also one that has a handle on itself") {
    Clock clock;
    int alive = 0;
    struct Worker {
        std::optional<CooperativeTask<>> task;
    };
    const auto steps = [](std::shared_ptr<Worker> self, bool pauses, Counted) -> Steps<> {
        co_yield {};
        if (pauses) {
            self->task->pause();
            co_yield {};
        }
        co_yield Deferred<int>();
    };
    for (const bool pauses : {true, false}) {
        std::optional<Cooperator> cooperator(std::in_place, clock);
        auto worker = std::make_shared<Worker>();
        worker->task = cooperator->cooperate(steps(worker, pauses, Counted(alive)));
        const CooperativeTask<> task = *worker->task;
        worker = nullptr;
        clock.advance(1s);
        CHECK(alive == 1);
        cooperator.reset();
        CHECK(alive == 0);
        CHECK(abandoned().size() == 1);
        failureResultOf<SchedulerStopped>(task.whenDone());
    }
}

TEST_CASE("a Cooperator may go in its own tick: in a step") {
    Clock clock;
    int alive = 0;
    int others = 0;
    std::optional<Cooperator> cooperator(std::in_place, clock);
    auto make = [](std::optional<Cooperator>& mine, Counted) -> Steps<> {
        co_yield {};
        mine.reset();
        co_yield {};
    };
    static_cast<void>(cooperator->coiterate(forever(others, Counted(alive))));
    static_cast<void>(cooperator->coiterate(make(cooperator, Counted(alive))));
    static_cast<void>(cooperator->coiterate(forever(others, Counted(alive))));
    clock.advance(1s);
    CHECK_FALSE(cooperator.has_value());
    CHECK(alive == 0);
    CHECK(others == 3);
    CHECK(abandoned().size() == 3);
    clock.advance(1s);
    CHECK(others == 3);
}

TEST_CASE("a Cooperator may go in its own tick: in the last step, which ends, fails, or waits") {
    for (const int how : {0, 1, 2}) {
        CAPTURE(how);
        Clock clock;
        Deferred<int> d;
        std::optional<Cooperator> cooperator(std::in_place, clock);
        auto make = [](std::optional<Cooperator>& mine, int what, Deferred<int> waitFor) -> Steps<> {
            mine.reset();
            if (what == 1) {
                throw ValueError();
            }
            if (what == 2) {
                co_yield waitFor;
            }
        };
        const auto done = cooperator->coiterate(make(cooperator, how, d));
        clock.advance(1s);
        if (how == 0) {
            successResultOf(done);
        } else if (how == 1) {
            failureResultOf<ValueError>(done);
        } else {
            CHECK(abandoned().size() == 1);
            d.callback(1);
            defer::assertNoResult(done);
        }
    }
}

TEST_CASE("a Cooperator may go in a callback of its task's Deferred") {
    Clock clock;
    int alive = 0;
    int others = 0;
    std::optional<Cooperator> cooperator(std::in_place, clock);
    cooperator->coiterate(std::vector<int>{1, 2}).addCallback([&] { cooperator.reset(); });
    static_cast<void>(cooperator->coiterate(forever(others, Counted(alive))));
    clock.advance(1s);
    CHECK_FALSE(cooperator.has_value());
    CHECK(alive == 0);
    CHECK(others == 2);
    CHECK(abandoned().size() == 1);
}

TEST_CASE("a Cooperator may go in the predicate, in its factory, and in the scheduler's tick") {
    Clock clock;
    int steps = 0;
    int alive = 0;
    SUBCASE("in the predicate") {
        std::optional<Cooperator> cooperator;
        cooperator.emplace(clock, task::CooperatorOptions{.terminationPredicateFactory = [&cooperator] {
                               return [&cooperator] {
                                   cooperator.reset();
                                   return false;
                               };
                           }});
        static_cast<void>(cooperator->coiterate(forever(steps, Counted(alive))));
        clock.advance(1s);
        CHECK(steps == 1);
    }
    SUBCASE("in its factory") {
        std::optional<Cooperator> cooperator;
        cooperator.emplace(clock, task::CooperatorOptions{.terminationPredicateFactory = [&cooperator] {
                               auto& here = cooperator;
                               here.reset();
                               return [] { return false; };
                           }});
        static_cast<void>(cooperator->coiterate(forever(steps, Counted(alive))));
        clock.advance(1s);
        CHECK(steps == 0);
    }
    CHECK(alive == 0);
    CHECK(abandoned().size() == 1);
}

TEST_CASE("the clock may go first") {
    int alive = 0;
    int steps = 0;
    std::optional<Clock> clock(std::in_place);
    std::optional<Cooperator> cooperator(std::in_place, *clock);
    const auto work = cooperator->cooperate(forever(steps, Counted(alive)));
    clock->advance(1s);
    CHECK(steps > 0);
    clock.reset();
    SUBCASE("then the Cooperator") {}
    SUBCASE("then the task is stopped") {
        work.stop();
    }
    SUBCASE("then the Cooperator is stopped") {
        cooperator->stop();
    }
    cooperator.reset();
    static_cast<void>(flushLoggedErrors<AbandonedError>());
}

TEST_CASE("the Cooperator and its clock may go together in a step") {
    int alive = 0;
    auto clock = std::make_unique<Clock>();
    std::optional<Cooperator> cooperator(std::in_place, *clock);
    auto make = [](std::optional<Cooperator>& mine, std::unique_ptr<Clock>& its, Counted) -> Steps<> {
        mine.reset();
        its.reset();
        co_yield {};
    };
    static_cast<void>(cooperator->coiterate(make(cooperator, clock, Counted(alive))));
    clock->advance(1s);
    CHECK(clock == nullptr);
    CHECK(alive == 0);
    CHECK(abandoned().size() == 1);
}

TEST_CASE("a tick that somebody else cancelled harms nobody") {
    Clock clock;
    int alive = 0;
    int steps = 0;
    {
        Cooperator cooperator(clock);
        const auto work = cooperator.cooperate(forever(steps, Counted(alive)));
        for (const auto& call : clock.getDelayedCalls()) {
            call.cancel();
        }
        SUBCASE("when the Cooperator goes") {}
        SUBCASE("when the task is paused") {
            work.pause();
        }
        SUBCASE("when the task is stopped") {
            work.stop();
        }
        SUBCASE("when the Cooperator is stopped") {
            cooperator.stop();
        }
    }
    CHECK(alive == 0);
    CHECK(steps == 0);
    static_cast<void>(flushLoggedErrors<AbandonedError>());
}

TEST_CASE("a reactor's own Cooperator goes with it, and with its tasks") {
    int alive = 0;
    int steps = 0;
    Deferred<int> d;
    Deferred<void> done = nullptr;
    {
        MemoryReactor memory;
        static_cast<void>(task::cooperatorOf(memory.reactor).coiterate(forever(steps, Counted(alive))));
        done = task::cooperatorOf(memory.reactor).coiterate(waiting(d));
        CHECK(&task::cooperatorOf(memory.reactor) == &task::cooperatorOf(memory.reactor));
        memory.reactor.iterate();
        memory.reactor.iterate();
        CHECK(steps > 0);
    }
    CHECK(alive == 0);
    CHECK(abandoned().size() == 2);
    d.callback(2);
    defer::assertNoResult(done);
}

TEST_CASE("the reactor goes before a Cooperator of one's own") {
    int alive = 0;
    int steps = 0;
    std::optional<MemoryReactor> memory(std::in_place);
    std::optional<Cooperator> cooperator(std::in_place, memory->reactor);
    const auto done = cooperator->coiterate(forever(steps, Counted(alive)));
    memory.reset();
    cooperator->stop();
    failureResultOf<SchedulerStopped>(done);
    CHECK(alive == 0);
}
