#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <source_location>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/shared.hpp>

namespace ropewalk::defer {

/// Hands objects from those who have them to those who wait for them: defer.DeferredQueue.
template <class T>
class DeferredQueue {
public:
    /// At most `size` objects are kept, at most `backlog` gets wait; 0 means none, `nullopt` any number.
    explicit DeferredQueue(std::optional<std::size_t> size = {}, std::optional<std::size_t> backlog = {})
        : size_(size), backlog_(backlog) {}
    DeferredQueue(const DeferredQueue&) = delete;
    DeferredQueue& operator=(const DeferredQueue&) = delete;
    /// Those who still wait are let go of, unfired.
    ~DeferredQueue() { std::exchange(state_->waiting, {}).clear(); }

    /// Gives the object to whoever waits longest, else keeps it, else throws QueueOverflow.
    void put(T object, std::source_location where = std::source_location::current()) {
        if (!state_->waiting.empty()) {
            Deferred<T> next = std::move(state_->waiting.front());
            state_->waiting.pop_front();
            next.callback(std::move(object), where);
        } else if (!size_ || state_->pending.size() < *size_) {
            state_->pending.push_back(std::move(object));
        } else {
            detail::throwQueueOverflow();
        }
    }

    /// The oldest object, now or when it comes; throws QueueUnderflow if too many wait. Cancelling it loses no object.
    Deferred<T> get(std::source_location where = std::source_location::current()) {
        if (!state_->pending.empty()) {
            Deferred<T> d(where);
            T object = std::move(state_->pending.front());
            state_->pending.pop_front();
            d.callback(std::move(object), where);
            return d;
        }
        if (backlog_ && state_->waiting.size() >= *backlog_) {
            detail::throwQueueUnderflow();
        }
        Deferred<T> d(
            [state = state_](const Deferred<T>& cancelled) { std::erase(state->waiting, cancelled); }, where);
        state_->waiting.push_back(d);
        return d;
    }

    std::size_t pending() const noexcept { return state_->pending.size(); }
    std::size_t waiting() const noexcept { return state_->waiting.size(); }

private:
    struct State {
        std::deque<Deferred<T>> waiting;
        std::deque<T> pending;
    };

    detail::Shared<State> state_{std::in_place};
    std::optional<std::size_t> size_;
    std::optional<std::size_t> backlog_;
};

} // namespace ropewalk::defer
