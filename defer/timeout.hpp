#pragma once

#include <concepts>
#include <source_location>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/shared.hpp>

/// `Deferred::addTimeout`, over anything that has `callLater(duration, callable)` and gives a call with `active` and `cancel`.
namespace ropewalk::defer {

namespace detail {

/// Whether it was the timeout that cancelled: the timed call tells the chain.
using TimedOut = Shared<bool>;

template <class Duration>
double inSeconds(Duration timeout) noexcept {
    return static_cast<double>(timeout.count()) * static_cast<double>(Duration::period::num) /
           static_cast<double>(Duration::period::den);
}

template <class T, class Duration, class Clock>
auto cancelLater(const Deferred<T>& d, const TimedOut& timedOut, Duration timeout, Clock& clock) {
    return clock.callLater(timeout, [d, timedOut] {
        *timedOut = true;
        d.cancel();
    });
}

/// The closure that ends the timed call and, if that cancelled, lets the user's function make the result.
template <class T, class F, class Call, class Duration>
struct OnTimeoutCancel {
    static constexpr bool onValue = true;
    static constexpr bool onFailure = true;
    using Returned = std::invoke_result_t<F&, Result<T>, Duration>;

    F function;
    TimedOut timedOut;
    Call delayed;
    Duration timeout;

    void run(Chain& chain, Entry& entry, Loop*) {
        if (delayed.active()) {
            delayed.cancel();
        }
        if (*timedOut) {
            settleWithResult<Returned, EndKept<T>, T>(
                chain, entry,
                [&](Result<T>&& result) -> decltype(auto) { return function(std::move(result), timeout); });
        }
    }
    static void convert(Chain& chain, Entry& entry) {
        convertResult<EndAfter<Returned, T>, EndKept<T>>(chain, entry.where);
    }
};

} // namespace detail

template <class T>
template <class Duration, class Clock>
Deferred<T> Deferred<T>::addTimeout(Duration timeout, Clock& clock, Where where) const {
    detail::Chain& chain = get("addTimeout", where);
    const detail::TimedOut timedOut(std::in_place, false);
    auto call = detail::cancelLater(*this, timedOut, timeout, clock);
    detail::addTap(
        chain,
        [timedOut, call, timeout](detail::Chain& passing, const detail::Entry& entry, detail::Loop&) mutable {
            if (*timedOut && passing.kind == detail::Chain::Kind::failure &&
                detail::isCancelled(passing.failure)) {
                passing.setFailure(Failure(detail::timedOut(detail::inSeconds(timeout)), entry.where));
            }
            if (call.active()) {
                call.cancel();
            }
        },
        where);
    return *this;
}

template <class T>
template <class Duration, class Clock, class F>
    requires std::invocable<std::decay_t<F>&, Result<T>, Duration>
Deferred<T> Deferred<T>::addTimeout(Duration timeout, Clock& clock, F&& onTimeoutCancel, Where where) const {
    detail::Chain& chain = get("addTimeout", where);
    if constexpr (!std::is_void_v<T>) {
        chain.requireEnd(&detail::tagOf<T>, where);
    }
    using Returned = std::invoke_result_t<std::decay_t<F>&, Result<T>, Duration>;
    static_cast<void>(detail::checkConversion<detail::EndAfter<Returned, T>, T>());
    const detail::TimedOut timedOut(std::in_place, false);
    auto call = detail::cancelLater(*this, timedOut, timeout, clock);
    return detail::addClosure<T>(chain,
                                 detail::OnTimeoutCancel<T, std::decay_t<F>, decltype(call), Duration>{
                                     std::forward<F>(onTimeoutCancel), timedOut, call, timeout},
                                 where);
}

} // namespace ropewalk::defer
