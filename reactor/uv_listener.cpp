#include <ropewalk/reactor/uv_stream.hpp>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/socket_address.hpp>

namespace ropewalk::detail {

namespace {

// How many connections are accepted before others have their turn.
constexpr int acceptedAtOnce = 64;

std::error_code lastError() noexcept {
    return {errno, std::system_category()};
}

struct Descriptor {
    explicit Descriptor(int theNumber) noexcept : number(theNumber) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number >= 0) {
            ::close(number);
        }
    }
    int release() noexcept { return std::exchange(number, -1); }
    int number;
};

bool isOutOfResources(int error) noexcept {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/// The socket doesn't listen any more, by somebody else's doing.
bool isBroken(int error) noexcept {
    return error == EINVAL || error == EBADF || error == ENOTSOCK || error == EOPNOTSUPP;
}

} // namespace

struct UvListeningSocket::State {
    State(UvReading& theReading, int socket, AcceptListener& whom) noexcept
        : reading(theReading), descriptor(socket), listener(&whom) {}

    static void ready(uv_poll_t* handle, int status, int events);

    void watch() noexcept { uv_poll_start(&poll, UV_READABLE, &ready); }

    uv_poll_t poll = {};
    UvReading& reading;
    int descriptor;
    AcceptListener* listener; // null once destroyed
    bool paused = false;
};

void UvListeningSocket::State::ready(uv_poll_t* handle, int status, int) {
    auto& self = *static_cast<State*>(handle->data);
    if (status < 0) {
        // libuv has stopped watching; what there is to say, accept4 says.
        self.watch();
    }
    for (int i = 0; i < acceptedAtOnce && self.listener != nullptr && !self.paused; ++i) {
        SocketAddress peer;
        peer.size = sizeof peer.storage;
        const int accepted = accept4(self.descriptor, peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK) {
                return;
            }
            if (isOutOfResources(errno)) {
                // The system wants a descriptor before it looks whether there is a connection at all.
                const std::error_code error = lastError();
                pollfd waiting{self.descriptor, POLLIN, 0};
                if (::poll(&waiting, 1, 0) > 0) {
                    self.listener->acceptFailed(error);
                }
                return;
            }
            if (isBroken(errno)) {
                self.listener->acceptFailed(lastError());
                return;
            }
            continue; // it is gone already
        }
        StreamHandle stream;
        std::error_code error;
        try {
            auto* made = new (self.reading) UvStream(handle->loop, self.reading);
            stream.reset(made);
            error = made->open(accepted);
        } catch (const std::exception&) {
            ::close(accepted);
            error = std::make_error_code(std::errc::not_enough_memory);
        }
        if (error) {
            self.listener->acceptFailed(error);
            return;
        }
        self.listener->accepted(std::move(stream), fromSystem(peer));
    }
}

UvListeningSocket::UvListeningSocket(uv_loop_t* loop, UvReading& reading, int descriptor,
                                     AcceptListener& listener) {
    Descriptor owned(descriptor);
    auto made = std::make_unique<State>(reading, descriptor, listener);
    if (const std::error_code error = uvError(uv_poll_init_socket(loop, &made->poll, descriptor))) {
        throw IOError(error, "can't watch a listening socket");
    }
    owned.release();
    state_ = made.release();
    state_->poll.data = state_;
    state_->watch();
}

UvListeningSocket::~UvListeningSocket() {
    state_->listener = nullptr;
    const int descriptor = state_->descriptor;
    uv_close(reinterpret_cast<uv_handle_t*>(&state_->poll),
             [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
    ::close(descriptor); // libuv has let go of it
}

void UvListeningSocket::pause() noexcept {
    state_->paused = true;
    uv_poll_stop(&state_->poll);
}

void UvListeningSocket::resume() noexcept {
    state_->paused = false;
    state_->watch();
}

Address UvListeningSocket::localAddress() const {
    return boundAddress(state_->descriptor);
}

int listeningSocket(const Address& address, int backlog, bool reusePort) {
    const SocketAddress system = toSystem(address);
    if (system.size == 0) {
        throw IOError(std::make_error_code(std::errc::address_family_not_supported));
    }
    Descriptor made(socket(system.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    if (made.number < 0 || setsockopt(made.number, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        (reusePort && setsockopt(made.number, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
        bind(made.number, system.get(), system.size) != 0 || listen(made.number, backlog) != 0) {
        throw IOError(lastError());
    }
    return made.release();
}

int adoptedSocket(int descriptor, int family) {
    int type = 0;
    socklen_t size = sizeof type;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
        throw IOError(lastError());
    }
    SocketAddress bound;
    bound.size = sizeof bound.storage;
    if (getsockname(descriptor, bound.get(), &bound.size) != 0) {
        throw IOError(lastError());
    }
    if (type != SOCK_STREAM) {
        throw UnsupportedSocketType("descriptor " + std::to_string(descriptor) + " is no stream socket");
    }
    if ((family != AF_INET && family != AF_INET6) || bound.family() != family) {
        throw UnsupportedAddressFamily("descriptor " + std::to_string(descriptor) + " is of address family " +
                                       std::to_string(bound.family()) + ", and " + std::to_string(family) +
                                       " was said");
    }
    Descriptor copy(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    if (copy.number < 0 || fcntl(copy.number, F_SETFL, fcntl(copy.number, F_GETFL) | O_NONBLOCK) != 0) {
        throw IOError(lastError());
    }
    return copy.release();
}

} // namespace ropewalk::detail
