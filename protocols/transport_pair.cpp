#include <ropewalk/protocols/transport_pair.hpp>

#include <algorithm>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/failure.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/reactor/connection_errors.hpp>

namespace ropewalk::protocols {

namespace detail {

/// One end of the connection.
class PairTransport final : public Transport {
public:
    PairTransport(std::size_t window, Address host, Address peerAddress)
        : capacity_(window), host_(std::move(host)), peerAddress_(std::move(peerAddress)) {
        connected_ = true;
    }

    void begin(std::shared_ptr<Protocol> protocol, PairTransport& peer) {
        peer_ = &peer;
        protocol_ = std::move(protocol);
        tell([&] { protocol_->makeConnection(shared_from_this()); });
    }
    void letGo() {
        letGo_ = true;
        connected_ = false;
        producer_.reset();
        protocol_.reset();
    }

    bool wasLetGo() const noexcept { return letGo_; }

    // The three parts of a step.

    void send() {
        const std::size_t count = std::min(waiting_.size(), capacity_ - std::min(capacity_, sent_.size()));
        sent_.append(waiting_, 0, count);
        waiting_.erase(0, count);
        sentSome_ = sentSome_ || count != 0;
    }
    bool deliver(std::size_t pieceSize);
    bool settle();

    void loseConnection() override { disconnecting_ = disconnecting_ || connected_; }
    void abortConnection() override {
        if (connected_) {
            aborted_ = true;
            disconnecting_ = true;
        }
    }
    void loseWriteConnection() override { writeEnding_ = writeEnding_ || connected_; }
    void pauseProducing() override { paused_ = true; }
    void resumeProducing() override { paused_ = false; }
    void registerProducer(std::shared_ptr<Producer> producer, bool streaming) override;
    void unregisterProducer() override { producer_.reset(); }
    Address getHost() const override { return host_; }
    Address getPeer() const override { return peerAddress_; }
    std::size_t writeBufferSize() const override { return waiting_.size(); }

private:
    static constexpr std::size_t producerLimit = 65536;

    void writeMore(std::string_view data) override;
    bool reads() const noexcept { return connected_ && !paused_ && !disconnecting_ && !readEnded_; }
    bool peerEnded();
    bool allSent();
    void lose(const Failure& reason, bool reset = false);

    /// Calls into the program. What that throws ends the connection.
    template <class Function>
    void tell(const Function& function) {
        const auto kept = protocol_;
        try {
            function();
        } catch (...) {
            const Failure failure;
            log::err(failure);
            lose(failure);
        }
    }

    const std::size_t capacity_;
    const Address host_;
    const Address peerAddress_;
    PairTransport* peer_ = nullptr;
    std::shared_ptr<Protocol> protocol_;
    std::shared_ptr<Producer> producer_;
    std::string waiting_; // to be sent
    std::string sent_;    // and not read by the peer
    bool streaming_ = false;
    bool producerPaused_ = false;
    bool sentSome_ = false; // since the producer was last resumed
    bool paused_ = false;
    bool writeEnding_ = false;
    bool writeEnded_ = false; // the peer can see so, when it has read what was sent
    bool readEnded_ = false;  // the peer sends no more
    bool aborted_ = false;
    bool reset_ = false; // by the peer
    bool letGo_ = false; // the pair is gone
};

void PairTransport::writeMore(std::string_view data) {
    if (!connected_ || writeEnding_ || aborted_) {
        return;
    }
    waiting_ += data;
    if (producer_ && streaming_ && !producerPaused_ && waiting_.size() > producerLimit) {
        producerPaused_ = true;
        const auto producer = producer_;
        producer->pauseProducing();
    }
}

void PairTransport::registerProducer(std::shared_ptr<Producer> producer, bool streaming) {
    if (producer_) {
        throw RuntimeError("a second producer can't be registered");
    }
    if (!connected_) {
        producer->stopProducing();
        return;
    }
    producer_ = producer;
    streaming_ = streaming;
    producerPaused_ = false;
    sentSome_ = false;
    if (!streaming) {
        producer->resumeProducing();
    }
}

bool PairTransport::deliver(std::size_t pieceSize) {
    if (sent_.empty()) {
        return false;
    }
    const std::string moving = std::exchange(sent_, {});
    std::size_t moved = 0;
    while (moved < moving.size() && peer_->reads() && !aborted_) {
        const std::string_view piece = std::string_view(moving).substr(moved, pieceSize);
        moved += piece.size();
        peer_->tell([&] { peer_->protocol_->dataReceived(piece); });
    }
    if (peer_->connected_ && !peer_->disconnecting_ && !peer_->readEnded_) {
        if (!aborted_) {
            sent_.insert(0, moving, moved);
        }
        return moved != 0;
    }
    // Whoever writes although the other side has closed learns it the hard way.
    reset_ = reset_ || (readEnded_ && !peer_->connected_);
    return true;
}

bool PairTransport::settle() {
    if (!connected_) {
        return false;
    }
    const auto self = shared_from_this();
    if (aborted_) {
        lose(Failure(ConnectionAborted()), true);
        return true;
    }
    if (reset_) {
        lose(Failure(ConnectionLost(std::make_error_code(std::errc::connection_reset))));
        return true;
    }
    const bool ended = reads() && peer_->writeEnded_ && peer_->sent_.empty() && peerEnded();
    return (connected_ && waiting_.empty() && allSent()) || ended;
}

bool PairTransport::peerEnded() {
    readEnded_ = true;
    auto* half = dynamic_cast<IHalfCloseableProtocol*>(protocol_.get());
    if (half == nullptr) {
        lose(Failure(ConnectionDone()));
        return true;
    }
    tell([half] { half->readConnectionLost(); });
    if (connected_ && writeEnded_) {
        lose(Failure(ConnectionDone()));
    }
    return true;
}

bool PairTransport::allSent() {
    if (producer_ && (!streaming_ || producerPaused_)) {
        if (!std::exchange(sentSome_, false)) {
            return false;
        }
        producerPaused_ = false;
        const auto producer = producer_;
        tell([&] { producer->resumeProducing(); });
        return true;
    }
    if (disconnecting_) {
        lose(Failure(ConnectionDone()));
        return true;
    }
    if (!writeEnding_ || writeEnded_) {
        return false;
    }
    writeEnded_ = true;
    if (auto* half = dynamic_cast<IHalfCloseableProtocol*>(protocol_.get())) {
        tell([half] { half->writeConnectionLost(); });
    }
    if (connected_ && readEnded_) {
        lose(Failure(ConnectionDone()));
    }
    return true;
}

void PairTransport::lose(const Failure& reason, bool reset) {
    if (!connected_) {
        return;
    }
    const auto self = shared_from_this();
    connected_ = false;
    writeEnded_ = true;
    waiting_.clear();
    if (reset) {
        sent_.clear();
        peer_->reset_ = true;
    }
    if (const auto producer = std::exchange(producer_, nullptr)) {
        tell([&] { producer->stopProducing(); });
    }
    if (const auto protocol = std::exchange(protocol_, nullptr)) {
        tell([&] { protocol->connectionLost(reason); });
    }
}

} // namespace detail

using detail::PairTransport;

TransportPair::TransportPair(std::shared_ptr<Protocol> server, std::shared_ptr<Protocol> client)
    : TransportPair(std::move(server), std::move(client), Options()) {}

TransportPair::TransportPair(std::shared_ptr<Protocol> server, std::shared_ptr<Protocol> client,
                             const Options& options)
    : server_(std::make_shared<PairTransport>(options.window, options.serverAddress, options.clientAddress)),
      client_(std::make_shared<PairTransport>(options.window, options.clientAddress, options.serverAddress)),
      pieceSize_(options.pieceSize),
      clock_(options.clock) {
    if (options.pieceSize == 0 || options.window == 0) {
        throw ValueError("a TransportPair that moves nothing");
    }
    server_->begin(std::move(server), *client_);
    client_->begin(std::move(client), *server_);
}

TransportPair::~TransportPair() {
    server_->letGo();
    client_->letGo();
}

// What is called in a step may destroy the pair.
bool TransportPair::pump() {
    const auto server = server_;
    const auto client = client_;
    const std::size_t pieceSize = pieceSize_;
    if (clock_ != nullptr) {
        clock_->advance(Seconds(0));
    }
    server->send();
    client->send();
    const bool toClient = server->deliver(pieceSize);
    const bool toServer = client->deliver(pieceSize);
    const bool serverSettled = server->settle();
    const bool clientSettled = client->settle();
    return toClient || toServer || serverSettled || clientSettled;
}

bool TransportPair::flush(int steps) {
    const auto server = server_;
    for (int step = 0; step < steps; ++step) {
        const bool happened = pump();
        if (server->wasLetGo()) {
            return true;
        }
        if (!happened) {
            return step != 0;
        }
    }
    throw AssertionError("no end of the traffic after " + std::to_string(steps) + " steps");
}

bool TransportPair::advance(Seconds time) {
    if (clock_ == nullptr) {
        throw AssertionError("a TransportPair without a clock");
    }
    const auto server = server_;
    clock_->advance(time);
    return server->wasLetGo() || flush();
}

Transport& TransportPair::serverTransport() const noexcept {
    return *server_;
}

Transport& TransportPair::clientTransport() const noexcept {
    return *client_;
}

} // namespace ropewalk::protocols
