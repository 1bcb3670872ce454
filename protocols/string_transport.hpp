#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <ropewalk/reactor/address.hpp>
#include <ropewalk/reactor/protocol.hpp>
#include <ropewalk/reactor/transport.hpp>

namespace ropewalk::protocols {

/// For tests: a transport that keeps what is written, and what else is asked of it, and does nothing
/// (`twisted.internet.testing.StringTransport`).
///
///     auto transport = std::make_shared<StringTransport>();
///     protocol.makeConnection(transport);
///     protocol.dataReceived("hello\r\n");
///     CHECK(transport->value() == "hello\r\n");
class StringTransport : public Transport {
public:
    struct Options {
        Address hostAddress = IPv4Address{.type = "TCP", .host = "10.0.0.1", .port = 12345};
        Address peerAddress = IPv4Address{.type = "TCP", .host = "192.168.1.1", .port = 54321};
        /// Whether reading may be paused and resumed after `loseConnection`; otherwise that throws
        /// `RuntimeError`.
        bool lenient = false;
    };

    StringTransport();
    explicit StringTransport(Options options);

    /// What was written since the last `clear`.
    const std::string& value() const noexcept { return value_; }
    void clear() noexcept { value_.clear(); }

    /// `disconnecting` from now on, no more; what is written is kept nevertheless.
    void loseConnection() override;
    /// `disconnected` too.
    void abortConnection() override;
    bool disconnected() const noexcept { return disconnected_; }
    void loseWriteConnection() override { writeDisconnected_ = true; }
    /// Whether `loseWriteConnection` was called.
    bool writeDisconnected() const noexcept { return writeDisconnected_; }

    Address getHost() const override { return options_.hostAddress; }
    Address getPeer() const override { return options_.peerAddress; }
    std::size_t writeBufferSize() const override { return 0; }

    /// Keeps the producer, and never calls it.
    void registerProducer(std::shared_ptr<Producer> producer, bool streaming) override;
    /// Unlike others, throws `RuntimeError` if there is none.
    void unregisterProducer() override;
    const std::shared_ptr<Producer>& producer() const noexcept { return producer_; }
    /// How it was registered; none without a producer.
    std::optional<bool> streaming() const noexcept { return streaming_; }

    /// These three throw nothing but `RuntimeError`: the first two after `loseConnection` and after
    /// `stopProducing`.
    void pauseProducing() override;
    void resumeProducing() override;
    void stopProducing() override;
    /// "producing", "paused" or "stopped".
    std::string_view producerState() const noexcept { return producerState_; }

protected:
    void writeMore(std::string_view data) override { value_ += data; }

private:
    void checkState() const;

    Options options_;
    std::string value_;
    std::shared_ptr<Producer> producer_;
    std::optional<bool> streaming_;
    std::string_view producerState_ = "producing";
    bool disconnected_ = false;
    bool writeDisconnected_ = false;
};

/// The same, but `loseConnection` tells the protocol at once that the connection was lost:
/// `ConnectionDone("Bye.")`, the first time (`testing.StringTransportWithDisconnection`).
class StringTransportWithDisconnection : public StringTransport {
public:
    using StringTransport::StringTransport;

    void loseConnection() override;

    /// The one that is told, if it is still there.
    std::weak_ptr<Protocol> protocol;
};

} // namespace ropewalk::protocols
