#include <ropewalk/flow/deferred_instruction.hpp>

#include <utility>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk::flow::detail {

using defer::detail::Chain;

/// What waits in the chain: either may go first.
class DeferredInstruction::Wait {
public:
    Wait(DeferredInstruction& instruction, Chain& chain, Wake wake) noexcept
        : instruction_(&instruction), chain_(&chain), wake_(std::move(wake)) {
        instruction.wait_ = this;
    }
    Wait(Wait&& other) noexcept
        : instruction_(std::exchange(other.instruction_, nullptr)),
          chain_(other.chain_),
          wake_(std::move(other.wake_)),
          cancelled_(other.cancelled_) {
        if (instruction_ != nullptr) {
            instruction_->wait_ = this;
        }
    }
    Wait& operator=(Wait&&) = delete;
    ~Wait() { leave(); }

    void leave() noexcept {
        if (DeferredInstruction* instruction = std::exchange(instruction_, nullptr)) {
            instruction->wait_ = nullptr;
        }
    }
    void forget() noexcept { instruction_ = nullptr; }
    void cancelled() noexcept { cancelled_ = true; }
    Chain& awaited() const noexcept { return *chain_; }

    void operator()(Chain& chain, const defer::detail::Entry&, defer::detail::Loop&) {
        if (instruction_ != nullptr) {
            instruction_->fired(chain);
        }
        leave();
        if (cancelled_ && chain.kind == Chain::Kind::failure &&
            chain.failure.check<defer::CancelledError>() != nullptr) {
            chain.setNone("the flow that was cancelled", chain.madeAt);
        }
        std::exchange(wake_, nullptr)();
    }

private:
    DeferredInstruction* instruction_; // null: it is gone
    Chain* chain_;
    Wake wake_;
    bool cancelled_ = false; // by the flow: nobody else is there for the failure that it caused
};

DeferredInstruction::~DeferredInstruction() {
    if (wait_ != nullptr) {
        wait_->forget();
    }
    if (chain_ != nullptr) {
        chain_->release();
    }
}

/// Another flow that waits for it.
struct DeferredInstruction::Also {
    void operator()(Chain&, const defer::detail::Entry&, defer::detail::Loop&) {
        std::exchange(wake, nullptr)();
    }

    Wake wake;
};

void DeferredInstruction::callLater(ReactorTime&, Wake wake) {
    if (wait_ != nullptr) {
        defer::detail::addTap(wait_->awaited(), Also{std::move(wake)}, where_);
        return;
    }
    Chain* chain = std::exchange(chain_, nullptr);
    if (chain == nullptr) {
        wake();
        return;
    }
    defer::detail::addTap(*chain, Wait(*this, *chain, std::move(wake)), where_);
    chain->release();
}

void DeferredInstruction::cancel() {
    if (wait_ != nullptr) {
        Chain& chain = wait_->awaited();
        chain.retain();
        wait_->cancelled();
        chain.cancel("the flow that waits for it was cancelled", where_);
        chain.release();
    }
}

} // namespace ropewalk::flow::detail
