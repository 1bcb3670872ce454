#include <ropewalk/reactor/blocked_threads.hpp>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/log.hpp>

namespace ropewalk::detail {

void BlockedThreads::enter(std::shared_ptr<BlockedThread> thread) {
    const std::lock_guard lock(mutex_);
    if (refusal_ != nullptr) {
        throw AbandonedError(refusal_);
    }
    waiting_.push_back(std::move(thread));
}

void BlockedThreads::wait(BlockedThread& thread) {
    std::unique_lock lock(mutex_);
    thread.over.wait(lock, [&thread] { return thread.done; });
    if (!thread.answered) {
        throw AbandonedError(thread.refusal);
    }
}

bool BlockedThreads::waits(const BlockedThread& thread) const {
    const std::lock_guard lock(mutex_);
    return !thread.done;
}

void BlockedThreads::release(BlockedThread& thread, const char* otherwise) noexcept {
    const std::lock_guard lock(mutex_);
    if (!thread.done) {
        thread.done = true;
        thread.refusal = refusal_ != nullptr ? refusal_ : otherwise;
        thread.over.notify_one();
        std::erase_if(waiting_, [&thread](const auto& each) { return each.get() == &thread; });
    }
}

// Cancelling may do anything, so the list is looked at anew each time.
void BlockedThreads::refuse(const char* why) noexcept {
    for (;;) {
        std::shared_ptr<BlockedThread> thread;
        {
            const std::lock_guard lock(mutex_);
            refusal_ = why;
            if (waiting_.empty()) {
                return;
            }
            thread = waiting_.back();
        }
        thread->givingUp = true;
        if (thread->chain != nullptr) {
            try {
                defer::detail::Access::share<void>(thread->chain).cancel(why);
            } catch (...) {
                log::err(Failure());
            }
        }
        release(*thread, why);
    }
}

void BlockedThreads::allow() noexcept {
    const std::lock_guard lock(mutex_);
    refusal_ = nullptr;
}

} // namespace ropewalk::detail
