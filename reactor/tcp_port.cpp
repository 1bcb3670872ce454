#include <ropewalk/reactor/tcp_port.hpp>

#include <typeinfo>
#include <utility>

#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/names.hpp>
#include <ropewalk/defer/trail.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/stream_transport.hpp>

namespace ropewalk::detail {

namespace {

// How long no connection is accepted when descriptors or memory have run out.
constexpr Seconds starvedPause{1.0};

} // namespace

TcpPort::TcpPort(Network& network, int port, std::shared_ptr<Factory> factory, ListenOptions options,
                 std::source_location where)
    : Kept(network),
      factory_(std::move(factory)),
      options_(std::move(options)),
      port_(checkedPort(port)),
      where_(where) {}

TcpPort::~TcpPort() = default;

void TcpPort::startListening() {
    if (socket_ != nullptr || network_ == nullptr) {
        return;
    }
    const std::string_view interface =
        options_.interface.empty() ? std::string_view("0.0.0.0") : options_.interface;
    const Address address = parseIPAddress(interface, port_);
    if (!address) {
        throw CannotListenError(options_.interface, port_,
                                std::make_error_code(std::errc::address_family_not_supported));
    }
    try {
        begin(network_->driver().listen(address, options_.backlog, options_.reusePort, *this));
    } catch (const IOError& error) {
        throw CannotListenError(options_.interface, port_, error.code());
    }
}

void TcpPort::adopt(int descriptor, int family) {
    begin(network_->driver().adoptListener(descriptor, family, *this));
    options_.interface = host_.host(); // to listen there again
    if (const auto* six = host_.as<IPv6Address>(); six != nullptr && six->scopeID != 0) {
        options_.interface += "%" + std::to_string(six->scopeID);
    }
}

void TcpPort::begin(std::unique_ptr<ListeningSocket> socket) {
    socket_ = std::move(socket);
    host_ = socket_->localAddress();
    port_ = host_.port();
    paused_ = false;
    starved_ = false;
    try {
        factory_->doStart();
    } catch (...) {
        socket_.reset();
        throw;
    }
    keep(shared_from_this());
    if (const Factory& used = *factory_; used.noisy) {
        log::info(typeName(typeid(used)) + " starting on " + std::to_string(port_));
    }
}

defer::Deferred<void> TcpPort::stopListening() {
    if (socket_ == nullptr) {
        return defer::succeed();
    }
    if (!stopping_) {
        stopping_ = defer::Deferred<void>();
        socket_->pause();
        closing_ = network_->reactor.callLater(Seconds(0), [self = shared_from_this()] { self->close(); });
    }
    return stopping_;
}

void TcpPort::close() {
    if (socket_ == nullptr) {
        return;
    }
    const std::shared_ptr<void> self = letGo();
    socket_.reset();
    for (DelayedCall* call : {&retry_, &closing_}) {
        if (call->active()) {
            call->cancel();
        }
    }
    if (factory_->noisy) {
        log::info("(TCP Port " + std::to_string(port_) + " Closed)");
    }
    auto stopped = std::exchange(stopping_, nullptr);
    try {
        factory_->doStop();
    } catch (...) {
        const Failure failure(where_);
        if (stopped) {
            stopped.errback(failure);
        } else {
            log::err(failure);
        }
        return;
    }
    if (stopped) {
        stopped.callback();
    }
}

void TcpPort::pauseProducing() {
    paused_ = true;
    if (socket_ != nullptr) {
        socket_->pause();
    }
}

void TcpPort::resumeProducing() {
    paused_ = false;
    if (socket_ != nullptr && !stopping_ && !retry_.active()) {
        socket_->resume();
    }
}

void TcpPort::shutDown() noexcept {
    try {
        close();
    } catch (...) {
        log::err(Failure(where_));
    }
}

void TcpPort::orphan() noexcept {
    socket_.reset();
    stopping_ = nullptr;
}

void TcpPort::accepted(StreamHandle stream, Address&& peer) noexcept {
    const EventScope event(network_->reactor);
    const defer::detail::Activation here(where_);
    starved_ = false;
    std::shared_ptr<Protocol> protocol;
    try {
        protocol = factory_->buildProtocol(peer);
        if (protocol == nullptr) {
            return;
        }
        std::make_shared<StreamTransport>(*network_, std::move(stream), std::move(peer), where_)
            ->begin(std::move(protocol), factory_, nullptr);
    } catch (...) {
        log::err(Failure(where_));
    }
}

void TcpPort::acceptFailed(std::error_code error) noexcept {
    const EventScope event(network_->reactor);
    if (!std::exchange(starved_, true)) {
        log::warn("TCP Port " + std::to_string(port_) +
                  " can't accept a connection, which waits meanwhile: " + error.message());
    }
    socket_->pause();
    retry_ = network_->reactor.callLater(starvedPause, [this] {
        if (socket_ != nullptr && !paused_ && !stopping_) {
            socket_->resume();
        }
    });
}

} // namespace ropewalk::detail
