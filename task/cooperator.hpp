#pragma once

#include <concepts>
#include <functional>
#include <iterator>
#include <ranges>
#include <source_location>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/reactor/reactor_time.hpp>
#include <ropewalk/task/cooperative_task.hpp>
#include <ropewalk/task/cooperator_core.hpp>

namespace ropewalk::task {

/// How a Cooperator's tick is taken back: what its scheduler returns, anything with `cancel()`.
class ScheduledTick {
public:
    template <class C>
        requires requires(C call) { call.cancel(); }
    ScheduledTick(C call) : cancel([call = std::move(call)]() mutable { call.cancel(); }) {}

    std::move_only_function<void()> cancel;
};

struct CooperatorOptions {
    /// Called at the beginning of every tick, for a function that is called after every step and says whether the tick is
    /// over. Without one, a tick is over after 10 ms of the clock or 10,000 steps; where steps take less than a microsecond,
    /// the clock is read after 32 of them at most.
    std::move_only_function<std::move_only_function<bool()>()> terminationPredicateFactory = nullptr;
    /// Called with the next tick, which it is to call later. Without one, the clock's `callLater` does it, after 1e-8 s.
    std::move_only_function<ScheduledTick(std::move_only_function<void()>)> scheduler = nullptr;
    /// Whether it runs without `start`.
    bool started = true;
};

/// Takes the steps of several tasks in turn, within the loop, a slice at a time: `twisted.internet.task.Cooperator`. Tasks
/// have their turns in the order in which they came; one that was paused or has waited comes after the others. It belongs to
/// its clock's thread.
///
/// When it is destroyed, its tasks go unfinished, and the log names them; for whoever has handles on them they ended with
/// `SchedulerStopped`.
class Cooperator {
public:
    using Where = std::source_location;

    /// When its clock goes first, no step is taken any more.
    explicit Cooperator(ReactorTime& clock = reactor(), CooperatorOptions options = {});
    Cooperator(const Cooperator&) = delete;
    Cooperator& operator=(const Cooperator&) = delete;
    ~Cooperator();

    /// Takes the steps of a generator, of something with `next()` (which throws `StopIteration` at the end, or returns an empty
    /// optional), of a range, or calls a function until it throws `StopIteration`. A step that leaves a Deferred is followed by
    /// the next when that has fired; any other value is ignored. All are kept as copies, moved if they may be; with `std::ref`
    /// they are referred to.
    ///
    /// The Deferred fires when there are no more steps, with what a generator returned; it fails with what a step threw, with
    /// the failure of a Deferred that was waited for, or with `SchedulerStopped`. Cancelling it closes the generator and cancels
    /// what it waits for.
    template <class I>
    auto coiterate(I&& steps, Where where = Where::current()) {
        auto task = make(std::forward<I>(steps), where);
        auto result = task->result(where);
        task->begin();
        return result;
    }
    /// The same, and fires the given Deferred, which it returns. Cancelling that one leaves the task alone.
    template <class I, class Return>
    defer::Deferred<Return> coiterate(I&& steps, defer::Deferred<Return> doneDeferred,
                                      Where where = Where::current()) {
        coiterate(std::forward<I>(steps), where).chainDeferred(doneDeferred, where);
        return doneDeferred;
    }
    /// The same for the values between two iterators.
    template <std::input_iterator I, std::sentinel_for<I> End>
    defer::Deferred<void> coiterate(I first, End last, Where where = Where::current()) {
        return coiterate(std::ranges::subrange(std::move(first), std::move(last)), where);
    }

    /// The same, and gives the task, which may be paused, resumed and stopped.
    template <class I>
    auto cooperate(I&& steps, Where where = Where::current()) {
        auto task = make(std::forward<I>(steps), where);
        task->begin();
        return CooperativeTask(std::move(task));
    }
    template <std::input_iterator I, std::sentinel_for<I> End>
    CooperativeTask<> cooperate(I first, End last, Where where = Where::current()) {
        return cooperate(std::ranges::subrange(std::move(first), std::move(last)), where);
    }

    /// Runs, for the first time or again.
    void start();
    /// Ends all tasks that have turns to come, with `SchedulerStopped`; so it does with those that come, until `start`.
    void stop();
    /// Whether it was started and not stopped.
    bool running() const noexcept { return core_->running(); }

private:
    template <class I>
    auto make(I&& steps, Where where) {
        using Source = detail::SourceOf<I>;
        using Task = detail::TaskFor<typename Source::Return>;
        return detail::Ref<Task>::adopt(
            *new detail::TaskOf<Source>(*core_, detail::sourceOf(std::forward<I>(steps)), where));
    }

    detail::Ref<detail::CooperatorCore> core_;
};

/// The Cooperator of a reactor, which goes with it.
Cooperator& cooperatorOf(Reactor& reactor);

// With the Cooperator of this thread's reactor: the functions of `twisted.internet.task`.

template <class I>
auto coiterate(I&& steps, std::source_location where = std::source_location::current()) {
    return cooperatorOf(reactor()).coiterate(std::forward<I>(steps), where);
}
template <class I, class Return>
defer::Deferred<Return> coiterate(I&& steps, defer::Deferred<Return> doneDeferred,
                                  std::source_location where = std::source_location::current()) {
    return cooperatorOf(reactor()).coiterate(std::forward<I>(steps), std::move(doneDeferred), where);
}
template <std::input_iterator I, std::sentinel_for<I> End>
defer::Deferred<void> coiterate(I first, End last,
                                std::source_location where = std::source_location::current()) {
    return cooperatorOf(reactor()).coiterate(std::move(first), std::move(last), where);
}
template <class I>
auto cooperate(I&& steps, std::source_location where = std::source_location::current()) {
    return cooperatorOf(reactor()).cooperate(std::forward<I>(steps), where);
}
template <std::input_iterator I, std::sentinel_for<I> End>
CooperativeTask<> cooperate(I first, End last, std::source_location where = std::source_location::current()) {
    return cooperatorOf(reactor()).cooperate(std::move(first), std::move(last), where);
}

} // namespace ropewalk::task
