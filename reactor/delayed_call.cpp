#include <ropewalk/reactor/delayed_call.hpp>

#include <bit>
#include <ostream>
#include <sstream>

#include <ropewalk/defer/names.hpp>
#include <ropewalk/reactor/errors.hpp>
#include <ropewalk/reactor/reactor_time.hpp>

namespace ropewalk {

using detail::Call;

namespace {

[[noreturn]] void refuse(const Call* call) {
    if (call == nullptr) {
        throw AssertionError("an empty DelayedCall");
    }
    if (call->state == Call::State::cancelled) {
        throw AlreadyCancelled();
    }
    throw AlreadyCalled();
}

} // namespace

Call& DelayedCall::pending() const {
    if (call_ == nullptr || call_->state == Call::State::cancelled || call_->state == Call::State::called) {
        refuse(call_);
    }
    return *call_;
}

void DelayedCall::cancel() const {
    Call& call = pending();
    ReactorTime* owner = call.owner;
    if (owner == nullptr) {
        return;
    }
    owner->unschedule(call);
    call.owner = nullptr;
    call.state = Call::State::cancelled;
    call.drop();
    call.release();
}

void DelayedCall::reset(Seconds fromNow) const {
    Call& call = pending();
    if (call.owner != nullptr) {
        call.owner->reschedule(call, fromNow);
    }
}

void DelayedCall::delay(Seconds longer) const {
    Call& call = pending();
    if (call.owner != nullptr) {
        call.owner->postpone(call, longer);
    }
}

Seconds DelayedCall::getTime() const {
    if (call_ == nullptr) {
        refuse(call_);
    }
    if (call_->realTime) {
        return Seconds(std::bit_cast<double>(call_->moment));
    }
    return Seconds(static_cast<double>(call_->moment) / 1000);
}

std::string DelayedCall::str() const {
    std::ostringstream out;
    out << *this;
    return out.str();
}

std::ostream& operator<<(std::ostream& out, const DelayedCall& handle) {
    const Call* call = handle.call();
    if (call == nullptr) {
        return out << "<DelayedCall None>";
    }
    out << "<DelayedCall " << static_cast<const void*>(call) << ", ";
    switch (call->state) {
        case Call::State::pending:
            out << "due in " << (handle.getTime() - call->owner->seconds()).count() << " s";
            break;
        case Call::State::called:
            out << "called";
            break;
        case Call::State::cancelled:
            out << "cancelled";
            break;
        case Call::State::orphaned:
            out << "its reactor is gone";
            break;
    }
    return out << ", made at " << placeName(call->where) << '>';
}

void ScopedCall::cancelQuietly(const DelayedCall& handle) noexcept {
    if (handle.active()) {
        handle.cancel();
    }
}

} // namespace ropewalk
