#pragma once

#include <source_location>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/task/ref.hpp>
#include <ropewalk/task/task_for.hpp>

namespace ropewalk::task {

class Cooperator;

/// Work that a Cooperator takes step by step: `twisted.internet.task.CooperativeTask`. A handle, cheap to copy; all copies
/// name one task, which goes on without any. Return is what its steps leave: what a generator returns, else nothing. It
/// belongs to one thread.
///
/// A task that was paused, or that waits for a Deferred, and that nobody can go on with any more is destroyed, and the log
/// says so. One that fails and was never asked `whenDone` is logged as an unhandled error.
template <class Return = void>
class CooperativeTask {
public:
    using Where = std::source_location;

    /// An independent Deferred each time, also afterwards: for what the steps leave. It fails with what they threw, with the
    /// failure of a Deferred that they waited for, with `TaskStopped` or `SchedulerStopped`. It gets a copy; what can't be
    /// copied goes to the first who asked. Cancelling it leaves the task alone.
    defer::Deferred<Return> whenDone(Where where = Where::current()) const { return task_->whenDone(where); }

    /// No step is taken until `resume` was called as often. Throws `TaskDone`, `TaskFailed`, `TaskStopped` or
    /// `SchedulerStopped` when it is over.
    void pause() const { task_->pause(); }
    /// Lets the next turn come; takes no step itself. Throws `NotPaused` when it isn't paused; waiting for a Deferred doesn't
    /// count.
    void resume() const { task_->resume(); }
    /// Ends it with `TaskStopped`: closes a generator, at its next `co_yield` if it runs just now, and cancels the Deferred
    /// that it waits for. Throws as `pause` does.
    void stop() const { task_->stop(); }

    friend bool operator==(const CooperativeTask& a, const CooperativeTask& b) noexcept {
        return a.task_.get() == b.task_.get();
    }

private:
    friend Cooperator;
    explicit CooperativeTask(detail::Ref<detail::TaskFor<Return>> task) noexcept : task_(std::move(task)) {}

    detail::Ref<detail::TaskFor<Return>> task_;
};

} // namespace ropewalk::task
