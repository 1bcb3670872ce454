#pragma once

#include <string>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk {

/// Python's `StopIteration`: there is no next value. Whoever is called for the next value may throw it; out of a generator it
/// ends that one quietly, as it did in the Python that Twisted's flow was written for.
class StopIteration : public Exception {
public:
    StopIteration() : Exception("StopIteration") {}
};

/// Python's `GeneratorExit`: raised where a generator waits, to close it. Not a `std::exception`, so that a handler of those
/// doesn't stop it on its way.
class GeneratorExit {};

/// A generator that runs just now was asked to go on (Python's `ValueError: generator already executing`).
class GeneratorRunningError : public ValueError {
public:
    GeneratorRunningError() : ValueError("generator already executing") {}
};

namespace task {

/// The base of what a Cooperator's tasks say: `twisted.internet.task.SchedulerError`.
class SchedulerError : public Exception {
public:
    using Exception::Exception;
    SchedulerError() : Exception("the cooperator's task") {}
};

/// The Cooperator was stopped, or is.
class SchedulerStopped : public SchedulerError {
public:
    SchedulerStopped() : SchedulerError("the cooperator is stopped") {}
};

/// The task can't be paused or stopped any more: it is over.
class TaskFinished : public SchedulerError {
public:
    using SchedulerError::SchedulerError;
    TaskFinished() : SchedulerError("the task is over") {}
};

/// It came to its end.
class TaskDone : public TaskFinished {
public:
    TaskDone() : TaskFinished("the task is done") {}
};

/// It was stopped.
class TaskStopped : public TaskFinished {
public:
    TaskStopped() : TaskFinished("the task was stopped") {}
};

/// It failed: its steps threw, or what it waited for failed.
class TaskFailed : public TaskFinished {
public:
    TaskFailed() : TaskFinished("the task failed") {}
};

/// `resume` of a task that isn't paused.
class NotPaused : public SchedulerError {
public:
    NotPaused() : SchedulerError("the task isn't paused") {}
};

} // namespace task
} // namespace ropewalk
