#pragma once

#include <cstddef>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <system_error>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/reactor/driver.hpp>
#include <ropewalk/reactor/network.hpp>
#include <ropewalk/reactor/protocol.hpp>
#include <ropewalk/reactor/transport.hpp>
#include <ropewalk/reactor/write_queue.hpp>

namespace ropewalk::detail {

/// What a connection came from: a port's factory, or a connector. The connection keeps it.
class Origin {
public:
    /// The connection is lost, and its protocol has been told.
    virtual void connectionLost(const Failure& reason) = 0;

protected:
    Origin() = default;
    Origin(const Origin&) = default;
    Origin& operator=(const Origin&) = default;
    ~Origin() = default;
};

/// The transport of everything that is a stream: buffers, producers and the rules of closing, above a
/// `Stream`.
///
/// Whatever ends the connection comes to `lose`, and that only from the loop (`settle`, or an event of the
/// stream): so nothing that a protocol calls takes the connection away under its feet.
class StreamTransport final : public Transport, public Kept, private Unsettled, private StreamListener {
public:
    StreamTransport(Network& network, StreamHandle stream, Address&& peer, std::source_location where);
    ~StreamTransport() override;

    /// The connection begins. `keeper` is kept along, `origin` (part of it, or null) told of its end. A null
    /// protocol closes it at once.
    void begin(std::shared_ptr<Protocol> protocol, std::shared_ptr<void> keeper, Origin* origin) noexcept;
    /// The same, but ends it for `reason`: there came to be no protocol.
    void refuse(std::shared_ptr<void> keeper, Origin* origin, const Failure& reason) noexcept;

    void loseConnection() override;
    void abortConnection() override;
    void loseWriteConnection() override;
    void pauseProducing() override;
    void resumeProducing() override;
    void registerProducer(std::shared_ptr<Producer> producer, bool streaming) override;
    void unregisterProducer() override;
    Address getHost() const override;
    Address getPeer() const override { return peer_; }
    void setTcpNoDelay(bool enabled) override { setOption(Stream::Option::noDelay, enabled); }
    bool getTcpNoDelay() const override { return stream_ && stream_->option(Stream::Option::noDelay); }
    void setTcpKeepAlive(bool enabled) override { setOption(Stream::Option::keepAlive, enabled); }
    bool getTcpKeepAlive() const override { return stream_ && stream_->option(Stream::Option::keepAlive); }
    std::size_t writeBufferSize() const override;
    void setWriteLimit(std::size_t bytes, WriteLimit policy) override;

    void shutDown() noexcept override;
    void orphan() noexcept override;

private:
    void writeMore(std::string_view data) override;
    void writeString(std::string&& data) override;

    void streamConnected(std::error_code) noexcept override {}
    void streamRead(std::string_view data) noexcept override;
    void streamEnded(std::error_code error) noexcept override;
    void streamWritten(std::error_code error) noexcept override;
    void settle() noexcept override;

    bool takesWrites() const noexcept;
    void sendAtOnce(std::string_view& data) noexcept;
    void wrote();
    void closeWindow() noexcept;
    void openWindow() noexcept;
    std::size_t limit() const noexcept;
    void overLimit();
    void send() noexcept;
    IHalfCloseableProtocol* halfCloseable() const noexcept;
    void removeSent(std::size_t count) noexcept;
    void allSent() noexcept;
    void endWriting() noexcept;
    void updateReading() noexcept;
    void lose(const Failure& reason, bool reset = false) noexcept;
    void unsettle() noexcept { markUnsettled(*network_); }
    void setOption(Stream::Option option, bool enabled);

    template <class Function>
    void tell(const Function& function) noexcept;

    StreamHandle stream_;
    WriteQueue queue_;
    std::shared_ptr<Protocol> protocol_;
    std::shared_ptr<void> keeper_;
    Origin* origin_ = nullptr;
    std::shared_ptr<Producer> producer_;
    std::size_t limit_;
    std::size_t sending_ = 0; // bytes that the stream has been given and holds
    std::error_code broken_;
    Address peer_;
    mutable std::unique_ptr<Address> host_;
    std::source_location where_;
    WriteLimit policy_ = WriteLimit::report;
    bool streaming_ = false;
    bool producerPaused_ = false;
    bool sentSome_ = false; // since the producer was last resumed
    bool overLimit_ = false;
    bool paused_ = false;      // by pauseProducing
    bool reading_ = false;     // the stream was told to
    bool readEnded_ = false;   // the peer sends no more
    bool writeEnding_ = false; // loseWriteConnection was called
    bool writeEnded_ = false;  // and is done
    bool aborted_ = false;
};

} // namespace ropewalk::detail
