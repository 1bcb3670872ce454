#include <ropewalk/reactor/stream_transport.hpp>

#include <array>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <typeinfo>
#include <utility>

#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/trail.hpp>
#include <ropewalk/reactor/connection_errors.hpp>

namespace ropewalk::detail {

namespace {

// What a streaming producer may have made before it is paused: Twisted's.
constexpr std::size_t producerLimit = 65536;
constexpr std::size_t usualLimit = std::size_t{16} << 20;
// So much is worth a system call of its own rather than a copy.
constexpr std::size_t worthSendingAtOnce = 16384;
// How many stretches of the queue go into one system call.
constexpr std::size_t partsAtOnce = 16;

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

// Writing.

/// After `loseWriteConnection`, a producer may still end what it makes.
bool StreamTransport::takesWrites() const noexcept {
    const bool ended = writeEnded_ || (writeEnding_ && producer_ == nullptr);
    return connected_ && !ended && !aborted_ && !broken_;
}

std::size_t StreamTransport::writeBufferSize() const {
    return queue_.size() + static_cast<std::size_t>(window_ != nullptr ? window_ - queue_.end() : 0);
}

void StreamTransport::writeMore(std::string_view data) {
    if (!takesWrites() || data.empty()) {
        return;
    }
    closeWindow();
    sendAtOnce(data);
    queue_.append(data);
    wrote();
}

void StreamTransport::writeString(std::string&& data) {
    if (!takesWrites()) {
        return;
    }
    if (data.size() <= RoomBlock::room) {
        writeMore(data);
        return;
    }
    closeWindow();
    std::string_view rest = data;
    sendAtOnce(rest);
    if (rest.size() == data.size()) {
        queue_.append(std::move(data));
    } else {
        queue_.append(rest);
    }
    wrote();
}

/// A large piece is sent rather than kept, as far as the system takes it, unless a producer would have to be
/// paused for it: what is left of `data` is to be kept.
void StreamTransport::sendAtOnce(std::string_view& data) noexcept {
    if (data.size() >= worthSendingAtOnce && queue_.size() == 0 && data.size() <= limit()) {
        const std::size_t sent = stream_->tryWrite({&data, 1}, broken_);
        data.remove_prefix(sent);
        sentSome_ = sentSome_ || sent != 0;
    }
}

void StreamTransport::wrote() {
    // The first write of a turn is often the only one.
    const bool isFirst = isSettled();
    unsettle();
    if (queue_.size() > limit()) {
        overLimit(); // which may call the program, and that may write
    } else if (!isFirst) {
        openWindow();
    }
}

std::size_t StreamTransport::limit() const noexcept {
    if (producer_ != nullptr) {
        return streaming_ && !producerPaused_ ? producerLimit : SIZE_MAX;
    }
    return overLimit_ ? SIZE_MAX : limit_;
}

void StreamTransport::overLimit() {
    if (producer_ != nullptr) {
        producerPaused_ = true;
        const auto producer = producer_;
        producer->pauseProducing();
        return;
    }
    overLimit_ = true;
    switch (policy_) {
        case WriteLimit::report:
            log::warn("More than " + std::to_string(limit_) + " bytes wait to be sent to " + str(peer_) +
                      ", which doesn't take them");
            break;
        case WriteLimit::pauseReading:
            updateReading();
            break;
        case WriteLimit::close:
            abortConnection();
            break;
    }
}

void StreamTransport::openWindow() noexcept {
    if (!takesWrites() || queue_.size() >= limit()) {
        return;
    }
    const std::span<char> room = queue_.room(limit() - queue_.size());
    if (!room.empty()) {
        window_ = room.data();
        windowEnd_ = room.data() + room.size();
    }
}

void StreamTransport::closeWindow() noexcept {
    if (window_ != nullptr) {
        queue_.used(static_cast<std::size_t>(window_ - queue_.end()));
        window_ = windowEnd_ = nullptr;
    }
}

void StreamTransport::setWriteLimit(std::size_t bytes, WriteLimit policy) {
    closeWindow();
    limit_ = bytes;
    policy_ = policy;
    overLimit_ = false;
    updateReading();
    if (connected_ && queue_.size() > limit()) {
        overLimit();
    }
}

void StreamTransport::unsettle() noexcept {
    markUnsettled(*network_);
}

void StreamTransport::settle() noexcept {
    closeWindow();
    if (aborted_ || sending_ != 0) {
        return;
    }
    if (queue_.size() != 0 && !broken_) {
        send();
    }
    if (broken_) {
        lose(Failure(ConnectionLost(broken_), where_));
    } else if (sending_ == 0) {
        allSent();
    }
}

void StreamTransport::send() noexcept {
    if (queue_.isSinglePart()) {
        const std::string_view part = queue_.firstPart();
        removeSent(stream_->tryWrite({&part, 1}, broken_));
        if (queue_.size() == 0 || broken_) {
            return;
        }
    }
    std::array<std::string_view, partsAtOnce> parts;
    while (queue_.size() != 0) {
        const std::span<const std::string_view> front(parts.data(), queue_.front(parts));
        std::size_t size = 0;
        for (const std::string_view part : front) {
            size += part.size();
        }
        const std::size_t sent = stream_->tryWrite(front, broken_);
        removeSent(sent);
        if (sent < size) {
            break;
        }
    }
    if (queue_.size() == 0 || broken_) {
        return;
    }
    const std::span<const std::string_view> front(parts.data(), queue_.front(parts));
    for (const std::string_view part : front) {
        sending_ += part.size();
    }
    try {
        stream_->write(front);
    } catch (...) {
        sending_ = 0;
        broken_ = std::make_error_code(std::errc::not_enough_memory);
    }
}

void StreamTransport::removeSent(std::size_t count) noexcept {
    queue_.remove(count);
    sentSome_ = sentSome_ || count != 0;
}

void StreamTransport::streamWritten(std::error_code error) noexcept {
    const EventScope event(network_->reactor);
    closeWindow();
    markSettled();
    removeSent(std::exchange(sending_, 0));
    if (error && !broken_) {
        broken_ = error;
    }
    settle();
}

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

// Producers.

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
