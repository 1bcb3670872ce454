#pragma once

#include <chrono>
#include <source_location>
#include <utility>
#include <vector>

#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/delayed_call.hpp>

namespace ropewalk {

namespace detail {
class ClockPointer;
}

/// A time to wait, and who says so: any `std::chrono` duration converts to it where `callLater` is called.
struct Delay {
    template <class Rep, class Period>
    constexpr Delay(std::chrono::duration<Rep, Period> duration,
                    std::source_location caller = std::source_location::current()) noexcept
        : time(duration), where(caller) {}

    Seconds time;
    std::source_location where;
};

/// Whatever has a time and makes calls later: a `Reactor`, or a `task::Clock` that tests turn by hand
/// (`IReactorTime`). It belongs to one thread.
class ReactorTime {
public:
    ReactorTime(const ReactorTime&) = delete;
    ReactorTime& operator=(const ReactorTime&) = delete;

    /// The time now, since some beginning of this clock's own.
    virtual Seconds seconds() const = 0;
    /// The same, read anew where `seconds` may give what was read a while ago: for work that measures itself.
    virtual Seconds readTime() const { return seconds(); }

    /// Calls `function`, with copies of the arguments, after `delay`. It is kept until it has been called or
    /// cancelled; if it returns a Deferred (a coroutine does), until that has fired. What it returns is
    /// ignored; what it throws is the business of the implementation. Throws `AssertionError` if the function
    /// is an empty one.
    template <class F, class... Args>
    DelayedCall callLater(Delay delay, F&& function, Args&&... args) {
        DelayedCall handle(
            detail::makeCall(delay.where, std::forward<F>(function), std::forward<Args>(args)...));
        schedule(*handle.call(), delay.time);
        return handle;
    }

    /// Handles on the calls that are still to come, in the order in which they are due.
    virtual std::vector<DelayedCall> getDelayedCalls() const = 0;

protected:
    ReactorTime() noexcept { pointers_.alone(); }
    ~ReactorTime() { leave(); }

    /// Whoever points to this clock learns that it is going: for the beginning of its destructor.
    void leave() noexcept {
        while (pointers_.next != nullptr && !pointers_.isAlone()) {
            detail::Link& pointer = *pointers_.next;
            pointer.unlink();
            pointer.alone();
        }
        pointers_.next = nullptr;
    }

    /// Gives the call a moment, and keeps a reference of its own to it until then.
    virtual void schedule(detail::Call& call, Seconds delay) = 0;
    /// Takes the call out; its reference goes to the caller.
    virtual void unschedule(detail::Call& call) = 0;
    /// Moves the call to `delay` from now.
    virtual void reschedule(detail::Call& call, Seconds delay) = 0;
    /// Moves the call by `longer`.
    virtual void postpone(detail::Call& call, Seconds longer) = 0;

private:
    friend class DelayedCall;
    friend class detail::ClockPointer;

    detail::Link pointers_{nullptr, nullptr}; // null after `leave`
};

} // namespace ropewalk
