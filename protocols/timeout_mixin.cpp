#include <ropewalk/protocols/timeout_mixin.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk::protocols {

std::optional<Seconds> TimeoutMixin::setTimeout(std::optional<Seconds> period) {
    if (period && !(*period >= Seconds(0))) {
        throw AssertionError("a time-out of less than no time");
    }
    const std::optional<Seconds> before = std::exchange(timeOut_, period);
    if (!period) {
        call_.cancel();
        return before;
    }
    deadline_ = clock_.seconds() + *period;
    if (!call_.active()) {
        callAt(deadline_);
    } else if (deadline_ < call_->getTime()) {
        call_->reset(*period);
    }
    return before;
}

void TimeoutMixin::resetTimeout() {
    if (timeOut_ && call_) {
        deadline_ = clock_.seconds() + *timeOut_;
    }
}

// Never later than the deadline for the sake of the sum's last digit; if it is earlier, it is put off once more.
// The deadline may have passed since it was reckoned, where the clock is read each time.
void TimeoutMixin::callAt(Seconds deadline) {
    const Seconds now = clock_.seconds();
    Seconds delay = std::max(deadline - now, Seconds(0));
    if (now + delay > deadline) {
        delay = Seconds(std::nextafter(delay.count(), 0.0));
    }
    call_ = clock_.callLater(delay, [this] { expired(); });
}

void TimeoutMixin::expired() {
    call_.release();
    if (clock_.seconds() < deadline_) {
        callAt(deadline_);
    } else {
        timeoutConnection();
    }
}

void TimeoutMixin::timeoutConnection() {
    if (protocol_.transport) {
        protocol_.transport->loseConnection();
    }
}

} // namespace ropewalk::protocols
