#include <ropewalk/flow/buffer.hpp>

#include <ropewalk/task/ref.hpp>

namespace ropewalk::flow::detail {

/// What may wake the source keeps this, and this keeps the flow, if that waits.
class Ahead::Waker final : public Sleeper {
public:
    explicit Waker(Ahead& ahead) noexcept : ahead_(&ahead) {}
    ~Waker() override { leave(); }

    void leave() noexcept {
        if (ahead_ != nullptr) {
            std::exchange(ahead_, nullptr)->waker_ = nullptr;
        }
        flow_ = nullptr;
    }
    void waits(Wake flow) noexcept { flow_ = std::move(flow); }
    Wake takeFlow() noexcept { return std::exchange(flow_, nullptr); }

    void wake(std::uint64_t) override {
        if (ahead_ == nullptr || ahead_->pausedBy_ == nullptr) {
            return;
        }
        ahead_->pausedBy_ = nullptr;
        if (!ahead_->arming_) {
            ahead_->go();
        }
    }

private:
    Ahead* ahead_;
    Wake flow_ = nullptr;
};

Ahead::~Ahead() {
    if (waker_ != nullptr) {
        waker_->leave();
    }
}

bool Ahead::advance(StageBase& source) {
    using Kept = task::detail::Ref<Waker>;
    while (Instruction* pause = step(source)) {
        Kept waker;
        if (waker_ == nullptr) {
            waker = Kept::adopt(*new Waker(*this));
            waker_ = waker.get();
        } else {
            waker = Kept(*waker_);
        }
        pausedBy_ = pause;
        arming_ = true;
        try {
            arm(*pause, Wake(*waker, 0));
        } catch (...) {
            arming_ = false;
            pausedBy_ = nullptr;
            throw;
        }
        arming_ = false;
        if (pausedBy_ != nullptr) {
            return false;
        }
    }
    return true;
}

void Ahead::wakeFlow() {
    if (waker_ != nullptr) {
        waker_->takeFlow()();
    }
}

void Ahead::Pause::callLater(ReactorTime&, Wake wake) {
    if (ahead_.waker_ != nullptr) {
        ahead_.waker_->waits(std::move(wake));
    }
}

void Ahead::Pause::cancel() {
    if (Instruction* pause = std::exchange(ahead_.pausedBy_, nullptr)) {
        pause->cancel();
    }
}

} // namespace ropewalk::flow::detail
