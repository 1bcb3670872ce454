#include <ropewalk/reactor/stream_transport.hpp>

#include <cstddef>
#include <exception>
#include <typeinfo>
#include <utility>

#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/trail.hpp>
#include <ropewalk/reactor/connection_errors.hpp>

namespace ropewalk::detail {

namespace {

constexpr std::size_t usualLimit = std::size_t{16} << 20;

} // namespace

StreamTransport::StreamTransport(Network& network, StreamHandle stream, Address&& peer,
                                 std::source_location where)
    : Kept(network),
      stream_(std::move(stream)),
      queue_(network.blocks),
      limit_(usualLimit),
      peer_(std::move(peer)),
      where_(where) {}

StreamTransport::~StreamTransport() = default;

/// Calls into the program. What that throws ends the connection.
template <class Function>
void StreamTransport::tell(const Function& function) noexcept {
    const defer::detail::Activation here(where_);
    try {
        function();
    } catch (...) {
        const Failure failure(where_);
        log::err(failure);
        lose(failure);
    }
}

void StreamTransport::begin(std::shared_ptr<Protocol> protocol, std::shared_ptr<void> keeper,
                            Origin* origin) noexcept {
    const auto self = shared_from_this();
    keep(self);
    connected_ = true;
    protocol_ = std::move(protocol);
    keeper_ = std::move(keeper);
    origin_ = origin;
    stream_->setListener(*this);
    if (protocol_ == nullptr) {
        loseConnection();
        return;
    }
    updateReading();
    const auto made = protocol_; // what it calls may run the loop
    tell([&] { made->makeConnection(self); });
}

void StreamTransport::refuse(std::shared_ptr<void> keeper, Origin* origin, const Failure& reason) noexcept {
    begin(nullptr, std::move(keeper), origin);
    lose(reason);
}

// Closing.

void StreamTransport::loseConnection() {
    if (!connected_ || disconnecting_) {
        return;
    }
    disconnecting_ = true;
    updateReading();
    unsettle();
}

void StreamTransport::abortConnection() {
    if (!connected_ || aborted_) {
        return;
    }
    aborted_ = true;
    disconnecting_ = true;
    closeWindow();
    updateReading();
    network_->reactor.callLater(Seconds(0),
                                [self = std::static_pointer_cast<StreamTransport>(shared_from_this())] {
                                    self->lose(Failure(ConnectionAborted(), self->where_), true);
                                });
}

void StreamTransport::loseWriteConnection() {
    if (!connected_ || writeEnding_) {
        return;
    }
    closeWindow();
    writeEnding_ = true;
    unsettle();
}

/// The cast is slow, and connections of one kind come in numbers.
IHalfCloseableProtocol* StreamTransport::halfCloseable() const noexcept {
    const Protocol* const protocol = protocol_.get();
    if (protocol == nullptr || network_->notHalfCloseable == &typeid(*protocol)) {
        return nullptr;
    }
    auto* half = dynamic_cast<IHalfCloseableProtocol*>(protocol_.get());
    if (half == nullptr) {
        network_->notHalfCloseable = &typeid(*protocol);
    }
    return half;
}

void StreamTransport::endWriting() noexcept {
    const auto self = shared_from_this();
    const auto protocol = protocol_; // what it calls may run the loop
    writeEnded_ = true;
    stream_->shutdown(); // if that fails, the next event of the stream says so
    if (auto* half = halfCloseable()) {
        tell([half] { half->writeConnectionLost(); });
    }
    if (connected_ && readEnded_) {
        lose(network_->connectionDone(where_));
    }
}

void StreamTransport::lose(const Failure& reason, bool reset) noexcept {
    if (!connected_) {
        return;
    }
    const std::shared_ptr<void> self = letGo();
    markSettled();
    closeWindow();
    connected_ = false;
    const auto keeper = std::move(keeper_);
    if (const auto producer = std::exchange(producer_, nullptr)) {
        tell([&] { producer->stopProducing(); });
    }
    if (reset) {
        stream_.release()->close(true);
    } else {
        stream_.reset();
    }
    queue_.clear();
    if (const auto protocol = std::exchange(protocol_, nullptr)) {
        tell([&] { protocol->connectionLost(reason); });
    }
    if (Origin* const origin = std::exchange(origin_, nullptr)) {
        tell([&] { origin->connectionLost(reason); });
    }
}

void StreamTransport::shutDown() noexcept {
    lose(Failure(ConnectionLost(), where_));
}

void StreamTransport::orphan() noexcept {
    markSettled();
    closeWindow();
    connected_ = false;
    stream_.reset();
    queue_.clear();
    producer_.reset();
    origin_ = nullptr;
    const auto keeper = std::move(keeper_);
    protocol_.reset();
}

// Reading.

void StreamTransport::pauseProducing() {
    paused_ = true;
    updateReading();
}

void StreamTransport::resumeProducing() {
    paused_ = false;
    updateReading();
}

void StreamTransport::updateReading() noexcept {
    const bool heldBack = paused_ || (overLimit_ && policy_ == WriteLimit::pauseReading);
    const bool wanted = connected_ && !heldBack && !disconnecting_ && !readEnded_ && !broken_;
    if (wanted == reading_ || !stream_) {
        return;
    }
    reading_ = wanted;
    if (wanted) {
        stream_->readStart();
    } else {
        stream_->readStop();
    }
}

void StreamTransport::streamRead(std::string_view data) noexcept {
    const EventScope event(network_->reactor);
    tell([&] { protocol_->dataReceived(data); });
}

void StreamTransport::streamEnded(std::error_code error) noexcept {
    const EventScope event(network_->reactor);
    const auto self = shared_from_this();
    readEnded_ = true;
    reading_ = false;
    if (error) {
        lose(Failure(ConnectionLost(error), where_));
        return;
    }
    auto* half = halfCloseable();
    if (half == nullptr) {
        lose(network_->connectionDone(where_));
        return;
    }
    tell([half] { half->readConnectionLost(); });
    if (connected_ && writeEnded_) {
        lose(network_->connectionDone(where_));
    }
}

// When all is sent, and producers.

void StreamTransport::allSent() noexcept {
    if (std::exchange(overLimit_, false)) {
        updateReading();
    }
    if (producer_ != nullptr && (!streaming_ || producerPaused_)) {
        const auto self = shared_from_this();
        if (std::exchange(sentSome_, false)) {
            producerPaused_ = false;
            const auto producer = producer_;
            tell([&] { producer->resumeProducing(); });
        }
        if (streaming_ && connected_ && (disconnecting_ || (writeEnding_ && !writeEnded_))) {
            unsettle(); // a producer that makes no more must not keep the connection
        }
    } else if (disconnecting_) {
        lose(network_->connectionDone(where_));
    } else if (writeEnding_ && !writeEnded_) {
        endWriting();
    }
}

void StreamTransport::registerProducer(std::shared_ptr<Producer> producer, bool streaming) {
    if (producer_ != nullptr) {
        throw RuntimeError("Cannot register a producer, because another one was never unregistered.");
    }
    if (!connected_) {
        producer->stopProducing();
        return;
    }
    closeWindow();
    producer_ = producer;
    streaming_ = streaming;
    producerPaused_ = false;
    sentSome_ = false;
    if (!streaming) {
        producer->resumeProducing();
    }
}

void StreamTransport::unregisterProducer() {
    closeWindow();
    producer_.reset();
    if (connected_ && (disconnecting_ || writeEnding_)) {
        unsettle();
    }
}

// What it is between.

Address StreamTransport::getHost() const {
    if (host_ == nullptr && stream_) {
        host_ = std::make_unique<Address>(stream_->localAddress());
    }
    return host_ != nullptr ? *host_ : Address();
}

void StreamTransport::setOption(Stream::Option option, bool enabled) {
    if (!stream_) {
        return;
    }
    if (const std::error_code error = stream_->setOption(option, enabled)) {
        throw IOError(error);
    }
}

} // namespace ropewalk::detail
