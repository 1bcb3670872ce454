#include <ropewalk/flow/connection_flow.hpp>

#include <ropewalk/defer/log.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/reactor_time.hpp>

namespace ropewalk::flow::detail {

// A protocol that nobody else has could never be woken by its connection; but it mustn't go under its flow's feet.
bool ConnectionFlow::advanceToEnd() {
    std::shared_ptr<void> protocol = conversation_->keep();
    kept_ = protocol;
    bool ended = false;
    try {
        ended = advance(root());
    } catch (...) {
        kept_ = std::move(protocol);
        throw;
    }
    if (ended) {
        if (const std::optional<Failure>& failure = root().failure; failure && !root().stop) {
            failure_ = *failure;
        }
        kept_ = std::move(protocol);
    } else if (kept_ == nullptr && protocol.use_count() == 1) {
        clock().callLater(Seconds(0), [last = std::move(protocol)] {});
    }
    return ended;
}

void ConnectionFlow::arm(Instruction& pause, Wake wake) {
    kept_ = conversation_->isOwn(pause) ? nullptr : conversation_->keep();
    LivingFlow::arm(pause, std::move(wake));
}

void ConnectionFlow::close() noexcept {
    closeRoot();
    if (conversation_ != nullptr) {
        conversation_->flowEnded();
    }
}

void ConnectionFlow::fire() {
    Conversation& conversation = *std::exchange(conversation_, nullptr);
    if (!failure_.empty()) {
        conversation.flowFailed(std::exchange(failure_, Failure(nullptr)));
    }
    const std::shared_ptr<void> last = std::move(kept_);
}

/// Pauses the flow while the transport has too much to send. The transport shares it.
class Conversation::Writing final : public Producer {
public:
    explicit Writing(Conversation& conversation) noexcept : conversation_(&conversation) {}
    void forget() noexcept { conversation_ = nullptr; }

    void pauseProducing() override {
        if (conversation_ != nullptr) {
            conversation_->full_ = true;
        }
    }
    void resumeProducing() override {
        if (Conversation* conversation = conversation_) {
            conversation->full_ = false;
            conversation->withinCall([conversation] { conversation->drained_.wake(); });
        }
    }
    void stopProducing() override {
        if (Conversation* conversation = std::exchange(conversation_, nullptr)) {
            conversation->writing_ = nullptr;
        }
    }

private:
    Conversation* conversation_;
};

void Conversation::Reading::pauseProducing() {
    if (!conversation_.link_->disconnecting()) {
        conversation_.link_->pauseProducing();
    }
}

void Conversation::Reading::resumeProducing() {
    if (!conversation_.link_->disconnecting()) {
        conversation_.link_->resumeProducing();
    }
}

void Conversation::gainLink(const std::shared_ptr<Transport>& transport, bool held) {
    link_ = transport;
    if (held) {
        writing_ = std::make_shared<Writing>(*this);
        link_->registerProducer(writing_, true);
    }
}

void Conversation::beginFlow(const task::detail::Ref<ConnectionFlow>& flow) {
    flow_ = flow.get();
    flow->begin();
}

void Conversation::loseLink() noexcept {
    lost_ = true;
    full_ = false;
    if (const auto writing = std::exchange(writing_, nullptr)) {
        writing->forget();
    }
}

void Conversation::endFlow() noexcept {
    if (flow_ != nullptr) {
        const task::detail::Ref<ConnectionFlow> flow(*flow_);
        flow->cancel();
        flow->conversation_ = nullptr;
    }
}

void Conversation::flowEnded() noexcept {
    flow_ = nullptr;
    const auto writing = std::exchange(writing_, nullptr);
    if (lost_) {
        return;
    }
    try {
        if (writing != nullptr) {
            writing->forget();
            link_->unregisterProducer();
        }
        link_->loseConnection();
    } catch (...) {
        log::err(Failure());
    }
}

void Conversation::flowFailed(Failure failure) noexcept {
    if (calls_ != 0 && !lost_) {
        error_ = std::move(failure);
    } else if (!lost_ || failure.check<ConnectionClosed>() == nullptr) {
        log::err(failure);
    }
}

} // namespace ropewalk::flow::detail
