#include <ropewalk/flow/buffer.hpp>

#include <ropewalk/flow/generator_node.hpp>
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
        waiting_.drop();
    }
    Waiting& waiting() noexcept { return waiting_; }

    void wake(std::uint64_t sleep) override {
        if (ahead_ == nullptr || !ahead_->asleep_ || sleep != ahead_->sleep_) {
            return;
        }
        ahead_->asleep_ = false;
        if (ahead_->arming_) {
            return;
        }
        if (ahead_->run_.get() == nullptr || GeneratorNode::closes()) {
            waiting_.wake();
        } else {
            ahead_->go();
        }
    }

private:
    Ahead* ahead_;
    Waiting waiting_;
};

void Ahead::leave() noexcept {
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
        asleep_ = true;
        pausedBy_.pointTo(*pause);
        arming_ = true;
        try {
            arm(*pause, Wake(*waker, ++sleep_));
        } catch (...) {
            arming_ = false;
            asleep_ = false;
            throw;
        }
        arming_ = false;
        if (asleep_) {
            return false;
        }
    }
    return true;
}

void Ahead::arm(Instruction& pause, Wake wake) {
    if (detail::Run* run = run_.get()) {
        run->arm(pause, std::move(wake));
    }
}

void Ahead::wakeFlow() {
    if (waker_ != nullptr) {
        waker_->waiting().wake();
    }
}

void Ahead::Pause::callLater(ReactorTime&, Wake wake) {
    if (ahead_.waker_ != nullptr) {
        ahead_.waker_->waiting().add(std::move(wake));
    }
}

void Ahead::Pause::cancel() {
    if (ahead_.waker_ != nullptr && !ahead_.waker_->waiting().lastLeaves()) {
        return;
    }
    if (!std::exchange(ahead_.asleep_, false)) {
        return;
    }
    if (Instruction* pause = ahead_.pausedBy_.get()) {
        pause->cancel();
    }
}

} // namespace ropewalk::flow::detail
