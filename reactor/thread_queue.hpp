#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/call.hpp>
#include <ropewalk/reactor/driver.hpp>

namespace ropewalk::detail {

/// A call that will fire a Deferred from another thread. The chain is the reactor's thread's business,
/// everything else that of whoever has the firer, until it is pushed.
struct FireCall : Call {
    FireCall(Operation doIt, defer::detail::Chain* theChain, std::source_location madeAt) noexcept
        : Call(doIt, madeAt, true, true), chain(theChain) {}

    defer::detail::Chain* chain; // owned
};

/// Calls that other threads leave for a reactor's. The reactor shares it with its firers, so it may outlive
/// the reactor: it is closed then, and takes no more.
class ThreadQueue {
public:
    explicit ThreadQueue(Driver& driver) noexcept;
    ThreadQueue(const ThreadQueue&) = delete;
    ThreadQueue& operator=(const ThreadQueue&) = delete;

    /// Any thread: whether `takeAll` would find anything.
    bool pending() const noexcept { return pending_.load(std::memory_order_acquire); }
    /// Any thread: takes over a reference. False, and nothing is taken, when the queue is closed.
    bool push(Call& call) noexcept;
    /// Any thread: the same for a call that was expected.
    bool pushExpected(FireCall& call) noexcept;

    /// The reactor's thread: a call that may be pushed later. Not owned. What it was to fire is dropped when
    /// the queue is closed.
    void expect(FireCall& call) noexcept;
    /// The reactor's thread: moves all calls to `list`, a head.
    void takeAll(Link& list) noexcept;
    /// The reactor's thread: refuses what comes from now on, moves all calls to `list`, and gives back what
    /// those that were expected were to fire.
    std::vector<defer::Deferred<void>> close(Link& list);

private:
    void append(Call& call) noexcept;

    std::mutex mutex_;
    std::atomic<bool> pending_ = false;
    Driver* driver_;
    Link calls_;
    Link expected_;
};

} // namespace ropewalk::detail
