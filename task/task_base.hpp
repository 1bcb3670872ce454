#pragma once

#include <cstdint>
#include <exception>
#include <source_location>
#include <string_view>
#include <utility>

#include <ropewalk/defer/chain.hpp>
#include <ropewalk/defer/failure.hpp>
#include <ropewalk/reactor/call.hpp>
#include <ropewalk/task/cooperator_core.hpp>
#include <ropewalk/task/ref.hpp>
#include <ropewalk/task/step.hpp>

/// The engine under `CooperativeTask`, which needs no knowledge of what its steps are or leave.
namespace ropewalk::task::detail {

/// Work that a Cooperator takes step by step. While it has a turn to come, the Cooperator holds it; while it waits, what it
/// waits for does; a paused one is its handles' alone.
class TaskBase : public ropewalk::detail::Link {
public:
    enum class State : std::uint8_t { going, done, stopped, failed, schedulerStopped };

    TaskBase(const TaskBase&) = delete;
    TaskBase& operator=(const TaskBase&) = delete;

    void retain() noexcept { ++references_; }
    void release() noexcept {
        if (--references_ == 0) {
            delete this;
        }
    }

    /// It gets its first turn, or fails if the Cooperator is stopped.
    void begin();
    void pause();
    void resume();
    void stop();
    /// Fails with this error, in the way of `stop`.
    void end(State state, std::exception_ptr error);

    bool isOver() const noexcept { return state_ != State::going; }
    std::source_location madeAt() const noexcept { return madeAt_; }

protected:
    TaskBase(CooperatorCore& core, std::source_location madeAt) noexcept
        : Link{nullptr, nullptr}, core_(core), madeAt_(madeAt) {}
    virtual ~TaskBase();

    // For destructors of what derives from it; the first, while its steps still exist.
    void reportIfAbandoned() noexcept;
    void reportIfFailed(const Failure& failure) noexcept;
    /// Whether somebody else may ask for its result, when it has one.
    bool hasHandles() const noexcept { return references_ > 2; }
    /// What a step has left: the next one waits for it, if that is a Deferred.
    void await(Step step);

    /// Takes a step; false when there was none left.
    virtual bool step() = 0;
    /// The generator shall end, whoever else holds it.
    virtual void close() = 0;
    /// No step will follow.
    virtual void dropSteps() noexcept = 0;
    /// What the steps have left in the end; called once, when there is none left.
    virtual void keepResult() = 0;
    /// Everybody who asked is told: the result, or that failure if it isn't empty.
    virtual void tell(const Failure& failure) = 0;
    /// Nobody who asked is told; who asks from now on gets that failure.
    virtual void forget(const Failure& failure) noexcept = 0;
    /// Whether the handle at that address goes when the steps do.
    virtual bool keeps(const void* handle) const noexcept = 0;
    /// Where the work is written down.
    virtual std::source_location began() const noexcept = 0;

private:
    friend class CooperatorCore;
    class Wait;
    struct Wake;
    struct FailLater;

    /// A turn.
    void run() noexcept;
    void complete(State state, const Failure& failure) noexcept;
    void cancelAwaited() noexcept;
    void closeQuietly() noexcept;
    bool awaitsCoroutine() const noexcept;
    void dropIdleSteps() noexcept;
    static void logStopped();
    void leave() noexcept;
    void endWait() noexcept;
    void countHandle() noexcept;
    void awaitedFired(std::uint64_t wait);
    bool awaitedFailed(std::uint64_t wait, Failure& failure);
    void awaitedGone(std::uint64_t wait) noexcept;
    void throwIfOver() const;

    Ref<CooperatorCore> core_;
    defer::detail::Chain* awaited_ = nullptr; // not owned: it owns this
    std::uint64_t wait_ = 0;                  // how many times it has waited
    std::source_location madeAt_;
    std::source_location awaitedAt_;
    std::source_location lostMadeAt_; // what it waited for, and what went away unfired
    std::uint32_t references_ = 1;
    std::uint32_t pauses_ = 0;
    State state_ = State::going;
    enum class Place : std::uint8_t { none, turns, waiting };
    Place place_ = Place::none;
    bool uncounted_ = false; // the steps' own handle on what is awaited doesn't count meanwhile
    bool stepping_ = false;
    bool closing_ = false; // the steps are to be closed before they are dropped
    bool lost_ = false;
};

} // namespace ropewalk::task::detail
