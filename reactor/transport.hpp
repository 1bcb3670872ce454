#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>

#include <ropewalk/reactor/address.hpp>
#include <ropewalk/reactor/producer.hpp>

namespace ropewalk {

/// What happens when more waits to be sent than a transport's limit allows, and no producer is registered
/// that could be paused.
enum class WriteLimit : std::uint8_t {
    report,       ///< the log warns, once until all is sent
    pauseReading, ///< nothing is read until all is sent: who doesn't take answers may ask no more
    close,        ///< the connection is aborted
};

/// The sending side of a connection, and its end (`ITransport`, `ITCPTransport`, `IConsumer`); as a `Producer`,
/// its receiving side. All of it belongs to the reactor's thread. Nothing here calls into a protocol (a
/// producer may be paused at once): what follows from a call follows later.
///
/// Once closed it does nothing, and still knows its peer.
class Transport : public Producer, public Consumer, public std::enable_shared_from_this<Transport> {
public:
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    /// Sends a copy of the data, after all that was written before; what is written in one turn of the loop
    /// leaves in as few system calls as it can. It never waits: what the peer doesn't take is kept.
    void write(std::string_view data) {
        // Nothing at all doesn't fit: there may be no window to copy it to.
        if (data.size() - 1 < static_cast<std::size_t>(windowEnd_ - window_)) [[likely]] {
            std::memcpy(window_, data.data(), data.size());
            window_ += data.size();
        } else {
            writeMore(data);
        }
    }
    /// Sends the data itself, without copying it.
    template <std::same_as<std::string> String>
    void write(String&& data) {
        if (data.size() <= static_cast<std::size_t>(windowEnd_ - window_)) {
            write(std::string_view(data));
        } else {
            writeString(std::forward<String>(data));
        }
    }
    void write(const char* data) { write(std::string_view(data)); }

    /// Sends all pieces of a range of strings.
    template <std::ranges::input_range Pieces>
        requires std::convertible_to<std::ranges::range_reference_t<Pieces>, std::string_view>
    void writeSequence(Pieces&& pieces) {
        for (auto&& piece : pieces) {
            write(std::string_view(piece));
        }
    }
    void writeSequence(std::initializer_list<std::string_view> pieces) {
        for (const std::string_view piece : pieces) {
            write(piece);
        }
    }

    /// Closes the connection when all is sent, what a pull producer still makes included: that has to
    /// unregister itself. No more is read.
    virtual void loseConnection() = 0;
    /// Closes the connection now, with a reset; the protocol is told in the next turn, by `ConnectionAborted`.
    virtual void abortConnection() = 0;
    /// Ends the data of this side when all is sent, what a pull producer still makes included; one may still
    /// read. Nothing else can be written from now on.
    virtual void loseWriteConnection() = 0;

    /// Reads no more for now, or again.
    void pauseProducing() override = 0;
    void resumeProducing() override = 0;
    /// As `loseConnection`.
    void stopProducing() override { loseConnection(); }

    /// This side's address; none once the connection is closed, unless it was asked for before.
    virtual Address getHost() const = 0;
    /// The other side's.
    virtual Address getPeer() const = 0;

    /// Whether the connection is there: until the protocol's `connectionLost`.
    bool connected() const noexcept { return connected_; }
    /// Whether `loseConnection` was called.
    bool disconnecting() const noexcept { return disconnecting_; }

    /// Whether small pieces are sent at once, rather than kept until the peer has acknowledged those before
    /// (TCP_NODELAY). Off at first, and on what isn't TCP. Throws `IOError`.
    virtual void setTcpNoDelay(bool enabled);
    virtual bool getTcpNoDelay() const;
    /// Whether the system asks a silent peer, now and then, if it is still there (SO_KEEPALIVE). Off at first.
    virtual void setTcpKeepAlive(bool enabled);
    virtual bool getTcpKeepAlive() const;

    /// How many bytes wait to be sent.
    virtual std::size_t writeBufferSize() const = 0;
    /// How many bytes may wait before `policy` takes effect; at first 16 MiB, and `report`. Twisted has none.
    virtual void setWriteLimit(std::size_t bytes, WriteLimit policy);

protected:
    Transport() = default;

    // What is written goes to the window while it fits, and else to these two. An implementation that keeps
    // no window, which is how one begins, sees every write here.
    virtual void writeMore(std::string_view data) = 0;
    virtual void writeString(std::string&& data) { writeMore(data); }

    char* window_ = nullptr; // where the next byte goes
    char* windowEnd_ = nullptr;
    bool connected_ = false;
    bool disconnecting_ = false;
};

} // namespace ropewalk
