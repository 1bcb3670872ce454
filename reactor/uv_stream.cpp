#include <ropewalk/reactor/uv_stream.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/reactor/socket_address.hpp>

namespace ropewalk::detail {

namespace {

constexpr std::size_t mostPartsAtOnce = 16;

uv_buf_t buffer(std::string_view part) noexcept {
    // libuv only reads from it.
    return uv_buf_init(const_cast<char*>(part.data()), static_cast<unsigned>(part.size()));
}

/// As many of the parts as go into one system call.
ssize_t sendParts(int descriptor, std::span<const std::string_view> parts) noexcept {
    std::array<iovec, mostPartsAtOnce> vectors;
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = std::min(parts.size(), vectors.size());
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
        vectors[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
    }
    return sendmsg(descriptor, &message, MSG_NOSIGNAL);
}

int systemOption(Stream::Option option, int& level) noexcept {
    switch (option) {
        case Stream::Option::noDelay:
            level = IPPROTO_TCP;
            return TCP_NODELAY;
        case Stream::Option::keepAlive:
            break;
    }
    level = SOL_SOCKET;
    return SO_KEEPALIVE;
}

} // namespace

std::error_code uvError(int status) noexcept {
    return status < 0 ? std::error_code(-status, std::system_category()) : std::error_code();
}

UvSpareStreams::~UvSpareStreams() {
    while (first_ != nullptr) {
        ::operator delete(std::exchange(first_, *static_cast<void**>(first_)));
    }
}

void* UvSpareStreams::take(std::size_t size) {
    if (first_ == nullptr) {
        return ::operator new(size);
    }
    --count_;
    return std::exchange(first_, *static_cast<void**>(first_));
}

void UvSpareStreams::giveBack(void* memory) noexcept {
    if (count_ == most) {
        ::operator delete(memory);
        return;
    }
    ++count_;
    *static_cast<void**>(memory) = std::exchange(first_, memory);
}

void UvStream::operator delete(UvStream* stream, std::destroying_delete_t) noexcept {
    UvSpareStreams& spare = stream->reading_->spare;
    stream->~UvStream();
    spare.giveBack(stream);
}

UvStream::UvStream(uv_loop_t* loop, UvReading& reading) : reading_(&reading) {
    if (const std::error_code error = uvError(uv_tcp_init(loop, &handle_))) {
        throw IOError(error, "can't make a stream");
    }
    handle_.data = this;
}

std::error_code UvStream::open(int descriptor) noexcept {
    const std::error_code error = uvError(uv_tcp_open(&handle_, descriptor));
    if (error) {
        ::close(descriptor);
    }
    return error;
}

std::error_code UvStream::bind(const Address& address) noexcept {
    const SocketAddress system = toSystem(address);
    if (system.size == 0) {
        return std::make_error_code(std::errc::address_family_not_supported);
    }
    return uvError(uv_tcp_bind(&handle_, system.get(), 0));
}

std::error_code UvStream::connect(const Address& address) {
    const SocketAddress system = toSystem(address);
    if (system.size == 0) {
        return std::make_error_code(std::errc::address_family_not_supported);
    }
    auto request = std::make_unique<uv_connect_t>();
    const int status =
        uv_tcp_connect(request.get(), &handle_, system.get(), [](uv_connect_t* done, int result) {
            const std::unique_ptr<uv_connect_t> owned(done);
            auto& self = *static_cast<UvStream*>(done->handle->data);
            if (self.listener_ != nullptr) {
                self.listener_->streamConnected(uvError(result));
            }
        });
    if (status == 0) {
        static_cast<void>(request.release());
    }
    return uvError(status);
}

// One read in each round, so that a connection that floods doesn't starve others: libuv, refused a buffer,
// turns to the next one.
void UvStream::provide(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    auto& self = *static_cast<UvStream*>(handle->data);
    if (self.lastRead_ == self.reading_->round) {
        *buffer = uv_buf_init(nullptr, 0);
        return;
    }
    self.lastRead_ = self.reading_->round;
    *buffer = uv_buf_init(self.reading_->buffer.get(), UvReading::size);
}

void UvStream::received(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
    auto& self = *static_cast<UvStream*>(stream->data);
    if (count > 0) [[likely]] {
        self.listener_->streamRead({buffer->base, static_cast<std::size_t>(count)});
    } else if (count < 0 && count != UV_ENOBUFS) {
        uv_read_stop(stream);
        self.listener_->streamEnded(count == UV_EOF ? self.brokenBy() : uvError(static_cast<int>(count)));
    }
}

/// libuv, told of data and a reset at once, reads the data and calls the rest a clean end.
std::error_code UvStream::brokenBy() const noexcept {
    int error = 0;
    socklen_t size = sizeof error;
    const bool known = getsockopt(descriptor(), SOL_SOCKET, SO_ERROR, &error, &size) == 0;
    return known && error != 0 ? std::error_code(error, std::system_category()) : std::error_code();
}

void UvStream::readStart() noexcept {
    uv_read_start(stream(), &provide, &received);
}

void UvStream::readStop() noexcept {
    uv_read_stop(stream());
}

// Without libuv, which would have to look into its queue first: that is empty.
std::size_t UvStream::tryWrite(std::span<const std::string_view> parts, std::error_code& error) noexcept {
    ssize_t sent = 0;
    do {
        sent = parts.size() == 1 ? ::send(descriptor(), parts[0].data(), parts[0].size(), MSG_NOSIGNAL)
                                 : sendParts(descriptor(), parts);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) [[likely]] {
        return static_cast<std::size_t>(sent);
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS) {
        error = std::error_code(errno, std::system_category());
    }
    return 0;
}

void UvStream::write(std::span<const std::string_view> parts) {
    std::vector<uv_buf_t> buffers;
    buffers.reserve(parts.size());
    for (const std::string_view part : parts) {
        buffers.push_back(buffer(part));
    }
    auto request = std::make_unique<uv_write_t>();
    const int status = uv_write(request.get(), stream(), buffers.data(),
                                static_cast<unsigned>(buffers.size()), [](uv_write_t* done, int result) {
                                    const std::unique_ptr<uv_write_t> owned(done);
                                    auto& self = *static_cast<UvStream*>(done->handle->data);
                                    if (self.listener_ != nullptr) {
                                        self.listener_->streamWritten(uvError(result));
                                    }
                                });
    if (status < 0) {
        throw IOError(uvError(status), "can't write");
    }
    static_cast<void>(request.release());
}

std::error_code UvStream::shutdown() noexcept {
    return ::shutdown(descriptor(), SHUT_WR) == 0 ? std::error_code()
                                                  : std::error_code(errno, std::system_category());
}

void UvStream::close(bool reset) noexcept {
    listener_ = nullptr;
    const auto closed = [](uv_handle_t* handle) { delete static_cast<UvStream*>(handle->data); };
    if (!reset || uv_tcp_close_reset(&handle_, closed) != 0) {
        uv_close(reinterpret_cast<uv_handle_t*>(&handle_), closed);
    }
}

int UvStream::descriptor() const noexcept {
    uv_os_fd_t descriptor = -1;
    uv_fileno(reinterpret_cast<const uv_handle_t*>(&handle_), &descriptor);
    return descriptor;
}

Address UvStream::localAddress() const {
    return boundAddress(descriptor());
}

std::error_code UvStream::setOption(Option option, bool enabled) noexcept {
    int level = 0;
    const int name = systemOption(option, level);
    const int value = enabled ? 1 : 0;
    return setsockopt(descriptor(), level, name, &value, sizeof value) == 0
               ? std::error_code()
               : std::error_code(errno, std::system_category());
}

bool UvStream::option(Option option) const noexcept {
    int level = 0;
    const int name = systemOption(option, level);
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(descriptor(), level, name, &value, &size) == 0 && value != 0;
}

} // namespace ropewalk::detail
