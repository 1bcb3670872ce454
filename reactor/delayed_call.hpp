#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <utility>

#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/call.hpp>

namespace ropewalk {

/// A handle on a timed call: what `callLater` returns (`IDelayedCall`). One pointer; copies name the same
/// call. It belongs to the thread of its reactor. Dropping it changes nothing: the call will be made. It may
/// outlive its reactor, and then does nothing.
class DelayedCall {
public:
    DelayedCall() noexcept = default;
    DelayedCall(std::nullptr_t) noexcept {}
    DelayedCall(const DelayedCall& other) noexcept : call_(other.call_) {
        if (call_ != nullptr) {
            call_->retain();
        }
    }
    DelayedCall(DelayedCall&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
    DelayedCall& operator=(DelayedCall other) noexcept {
        std::swap(call_, other.call_);
        return *this;
    }
    ~DelayedCall() {
        if (call_ != nullptr) {
            call_->release();
        }
    }

    /// Unschedules the call and destroys its function at once. Throws `AlreadyCalled` when it has run or runs
    /// just now, `AlreadyCancelled` when it was cancelled before; so do `reset` and `delay`. On an empty
    /// handle all three throw `AssertionError`.
    void cancel() const;
    /// The call will be made in `fromNow`, whatever it was set to before.
    void reset(Seconds fromNow) const;
    /// The call will be made that much later than it was set to; a negative time means sooner.
    void delay(Seconds longer) const;
    /// When it is due, or was: a moment of its clock's `seconds()`.
    Seconds getTime() const;
    /// Whether it is still to come. False for an empty handle.
    bool active() const noexcept { return call_ != nullptr && call_->owner != nullptr; }

    explicit operator bool() const noexcept { return call_ != nullptr; }
    friend bool operator==(const DelayedCall& a, const DelayedCall& b) noexcept = default;

    /// `<DelayedCall 0x…, due in 1.5 s, made at file:line>`
    std::string str() const;

    /// For the library: takes over a reference.
    explicit DelayedCall(detail::Call* call) noexcept : call_(call) {}
    detail::Call* call() const noexcept { return call_; }

private:
    detail::Call& pending() const;

    detail::Call* call_ = nullptr;
};

std::ostream& operator<<(std::ostream& out, const DelayedCall& call);

/// Cancels its call when it goes, if that is still to come. It can be moved, and assigned another call, which
/// cancels the first. Twisted has none.
class ScopedCall {
public:
    ScopedCall() noexcept = default;
    ScopedCall(DelayedCall call) noexcept : call_(std::move(call)) {}
    ScopedCall(ScopedCall&& other) noexcept = default;
    ScopedCall& operator=(ScopedCall&& other) noexcept {
        DelayedCall old = std::exchange(call_, std::exchange(other.call_, nullptr));
        cancelQuietly(old);
        return *this;
    }
    ~ScopedCall() { cancelQuietly(call_); }

    /// Cancels the call now, if it is still to come.
    void cancel() noexcept { cancelQuietly(std::exchange(call_, nullptr)); }
    /// Gives the call away: it won't be cancelled.
    DelayedCall release() noexcept { return std::exchange(call_, nullptr); }

    const DelayedCall& get() const noexcept { return call_; }
    const DelayedCall* operator->() const noexcept { return &call_; }
    bool active() const noexcept { return call_.active(); }
    explicit operator bool() const noexcept { return static_cast<bool>(call_); }

private:
    static void cancelQuietly(const DelayedCall& call) noexcept;

    DelayedCall call_;
};

} // namespace ropewalk
