#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/call.hpp>
#include <ropewalk/reactor/reactor_time.hpp>

namespace ropewalk::task {

namespace detail {

/// A Deferred that fires after `delay`, and takes its timed call out when it is cancelled.
defer::Deferred<void> fireLater(ReactorTime& clock, Delay delay);

} // namespace detail

/// A Deferred that fires after `delay`: `task.deferLater` without a callable, and what a coroutine awaits to sleep.
/// Cancelling it takes the timed call out. If the clock goes first, it never fires. Throws what the clock's
/// `callLater` does for such a delay.
inline defer::Deferred<void> deferLater(ReactorTime& clock, Delay delay, std::nullptr_t = nullptr) {
    return detail::fireLater(clock, delay);
}

/// Calls the function with copies of the arguments after `delay`; the Deferred fires with what it gives:
/// `task.deferLater`. A Deferred that it returns is waited for; what it throws is the failure. Cancelled before that,
/// the function isn't called; later, what it returned is cancelled. Throws `AssertionError` for an empty function.
template <class F, class... Args>
    requires(!std::is_same_v<std::decay_t<F>, std::nullptr_t>)
auto deferLater(ReactorTime& clock, Delay delay, F&& function, Args&&... args) {
    auto bound =
        ropewalk::detail::bindCall(delay.where, std::forward<F>(function), std::forward<Args>(args)...);
    return detail::fireLater(clock, delay).addCallback(std::move(bound), delay.where);
}

} // namespace ropewalk::task
