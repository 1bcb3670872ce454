#pragma once

#include <cstddef>
#include <deque>
#include <source_location>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/shared.hpp>

/// Locks for what waits in callbacks and coroutines. Not for threads.
namespace ropewalk::defer {

namespace detail {

/// What a lock and a semaphore share: whoever wants a token and can't have it yet, in order.
template <class Lock>
class Acquirable {
    struct State {
        Lock* lock; // null when it is gone
        std::size_t limit;
        std::size_t free;
        std::deque<Deferred<Lock*>> waiting = {};

        void release() {
            if (lock == nullptr) {
                return;
            }
            if (free == limit) {
                throwNotHeld();
            }
            if (waiting.empty()) {
                ++free;
            } else {
                Deferred<Lock*> next = std::move(waiting.front());
                waiting.pop_front();
                next.callback(lock);
            }
        }
    };

public:
    /// Gives the lock back when it goes: `auto held = co_await lock.hold();`, as Python's `async with lock`.
    class Hold {
    public:
        explicit Hold(Shared<State> state) noexcept : state_(std::move(state)) {}
        Hold(Hold&& other) noexcept : state_(other.state_), held_(std::exchange(other.held_, false)) {}
        Hold& operator=(Hold other) noexcept {
            std::swap(state_, other.state_);
            std::swap(held_, other.held_);
            return *this;
        }
        ~Hold() {
            try {
                release();
            } catch (...) {
                destructorThrew();
            }
        }

        /// Gives it back now.
        void release() {
            if (std::exchange(held_, false)) {
                state_->release();
            }
        }

    private:
        Shared<State> state_;
        bool held_ = true;
    };

    Acquirable(const Acquirable&) = delete;
    Acquirable& operator=(const Acquirable&) = delete;

    /// Fires with the lock when it is the caller's, who then calls `release`. Cancelling it while it waits takes it out of the
    /// queue.
    Deferred<Lock*> acquire(std::source_location where = std::source_location::current()) {
        Deferred<Lock*> d(
            [state = state_](const Deferred<Lock*>& cancelled) { std::erase(state->waiting, cancelled); },
            where);
        if (state_->free != 0) {
            --state_->free;
            d.callback(state_->lock, where);
        } else {
            state_->waiting.push_back(d);
        }
        return d;
    }

    /// The same, where the release is the holder's destructor.
    Deferred<Hold> hold(std::source_location where = std::source_location::current()) {
        return acquire(where).addCallback([state = state_] { return Hold(state); }, where);
    }

    /// Calls f(args…) with the lock held, until the Deferred that it returns has fired; gives what it gave.
    template <class F, class... A>
        requires std::invocable<std::decay_t<F>&, std::decay_t<A>...>
    auto run(F&& f, A&&... args) {
        using Value = EndAfter<std::invoke_result_t<std::decay_t<F>&, std::decay_t<A>...>, void>;
        return hold().addCallback([f = bindExtra(std::forward<F>(f)),
                                   ... args = std::decay_t<A>(std::forward<A>(args))](Hold held) mutable {
            return maybeDeferred(f, std::move(args)...)
                .addBoth([held = std::move(held)](Result<Value> result) mutable {
                    held.release();
                    return result;
                });
        });
    }

    /// Hands it to whoever waits longest. AssertionError if nobody holds it.
    void release() { state_->release(); }

    /// How many wait (Twisted's is the list itself).
    std::size_t waiting() const noexcept { return state_->waiting.size(); }

protected:
    explicit Acquirable(std::size_t tokens)
        : state_(std::in_place, static_cast<Lock*>(this), tokens, tokens) {}
    ~Acquirable() {
        state_->lock = nullptr;
        std::exchange(state_->waiting, {}).clear();
    }

    std::size_t free() const noexcept { return state_->free; }
    std::size_t all() const noexcept { return state_->limit; }

private:
    [[noreturn]] static void throwNotHeld();

    Shared<State> state_;
};

} // namespace detail

/// One holder at a time, first come, first served: defer.DeferredLock. When it goes, those who wait are let go of, unfired.
class DeferredLock : public detail::Acquirable<DeferredLock> {
public:
    DeferredLock() : Acquirable(1) {}

    bool locked() const noexcept { return free() == 0; }
};

/// `tokens` holders at a time: defer.DeferredSemaphore. ValueError for none.
class DeferredSemaphore : public detail::Acquirable<DeferredSemaphore> {
public:
    explicit DeferredSemaphore(std::size_t tokens);

    std::size_t tokens() const noexcept { return free(); }
    std::size_t limit() const noexcept { return all(); }
};

} // namespace ropewalk::defer
