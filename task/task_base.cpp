#include <ropewalk/task/task_base.hpp>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/report.hpp>
#include <ropewalk/task/errors.hpp>

namespace ropewalk::task::detail {

using defer::CancelledError;
using defer::Deferred;
using defer::detail::Access;
using defer::detail::Chain;

/// Keeps a task for what it waits for. If that goes without firing, the task learns of it.
class TaskBase::Wait {
public:
    explicit Wait(TaskBase& task) noexcept : task_(task), wait_(task.wait_) {}
    Wait(Wait&&) noexcept = default;
    Wait& operator=(Wait&&) = delete;
    ~Wait() {
        if (task_) {
            task_->awaitedGone(wait_);
        }
    }

    TaskBase& task() const noexcept { return *task_; }
    std::uint64_t which() const noexcept { return wait_; }

private:
    Ref<TaskBase> task_;
    std::uint64_t wait_;
};

struct TaskBase::Wake {
    Wait wait;
    void operator()() const { wait.task().awaitedFired(wait.which()); }
};

struct TaskBase::FailLater {
    Wait wait;
    Result<void> operator()(Failure failure) const {
        if (wait.task().awaitedFailed(wait.which(), failure)) {
            return {};
        }
        return std::unexpected(std::move(failure));
    }
};

TaskBase::~TaskBase() {
    core_->remove(*this);
}

void TaskBase::begin() {
    core_->add(*this);
}

void TaskBase::throwIfOver() const {
    switch (state_) {
        case State::going:
            return;
        case State::done:
            throw TaskDone();
        case State::stopped:
            throw TaskStopped();
        case State::failed:
            throw TaskFailed();
        case State::schedulerStopped:
            throw SchedulerStopped();
    }
}

void TaskBase::pause() {
    throwIfOver();
    if (++pauses_ == 1 && awaited_ == nullptr) {
        core_->remove(*this);
        core_->park(*this);
    }
}

void TaskBase::resume() {
    if (pauses_ == 0) {
        throw NotPaused();
    }
    if (--pauses_ == 0 && !isOver() && awaited_ == nullptr && !lost_) {
        core_->remove(*this);
        core_->add(*this);
    }
}

void TaskBase::stop() {
    throwIfOver();
    end(State::stopped, std::make_exception_ptr(TaskStopped()));
}

void TaskBase::end(State state, std::exception_ptr error) {
    complete(state, Failure(std::move(error), madeAt_));
}

void TaskBase::run() noexcept {
    const Ref<TaskBase> kept(*this);
    stepping_ = true;
    try {
        if (!step() && !isOver()) {
            keepResult();
            complete(State::done, Failure(nullptr));
        }
    } catch (const StopIteration&) {
        complete(State::done, Failure(nullptr));
    } catch (...) {
        if (isOver()) {
            logStopped();
        } else {
            complete(State::failed, Failure(std::current_exception(), began()));
        }
    }
    stepping_ = false;
    if (isOver()) [[unlikely]] {
        dropIdleSteps();
    } else if (core_->isClosed()) [[unlikely]] {
        leave();
    }
}

void TaskBase::complete(State state, const Failure& failure) noexcept {
    if (isOver()) {
        return;
    }
    const Ref<TaskBase> kept(*this);
    state_ = state;
    core_->remove(*this);
    countHandle();
    const bool stepping = std::exchange(stepping_, true);
    cancelAwaited();
    closing_ = state != State::done && state != State::failed;
    if (closing_ && !awaitsCoroutine()) {
        closeQuietly();
    }
    stepping_ = stepping;
    dropIdleSteps();
    tell(failure);
}

void TaskBase::cancelAwaited() noexcept {
    if (awaited_ == nullptr) {
        return;
    }
    const Deferred<void> awaited = Access::share<void>(awaited_);
    try {
        awaited.cancel("the task that waited for it was stopped", madeAt_);
    } catch (...) {
        log::failure("Exception raised from user supplied canceller", Failure());
    }
}

/// What it waits for may be, or wait for, a coroutine of the steps, which may go on after a cancellation.
bool TaskBase::awaitsCoroutine() const noexcept {
    const Chain* chain = awaited_;
    while (chain != nullptr && chain->called) {
        chain = chain->waitsOn();
    }
    return chain != nullptr && chain->coroutine;
}

void TaskBase::dropIdleSteps() noexcept {
    if (!isOver() || stepping_ || awaitsCoroutine()) {
        return;
    }
    if (closing_) {
        closeQuietly();
    }
    dropSteps();
}

void TaskBase::closeQuietly() noexcept {
    closing_ = false;
    try {
        close();
    } catch (...) {
        logStopped();
    }
}

void TaskBase::logStopped() {
    log::failure("Exception out of the steps of a task that was stopped", Failure());
}

void TaskBase::await(Step step) {
    Chain* chain = step.release();
    if (chain == nullptr) {
        return;
    }
    const Deferred<void> deferred = Access::adopt<void>(chain);
    if (isOver()) {
        return;
    }
    core_->remove(*this);
    awaited_ = chain;
    awaitedAt_ = step.where();
    const std::uint64_t wait = ++wait_;
    deferred.addCallbacks(Wake{Wait(*this)}, FailLater{Wait(*this)}, step.where());
    if (wait != wait_) {
        return;
    }
    core_->park(*this);
    // The handle of the steps would keep what keeps them. If nobody else has one, it goes with the Cooperator.
    if (chain->references > 2 && step.handle() != nullptr && keeps(step.handle())) {
        uncounted_ = true;
        --chain->references;
    }
}

void TaskBase::countHandle() noexcept {
    if (std::exchange(uncounted_, false)) {
        awaited_->retain();
    }
}

/// What it waited for has a result, or goes, or is given up.
void TaskBase::endWait() noexcept {
    countHandle();
    core_->remove(*this);
    awaited_ = nullptr;
    ++wait_;
}

void TaskBase::awaitedFired(std::uint64_t wait) {
    if (wait != wait_) {
        return;
    }
    endWait();
    if (isOver()) {
        dropIdleSteps();
    } else if (pauses_ == 0) {
        core_->add(*this);
    }
}

/// Whether the failure ends here. Nobody but the task is there for a cancellation that its own end may have caused.
bool TaskBase::awaitedFailed(std::uint64_t wait, Failure& failure) {
    if (wait != wait_) {
        return false;
    }
    endWait();
    if (isOver()) {
        dropIdleSteps();
        return failure.check<CancelledError>() != nullptr;
    }
    complete(State::failed, failure);
    return true;
}

void TaskBase::awaitedGone(std::uint64_t wait) noexcept {
    if (wait != wait_ || awaited_ == nullptr) {
        return;
    }
    lostMadeAt_ = awaited_->madeAt;
    lost_ = true;
    endWait();
    if (isOver()) {
        dropIdleSteps();
    } else {
        core_->park(*this);
    }
}

/// Its Cooperator goes. A step that is being taken may still end it.
void TaskBase::leave() noexcept {
    const Ref<TaskBase> kept(*this);
    if (stepping_) {
        core_->remove(*this);
        return;
    }
    if (awaited_ != nullptr) {
        lostMadeAt_ = awaited_->madeAt;
        lost_ = true;
        countHandle();
        if (!awaitsCoroutine()) {
            endWait();
        }
    }
    core_->remove(*this);
    reportIfAbandoned();
    state_ = State::schedulerStopped;
    forget(Failure(std::make_exception_ptr(SchedulerStopped()), madeAt_));
    dropIdleSteps();
}

void TaskBase::reportIfFailed(const Failure& failure) noexcept {
    if (state_ == State::failed) {
        defer::detail::reportUnhandled(failure);
    }
}

void TaskBase::reportIfAbandoned() noexcept {
    if (isOver()) {
        return;
    }
    if (lost_) {
        defer::detail::reportAbandoned(began(), awaitedAt_, lostMadeAt_);
    } else {
        defer::detail::reportAbandoned(began(),
                                       pauses_ != 0 ? "which was paused" : "whose Cooperator is gone");
    }
}

} // namespace ropewalk::task::detail
