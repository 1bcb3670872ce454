#include <ropewalk/flow/callback.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/log.hpp>

namespace ropewalk::flow::detail {

void Fed::registerProducer(std::shared_ptr<Producer> producer, bool streaming) {
    if (producer_ != nullptr) {
        throw RuntimeError("a Callback has a producer already, which was never unregistered");
    }
    if (isOver()) {
        producer->stopProducing();
        return;
    }
    producer_ = std::move(producer);
    streaming_ = streaming;
    paused_ = false;
    asked_ = false;
    if (isEmpty()) {
        static_cast<void>(askProducer());
    }
}

void Fed::unregisterProducer() {
    producer_.reset();
}

void Fed::holdUp() {
    if (producer_ != nullptr && streaming_ && !paused_) {
        paused_ = true;
        const auto producer = producer_;
        producer->pauseProducing();
    }
}

bool Fed::askProducer() {
    if (producer_ == nullptr || !(streaming_ ? paused_ : !asked_)) {
        return false;
    }
    paused_ = false;
    asked_ = true;
    const auto producer = producer_;
    producer->resumeProducing();
    return true;
}

void Fed::leaveProducer() noexcept {
    if (const auto producer = std::exchange(producer_, nullptr)) {
        try {
            producer->stopProducing();
        } catch (...) {
            log::err(Failure());
        }
    }
}

} // namespace ropewalk::flow::detail
