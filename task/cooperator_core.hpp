#pragma once

#include <cstdint>
#include <functional>

#include <ropewalk/reactor/call.hpp>
#include <ropewalk/reactor/clock_pointer.hpp>
#include <ropewalk/reactor/delayed_call.hpp>
#include <ropewalk/reactor/reactor_time.hpp>

/// What a Cooperator and its tasks share: whose turn it is, and when the next ones are taken.
namespace ropewalk::task::detail {

class TaskBase;

/// It may outlive the Cooperator, in tasks that are paused or wait.
class CooperatorCore {
public:
    using Predicate = std::move_only_function<bool()>;
    using PredicateFactory = std::move_only_function<Predicate()>;
    using Cancel = std::move_only_function<void()>;
    using Scheduler = std::move_only_function<Cancel(std::move_only_function<void()>)>;

    CooperatorCore(ReactorTime& clock, PredicateFactory predicates, Scheduler scheduler, bool started);
    CooperatorCore(const CooperatorCore&) = delete;
    CooperatorCore& operator=(const CooperatorCore&) = delete;

    void retain() noexcept { ++references_; }
    void release() noexcept {
        if (--references_ == 0) {
            delete this;
        }
    }

    /// The task has a turn, after those that are here already; it fails at once while this is stopped.
    void add(TaskBase& task);
    /// The task is paused, or waits for a Deferred. It isn't held meanwhile.
    void park(TaskBase& task) noexcept;
    /// It is neither here nor there.
    void remove(TaskBase& task) noexcept;

    void start();
    void stop();
    bool isClosed() const noexcept { return closed_; }
    bool running() const noexcept { return started_ && !stopped_; }
    /// The Cooperator goes: nothing runs any more, and tasks that only this held are gone.
    void close() noexcept;

private:
    ~CooperatorCore() = default;

    void tick();
    void takeTurns();
    void runNext();
    void rest();
    void schedule();
    void unschedule() noexcept;

    ropewalk::detail::ClockPointer clock_; // null when this is closed
    PredicateFactory predicates_;
    Scheduler scheduler_;
    ropewalk::detail::Link tasks_; // the head of a list
    ropewalk::detail::Link waiting_;
    ropewalk::detail::Link* next_;      // whose turn it is; the head when a round is over
    const TaskBase* current_ = nullptr; // which has its turn just now
    DelayedCall call_;
    Cancel cancel_;
    std::uint32_t references_ = 1;
    bool started_;
    bool stopped_ = false;
    bool closed_ = false;
    bool scheduled_ = false;
    bool ticking_ = false;
};

} // namespace ropewalk::task::detail
