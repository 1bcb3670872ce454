#include <ropewalk/reactor/thread_queue.hpp>

namespace ropewalk::detail {

ThreadQueue::ThreadQueue(Driver& driver) noexcept : driver_(&driver) {
    calls_.alone();
    expected_.alone();
}

// The driver is woken under the lock: it is alive while the queue is open.
void ThreadQueue::append(Call& call) noexcept {
    const bool first = calls_.isAlone();
    calls_.insert(call);
    if (first) {
        pending_.store(true, std::memory_order_release);
        driver_->wake();
    }
}

bool ThreadQueue::push(Call& call) noexcept {
    const std::lock_guard lock(mutex_);
    if (driver_ == nullptr) {
        return false;
    }
    append(call);
    return true;
}

bool ThreadQueue::pushExpected(FireCall& call) noexcept {
    const std::lock_guard lock(mutex_);
    if (driver_ == nullptr) {
        return false;
    }
    call.unlink();
    append(call);
    return true;
}

void ThreadQueue::expect(FireCall& call) noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (driver_ != nullptr) {
            expected_.insert(call);
            return;
        }
    }
    call.drop();
}

void ThreadQueue::takeAll(Link& list) noexcept {
    const std::lock_guard lock(mutex_);
    pending_.store(false, std::memory_order_relaxed);
    list.insertAll(calls_);
}

std::vector<defer::Deferred<void>> ThreadQueue::close(Link& list) {
    std::vector<defer::Deferred<void>> unfired;
    const std::lock_guard lock(mutex_);
    driver_ = nullptr;
    list.insertAll(calls_);
    for (Link* at = expected_.next; at != &expected_; at = at->next) {
        auto& call = static_cast<FireCall&>(*static_cast<Call*>(at));
        unfired.push_back(defer::detail::Access::adopt<void>(std::exchange(call.chain, nullptr)));
    }
    expected_.alone();
    return unfired;
}

} // namespace ropewalk::detail
