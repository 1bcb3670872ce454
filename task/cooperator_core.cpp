#include <ropewalk/task/cooperator_core.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/task/errors.hpp>
#include <ropewalk/task/ref.hpp>
#include <ropewalk/task/task_base.hpp>

namespace ropewalk::task::detail {

namespace {

constexpr Seconds soon{1e-8};

/// Says when it is time to let others have their turn: after 10 ms or 10,000 steps. Reading the clock takes longer than a
/// short step, so where steps are short it is read after several.
class Slice {
public:
    explicit Slice(const ropewalk::detail::ClockPointer& clock) : clock_(clock) {
        if (const ReactorTime* there = clock.get()) {
            looked_ = there->readTime();
            end_ = looked_ + longest;
        }
    }

    bool isOver() { return --unwatched_ == 0 && look(); }

private:
    static constexpr Seconds longest{0.01};
    static constexpr Seconds brief{25e-6};
    static constexpr int mostSteps = 10'000;
    static constexpr int mostUnwatched = 32;

    bool look() {
        const ReactorTime* clock = clock_.get();
        left_ -= stride_;
        if (left_ <= 0 || clock == nullptr) {
            return true;
        }
        const Seconds now = clock->readTime();
        if (now >= end_) {
            return true;
        }
        stride_ = now - looked_ < brief ? std::min(stride_ * 2, mostUnwatched) : 1;
        stride_ = std::min(stride_, left_);
        unwatched_ = stride_;
        looked_ = now;
        return false;
    }

    const ropewalk::detail::ClockPointer& clock_;
    Seconds looked_{0};
    Seconds end_{0};
    int left_ = mostSteps;
    int stride_ = 1;
    int unwatched_ = 1;
};

} // namespace

CooperatorCore::CooperatorCore(ReactorTime& clock, PredicateFactory predicates, Scheduler scheduler,
                               bool started)
    : clock_(clock),
      predicates_(std::move(predicates)),
      scheduler_(std::move(scheduler)),
      next_(&tasks_),
      started_(started) {
    tasks_.alone();
    waiting_.alone();
}

void CooperatorCore::add(TaskBase& task) {
    if (stopped_) {
        task.end(TaskBase::State::schedulerStopped, std::make_exception_ptr(SchedulerStopped()));
        return;
    }
    task.retain();
    task.place_ = TaskBase::Place::turns;
    tasks_.insert(task);
    if (next_ == &tasks_ && &task != current_) {
        next_ = &task;
    }
    schedule();
}

void CooperatorCore::remove(TaskBase& task) noexcept {
    const auto place = std::exchange(task.place_, TaskBase::Place::none);
    if (place == TaskBase::Place::none) {
        return;
    }
    if (next_ == &task) {
        next_ = task.next;
    }
    task.unlink();
    if (place == TaskBase::Place::waiting) {
        return;
    }
    if (tasks_.isAlone()) {
        unschedule();
    }
    task.release();
}

void CooperatorCore::park(TaskBase& task) noexcept {
    task.place_ = TaskBase::Place::waiting;
    waiting_.insert(task);
}

void CooperatorCore::start() {
    stopped_ = closed_;
    started_ = true;
    schedule();
}

void CooperatorCore::stop() {
    const Ref<CooperatorCore> kept(*this);
    stopped_ = true;
    unschedule();
    ropewalk::detail::Link ending;
    ending.alone();
    ending.insertAll(tasks_);
    next_ = &tasks_;
    while (!ending.isAlone()) {
        static_cast<TaskBase*>(ending.next)
            ->end(TaskBase::State::schedulerStopped, std::make_exception_ptr(SchedulerStopped()));
    }
}

void CooperatorCore::close() noexcept {
    const Ref<CooperatorCore> kept(*this);
    stopped_ = closed_ = true;
    unschedule();
    cancel_ = nullptr;
    clock_ = nullptr;
    for (ropewalk::detail::Link* list : {&tasks_, &waiting_}) {
        while (!list->isAlone()) {
            static_cast<TaskBase*>(list->next)->leave();
        }
    }
}

void CooperatorCore::schedule() {
    if (!started_ || stopped_ || ticking_ || scheduled_ || tasks_.isAlone()) {
        return;
    }
    if (scheduler_) {
        scheduled_ = true;
        try {
            cancel_ = scheduler_([core = Ref<CooperatorCore>(*this)] { core->tick(); });
        } catch (...) {
            scheduled_ = false;
            throw;
        }
    } else if (ReactorTime* clock = clock_.get()) {
        call_ = clock->callLater(soon, [this] { tick(); });
        scheduled_ = true;
    }
}

void CooperatorCore::unschedule() noexcept {
    if (!std::exchange(scheduled_, false)) {
        return;
    }
    if (call_.active()) {
        call_.cancel();
    }
    if (Cancel cancel = std::exchange(cancel_, nullptr)) {
        try {
            cancel();
        } catch (...) {
            log::failure("Exception out of what a Cooperator's scheduler gave to cancel its tick", Failure());
        }
    }
}

void CooperatorCore::tick() {
    if (ticking_ || !scheduled_) {
        return;
    }
    const Ref<CooperatorCore> kept(*this);
    scheduled_ = false;
    ticking_ = true;
    try {
        takeTurns();
    } catch (...) {
        rest();
        throw;
    }
    rest();
}

void CooperatorCore::rest() {
    current_ = nullptr;
    ticking_ = false;
    schedule();
}

void CooperatorCore::takeTurns() {
    if (predicates_) {
        Predicate isOver = predicates_();
        while (!tasks_.isAlone()) {
            runNext();
            if (stopped_ || isOver()) {
                return;
            }
        }
    } else {
        Slice slice(clock_);
        do {
            runNext();
        } while (!tasks_.isAlone() && !slice.isOver());
    }
}

inline void CooperatorCore::runNext() {
    auto& task = *static_cast<TaskBase*>(next_ != &tasks_ ? next_ : tasks_.next);
    next_ = task.next;
    current_ = &task;
    task.run();
}

} // namespace ropewalk::task::detail
