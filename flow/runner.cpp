#include <ropewalk/flow/runner.hpp>

#include <utility>

#include <ropewalk/reactor/reactor_time.hpp>

namespace ropewalk::flow::detail {

StageBase* Walk::takerOf(Instruction& pause, const StageBase& root) {
    for (StageBase* at = at_; at != &root; at = at->asker) {
        if (at->asker->takes(*at, pause, *this)) {
            return at->asker;
        }
    }
    return nullptr;
}

ReactorTime& Runner::clock() const {
    ReactorTime* clock = clock_.get();
    if (clock == nullptr) {
        throw RuntimeError("the clock of a flow is gone");
    }
    return *clock;
}

void Runner::arm(Instruction& pause, Wake wake) {
    pause.callLater(clock(), std::move(wake));
}

bool Runner::outlasts(StageBase& root, Instruction& first) {
    forgetRaised();
    for (Instruction* pause = &first; pause != nullptr; pause = Walk::step(root)) {
        paused_ = true;
        pausedBy_.pointTo(*pause);
        arming_ = true;
        try {
            arm(*pause, Wake(*this, ++sleep_));
        } catch (...) {
            arming_ = false;
            paused_ = false;
            throw;
        }
        arming_ = false;
        if (paused_) {
            return false;
        }
    }
    return true;
}

void Runner::wake(std::uint64_t sleep) {
    if (!paused_ || sleep != sleep_) {
        return;
    }
    paused_ = false;
    if (!arming_) {
        go();
    }
}

void Runner::cancelPause() {
    if (!std::exchange(paused_, false)) {
        return;
    }
    ++sleep_;
    if (Instruction* pause = pausedBy_.get()) {
        pause->cancel();
    }
}

} // namespace ropewalk::flow::detail
