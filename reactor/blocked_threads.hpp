#pragma once

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <ropewalk/defer/chain.hpp>
#include <ropewalk/defer/failure.hpp>

/// Threads that wait for an answer of a reactor's: what `blockingCallFromThread` is made of.
namespace ropewalk::detail {

class BlockedThreads;

/// One of them. The thread and its answer own it; what isn't said to be the reactor's thread's is guarded by
/// the mutex of all.
struct BlockedThread {
    explicit BlockedThread(std::shared_ptr<BlockedThreads> all) noexcept : threads(std::move(all)) {}
    BlockedThread(const BlockedThread&) = delete;
    BlockedThread& operator=(const BlockedThread&) = delete;

    std::shared_ptr<BlockedThreads> threads;
    std::condition_variable over;
    bool answered = false;
    bool done = false;
    const char* refusal = nullptr;         // why there is no answer
    bool givingUp = false;                 // the reactor's thread
    defer::detail::Chain* chain = nullptr; // what it waits for; the reactor's thread

protected:
    ~BlockedThread() = default;
};

/// All that wait for one reactor. It may outlive the reactor.
class BlockedThreads {
public:
    /// Any thread: from now on an answer is awaited. Throws `AbandonedError` when there will be none.
    void enter(std::shared_ptr<BlockedThread> thread);
    /// The blocked thread: throws `AbandonedError` when there is no answer.
    void wait(BlockedThread& thread);

    /// Whether it still waits.
    bool waits(const BlockedThread& thread) const;
    /// Calls `put()`, under the mutex; false if it doesn't wait any more.
    template <class F>
    bool answer(BlockedThread& thread, F&& put) {
        const std::lock_guard lock(mutex_);
        if (thread.done) {
            return false;
        }
        put();
        thread.answered = true;
        return true;
    }
    /// Lets it go on, with its answer if there is one.
    void release(BlockedThread& thread, const char* otherwise) noexcept;

    /// The reactor's thread: nobody gets an answer any more; what is waited for is cancelled.
    void refuse(const char* why) noexcept;
    /// The reactor's thread: answers may be awaited again.
    void allow() noexcept;

private:
    mutable std::mutex mutex_;
    const char* refusal_ = nullptr;
    std::vector<std::shared_ptr<BlockedThread>> waiting_;
};

template <class T>
struct BlockedFor final : BlockedThread {
    using BlockedThread::BlockedThread;

    std::optional<Result<T>> result;
};

/// The promise of an answer. When it goes, the thread goes on: with `AbandonedError` if none was given. So it
/// goes last, when the reactor's thread has nothing left of the answer.
template <class T>
class Answer {
public:
    explicit Answer(std::shared_ptr<BlockedFor<T>> thread) noexcept : thread_(std::move(thread)) {}
    Answer(Answer&&) noexcept = default;
    Answer& operator=(Answer&&) = delete;
    ~Answer() {
        if (thread_ != nullptr) {
            waitFor(nullptr);
            thread_->threads->release(*thread_, "what a thread waits for was dropped unfired");
        }
    }

    /// Somebody else lets the thread go on.
    void leave() noexcept {
        waitFor(nullptr);
        thread_.reset();
    }
    bool wanted() const { return thread_->threads->waits(*thread_); }
    bool givingUp() const noexcept { return thread_->givingUp; }
    void waitFor(defer::detail::Chain* chain) const noexcept {
        if (thread_->chain != chain) { // not written in other threads, where there is none
            thread_->chain = chain;
        }
    }
    /// False, and the result stays, if nobody waits any more.
    bool give(Result<T>& result) const {
        waitFor(nullptr);
        return thread_->threads->answer(*thread_, [&] { thread_->result.emplace(std::move(result)); });
    }

private:
    std::shared_ptr<BlockedFor<T>> thread_;
};

} // namespace ropewalk::detail
