#include <ropewalk/task/defer_later.hpp>

#include <ropewalk/reactor/delayed_call.hpp>

namespace ropewalk::task::detail {

defer::Deferred<void> fireLater(ReactorTime& clock, Delay delay) {
    using defer::detail::CancellerOf;
    defer::Deferred<void> d(delay.where);
    const DelayedCall call = clock.callLater(delay, [d, where = delay.where] { d.callback(where); });
    auto cancel = [call] {
        if (call.active()) {
            call.cancel();
        }
    };
    // Only here, since it wants the call, which wants the Deferred.
    defer::detail::Access::chainOf(d)->maker.canceller =
        new CancellerOf<void, decltype(cancel)>(std::move(cancel));
    return d;
}

} // namespace ropewalk::task::detail
