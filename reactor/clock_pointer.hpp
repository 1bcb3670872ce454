#pragma once

#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/call.hpp>
#include <ropewalk/reactor/reactor_time.hpp>

/// For what is built on a clock that may go first.
namespace ropewalk::detail {

/// Points to a clock, and is null when that is gone: from the moment on at which its destructor begins.
class ClockPointer : private Link {
public:
    ClockPointer() noexcept : Link{nullptr, nullptr} { alone(); }
    explicit ClockPointer(ReactorTime& clock) noexcept : ClockPointer() { *this = &clock; }
    ClockPointer(const ClockPointer&) = delete;
    ClockPointer& operator=(const ClockPointer&) = delete;
    ~ClockPointer() { unlink(); }

    ClockPointer& operator=(ReactorTime* clock) noexcept {
        unlink();
        alone();
        clock_ = clock;
        if (clock != nullptr && clock->pointers_.next != nullptr) {
            clock->pointers_.insert(*this);
        }
        return *this;
    }

    ReactorTime* get() const noexcept { return isAlone() ? nullptr : clock_; }

    /// Makes a call, which is the caller's own and may have been made before, after `delay`. Says whether there is
    /// still a clock. The clock keeps a reference to the call until then.
    bool schedule(Call& call, Seconds delay) const {
        ReactorTime* clock = get();
        if (clock == nullptr) {
            return false;
        }
        call.state = Call::State::pending;
        clock->schedule(call, delay);
        return true;
    }

private:
    ReactorTime* clock_ = nullptr;
};

} // namespace ropewalk::detail
