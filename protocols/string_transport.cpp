#include <ropewalk/protocols/string_transport.hpp>

#include <utility>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/failure.hpp>
#include <ropewalk/reactor/connection_errors.hpp>

namespace ropewalk::protocols {

StringTransport::StringTransport() : StringTransport(Options()) {}

StringTransport::StringTransport(Options options) : options_(std::move(options)) {
    connected_ = true;
}

void StringTransport::loseConnection() {
    disconnecting_ = true;
}

void StringTransport::abortConnection() {
    disconnected_ = true;
    loseConnection();
}

void StringTransport::registerProducer(std::shared_ptr<Producer> producer, bool streaming) {
    if (producer_) {
        throw RuntimeError("a second producer can't be registered");
    }
    producer_ = std::move(producer);
    streaming_ = streaming;
}

void StringTransport::unregisterProducer() {
    if (!producer_) {
        throw RuntimeError("no producer is registered");
    }
    producer_ = nullptr;
    streaming_ = std::nullopt;
}

void StringTransport::checkState() const {
    if (disconnecting_ && !options_.lenient) {
        throw RuntimeError("reading can't be resumed after loseConnection");
    }
    if (producerState_ == "stopped") {
        throw RuntimeError("a stopped producer can't be resumed");
    }
}

void StringTransport::pauseProducing() {
    checkState();
    producerState_ = "paused";
}

void StringTransport::resumeProducing() {
    checkState();
    producerState_ = "producing";
}

void StringTransport::stopProducing() {
    producerState_ = "stopped";
}

void StringTransportWithDisconnection::loseConnection() {
    if (!std::exchange(connected_, false)) {
        return;
    }
    if (const std::shared_ptr<Protocol> told = protocol.lock()) {
        told->connectionLost(Failure(ConnectionDone("Bye.")));
    }
}

} // namespace ropewalk::protocols
