#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>

#include <ropewalk/reactor/address.hpp>

/// What a `Driver` makes connections of. Beneath `Transport`, which has the buffers and the rules.
namespace ropewalk {

/// Is told, from within `Driver::poll`, what becomes of a stream. It may close the stream in any of these.
class StreamListener {
public:
    /// After `Driver::connect`: the connection is there, or came to nothing.
    virtual void streamConnected(std::error_code error) noexcept = 0;
    /// After `readStart`: some bytes, never none, 65,536 at most, valid during the call. Once a stream in a
    /// `poll`.
    virtual void streamRead(std::string_view data) noexcept = 0;
    /// After `readStart`: the peer sends no more, or, with an error, the connection is broken. Nothing is
    /// read any more.
    virtual void streamEnded(std::error_code error) noexcept = 0;
    /// After `write`: it is done, or failed.
    virtual void streamWritten(std::error_code error) noexcept = 0;

protected:
    StreamListener() = default;
    StreamListener(const StreamListener&) = default;
    StreamListener& operator=(const StreamListener&) = default;
    ~StreamListener() = default;
};

/// One end of a connection. It belongs to its driver's thread, and is closed before the driver goes.
class Stream {
public:
    enum class Option : std::uint8_t { noDelay, keepAlive };

    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// Whom to tell from now on.
    virtual void setListener(StreamListener& listener) noexcept = 0;
    /// Reads, from now on or no more.
    virtual void readStart() noexcept = 0;
    virtual void readStop() noexcept = 0;
    /// Sends what the system takes at once, and returns how many bytes that was; not while a `write` is under
    /// way. `error` is set when the connection is broken.
    virtual std::size_t tryWrite(std::span<const std::string_view> parts,
                                 std::error_code& error) noexcept = 0;
    /// Sends all of it; the listener is told when that is done. The bytes must stay until then, or until the
    /// stream is closed; the span needn't. One at a time.
    virtual void write(std::span<const std::string_view> parts) = 0;
    /// Ends the data of this side. Not while a `write` is under way.
    virtual std::error_code shutdown() noexcept = 0;
    /// Closes it, and takes it away: nobody is told anything any more. With `reset`, the peer sees an error.
    virtual void close(bool reset) noexcept = 0;

    /// This side's address; none if there is no telling.
    virtual Address localAddress() const = 0;
    virtual std::error_code setOption(Option option, bool enabled) noexcept = 0;
    virtual bool option(Option option) const noexcept = 0;

protected:
    ~Stream() = default;
};

struct CloseStream {
    void operator()(Stream* stream) const noexcept { stream->close(false); }
};
using StreamHandle = std::unique_ptr<Stream, CloseStream>;

/// Is told, from within `Driver::poll`, of connections that come in.
class AcceptListener {
public:
    virtual void accepted(StreamHandle stream, Address&& peer) noexcept = 0;
    /// There is a connection, but it can't be had: descriptors or memory have run out.
    virtual void acceptFailed(std::error_code error) noexcept = 0;

protected:
    AcceptListener() = default;
    AcceptListener(const AcceptListener&) = default;
    AcceptListener& operator=(const AcceptListener&) = default;
    ~AcceptListener() = default;
};

/// A socket that listens, until it is destroyed. It belongs to its driver's thread, and goes before the driver
/// does; its listener may destroy it.
class ListeningSocket {
public:
    ListeningSocket() = default;
    ListeningSocket(const ListeningSocket&) = delete;
    ListeningSocket& operator=(const ListeningSocket&) = delete;
    virtual ~ListeningSocket() = default;

    /// Accepts nothing for now, or again, as at first.
    virtual void pause() noexcept = 0;
    virtual void resume() noexcept = 0;
    virtual Address localAddress() const = 0;
};

} // namespace ropewalk
