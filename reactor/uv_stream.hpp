#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <system_error>

#include <uv.h>

#include <ropewalk/reactor/stream.hpp>

/// TCP streams and listening sockets of a `UvDriver`.
namespace ropewalk::detail {

/// What the streams of a driver share: where they read, and which `poll` it is.
struct UvReading {
    static constexpr std::size_t size = 65536;

    std::unique_ptr<char[]> buffer{new char[size]};
    std::uint64_t round = 0;
};

/// A negative status of libuv's as an error of the system.
std::error_code uvError(int status) noexcept;

/// A `Stream` on a `uv_tcp_t`. It is allocated with `new`, and deletes itself when libuv has closed it.
class UvStream final : public Stream {
public:
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
