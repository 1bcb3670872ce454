#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <ropewalk/task/clock.hpp>
#include <ropewalk/task/cooperator.hpp>

/// A Cooperator's scheduler whose ticks a test makes by hand.
struct FakeScheduler {
    struct Unit {
        std::move_only_function<void()> tick;
        bool cancelled = false;
    };
    /// What the Cooperator gets: it owns the tick, as a handle on a timed call does.
    struct Handle {
        std::shared_ptr<Unit> unit;
        void cancel() const { unit->cancelled = true; }
    };

    Handle operator()(std::move_only_function<void()> tick) {
        work.push_back(std::make_shared<Unit>(std::move(tick)));
        ++scheduled;
        return {work.back()};
    }
    /// Makes the ticks that are scheduled now and not cancelled.
    void pump() {
        for (const auto& unit : std::exchange(work, {})) {
            if (!unit->cancelled) {
                unit->tick();
            }
        }
    }
    int pending() const {
        int count = 0;
        for (const auto& unit : work) {
            count += unit->cancelled ? 0 : 1;
        }
        return count;
    }

    std::vector<std::shared_ptr<Unit>> work;
    int scheduled = 0;
};

/// A Cooperator that takes one step, or so many, in each tick of a FakeScheduler.
struct StepByStep {
    explicit StepByStep(int stepsPerTick = 1, bool started = true)
        : each(stepsPerTick), cooperator(clock, options(started)) {}

    ropewalk::task::CooperatorOptions options(bool started) {
        return {
            .terminationPredicateFactory = [this] { return [this, n = 0]() mutable { return ++n >= each; }; },
            .scheduler = [this](std::move_only_function<void()> tick) { return scheduler(std::move(tick)); },
            .started = started};
    }
    void pump(int ticks = 1) {
        for (int i = 0; i < ticks; ++i) {
            scheduler.pump();
        }
    }

    int each;
    FakeScheduler scheduler;
    ropewalk::task::Clock clock;
    ropewalk::task::Cooperator cooperator;
};
