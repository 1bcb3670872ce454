#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <system_error>

#include <uv.h>

#include <ropewalk/defer/config.hpp>
#include <ropewalk/reactor/stream.hpp>

/// TCP streams and listening sockets of a `UvDriver`.
namespace ropewalk::detail {

/// Memory of streams that are closed, for those to come. Connections come and go in crowds, and then malloc, which has a
/// few blocks of each size at hand, would take as long as all the rest of a stream's making and closing.
class UvSpareStreams {
public:
    UvSpareStreams() = default;
    UvSpareStreams(const UvSpareStreams&) = delete;
    UvSpareStreams& operator=(const UvSpareStreams&) = delete;
    ~UvSpareStreams();

    void* take(std::size_t size);
    void giveBack(void* memory) noexcept; // of the size that all have

private:
    // Builds with checks, which the sanitizers are for, see every allocation.
    static constexpr std::size_t most = ROPEWALK_CHECKS ? 0 : 256;

    void* first_ = nullptr; // linked by the first word
    std::size_t count_ = 0;
};

/// What the streams of a driver share: where they read, and which `poll` it is.
struct UvReading {
    static constexpr std::size_t size = 65536;

    std::unique_ptr<char[]> buffer{new char[size]};
    std::uint64_t round = 0;
    UvSpareStreams spare;
};

/// A negative status of libuv's as an error of the system.
std::error_code uvError(int status) noexcept;

/// A `Stream` on a `uv_tcp_t`. It is allocated with `new (reading)`, and deletes itself when libuv has closed it.
class UvStream final : public Stream {
public:
    static void* operator new(std::size_t size, UvReading& reading) { return reading.spare.take(size); }
    static void operator delete(void* memory, UvReading& reading) noexcept { reading.spare.giveBack(memory); }
    static void operator delete(UvStream* stream, std::destroying_delete_t) noexcept;

    /// Throws `IOError`.
    UvStream(uv_loop_t* loop, UvReading& reading);

    /// Takes over a connected socket, whatever comes of it.
    std::error_code open(int descriptor) noexcept;
    std::error_code bind(const Address& address) noexcept;
    std::error_code connect(const Address& address);

    void setListener(StreamListener& listener) noexcept override { listener_ = &listener; }
    void readStart() noexcept override;
    void readStop() noexcept override;
    std::size_t tryWrite(std::span<const std::string_view> parts, std::error_code& error) noexcept override;
    void write(std::span<const std::string_view> parts) override;
    std::error_code shutdown() noexcept override;
    void close(bool reset) noexcept override;
    Address localAddress() const override;
    std::error_code setOption(Option option, bool enabled) noexcept override;
    bool option(Option option) const noexcept override;

private:
    ~UvStream() = default;

    static void provide(uv_handle_t* handle, std::size_t, uv_buf_t* buffer);
    static void received(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);

    uv_stream_t* stream() noexcept { return reinterpret_cast<uv_stream_t*>(&handle_); }
    int descriptor() const noexcept;
    std::error_code brokenBy() const noexcept;

    uv_tcp_t handle_;
    UvReading* reading_;
    StreamListener* listener_ = nullptr; // null once closed
    std::uint64_t lastRead_ = 0;         // in which round
};

/// Accepts by itself: libuv, when descriptors run out, accepts connections to throw them away.
class UvListeningSocket final : public ListeningSocket {
public:
    /// Takes over a socket that listens, whatever comes of it. Throws `IOError`.
    UvListeningSocket(uv_loop_t* loop, UvReading& reading, int descriptor, AcceptListener& listener);
    ~UvListeningSocket() override;

    void pause() noexcept override;
    void resume() noexcept override;
    Address localAddress() const override;

private:
    struct State;

    State* state_;
};

/// A socket that listens on an IP address. Throws `IOError`.
int listeningSocket(const Address& address, int backlog, bool reusePort);
/// A copy of a stream socket's descriptor. Throws `UnsupportedAddressFamily`, `UnsupportedSocketType` or
/// `IOError`.
int adoptedSocket(int descriptor, int family);

} // namespace ropewalk::detail
