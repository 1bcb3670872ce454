#pragma once

#include <cstdint>

#include <ropewalk/reactor/reactor.hpp>

namespace ropewalk::detail {

/// What other parts of this floor need of a reactor and nobody else should see.
struct ReactorAccess {
    /// The moment, in nanoseconds, until which it would wait just now. `reactor` is a `Reactor*`.
    static std::int64_t deadline(void* reactor) { return static_cast<Reactor*>(reactor)->deadline(); }
    /// What an event calls, from within `poll`, begins and ends.
    static void beginEvent(Reactor& reactor) noexcept {
        reactor.waiting_ = false;
        reactor.beginEvent();
    }
    static void endEvent(Reactor& reactor) noexcept {
        reactor.waiting_ = reactor.polling_;
        reactor.beginEvent();
    }
    /// The mark of its thread.
    static const void* home(const Reactor& reactor) noexcept { return reactor.home_; }
    /// The threads that wait for it.
    static const std::shared_ptr<BlockedThreads>& blocked(const Reactor& reactor) noexcept {
        return reactor.blocked_;
    }
    /// Whether its loop or a system event is on the stack.
    static bool busy(const Reactor& reactor) noexcept { return reactor.looping_ > 0 || reactor.firing_ > 0; }
};

/// While it lives, something is being called for an event, from within `poll`: the clock is read at most once.
class EventScope {
public:
    explicit EventScope(Reactor& reactor) noexcept : reactor_(reactor) {
        ReactorAccess::beginEvent(reactor_);
    }
    EventScope(const EventScope&) = delete;
    EventScope& operator=(const EventScope&) = delete;
    ~EventScope() { ReactorAccess::endEvent(reactor_); }

private:
    Reactor& reactor_;
};

} // namespace ropewalk::detail
