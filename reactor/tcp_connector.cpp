#include <ropewalk/reactor/tcp_connector.hpp>

#include <cerrno>
#include <iterator>
#include <ranges>
#include <utility>

#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/trail.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/name_resolver.hpp>

namespace ropewalk::detail {

namespace {

Address withPort(Address address, int port) {
    if (const auto* four = address.as<IPv4Address>()) {
        return IPv4Address{"TCP", four->host, port};
    }
    if (const auto* six = address.as<IPv6Address>()) {
        return IPv6Address{"TCP", six->host, port, six->flowInfo, six->scopeID};
    }
    return address;
}

} // namespace

TcpConnector::TcpConnector(Network& network, std::string_view host, int port,
                           std::shared_ptr<ClientFactory> factory, ConnectOptions options,
                           std::source_location where)
    : Kept(network),
      factory_(std::move(factory)),
      destination_(parseIPAddress(host, checkedPort(port))),
      isName_(!destination_),
      options_(std::move(options)),
      where_(where) {
    if (isName_) {
        destination_ = IPv4Address{"TCP", std::string(host), port};
    }
}

TcpConnector::~TcpConnector() = default;

void TcpConnector::connect() {
    if (state_ != State::disconnected) {
        throw RuntimeError("can't connect: it is connecting or connected already");
    }
    if (network_ == nullptr) {
        return;
    }
    state_ = State::connecting;
    if (!started_) {
        try {
            factory_->doStart();
        } catch (...) {
            state_ = State::disconnected;
            throw;
        }
        started_ = true;
        if (state_ != State::connecting) {
            doneWith(); // stopped by the factory's start
            return;
        }
    }
    keep(shared_from_this());
    if (isName_) {
        lookUp();
    } else {
        addresses_ = {destination_};
        tryNext();
    }
    if (options_.timeout > Seconds(0)) {
        timeout_ =
            network_->reactor.callLater(options_.timeout, [this] { fail(Failure(TimeoutError(), where_)); });
    }
    factory_->doStartConnecting(*this);
}

void TcpConnector::lookUp() {
    const auto ifConnecting = [weak = weak_from_this()](const auto& go) {
        const auto self = std::static_pointer_cast<TcpConnector>(weak.lock());
        if (self && self->network_ != nullptr && self->state_ == State::connecting) {
            go(*self);
        }
    };
    try {
        auto found = network_->reactor.nameResolver().resolveHostName(destination_.host(), options_.timeout);
        lookup_ = found.addCallbacks(
            [ifConnecting](std::vector<Address> addresses) {
                ifConnecting([&](TcpConnector& self) { self.lookedUp(std::move(addresses)); });
            },
            [ifConnecting](const Failure& failure) {
                ifConnecting([&](TcpConnector& self) { self.failLater(failure); });
            });
    } catch (...) {
        failLater(Failure(where_));
    }
}

void TcpConnector::lookedUp(std::vector<Address> addresses) {
    // As for Twisted, which knows no others here, the IPv4 addresses come first; the last one here is the next.
    addresses_.clear();
    for (const bool ipv4 : {false, true}) {
        for (Address& address : addresses | std::views::reverse) {
            if ((address.as<IPv4Address>() != nullptr) == ipv4) {
                addresses_.push_back(std::move(address));
            }
        }
    }
    tryNext();
}

void TcpConnector::tryNext() {
    if (addresses_.empty()) {
        failLater(Failure(DNSLookupError({}, "no address for " + destination_.host()), where_));
        return;
    }
    current_ = withPort(std::move(addresses_.back()), destination_.port());
    addresses_.pop_back();
    try {
        stream_ = network_->driver().connect(current_, options_.bindAddress, *this);
    } catch (...) {
        tryFailed(Failure(where_));
    }
}

void TcpConnector::tryFailed(Failure reason) {
    stream_.reset();
    if (addresses_.empty()) {
        failLater(std::move(reason));
    } else {
        tryNext();
    }
}

/// Not at once: the program is told after `connect` has returned.
void TcpConnector::failLater(Failure reason) {
    failing_ =
        network_->reactor.callLater(Seconds(0), [this, failure = std::move(reason)] { fail(failure); });
}

void TcpConnector::streamConnected(std::error_code error) noexcept {
    const EventScope event(network_->reactor);
    const defer::detail::Activation here(where_);
    if (error) {
        stream_.reset();
        if (!addresses_.empty()) {
            tryNext();
        } else if (error.value() == EADDRINUSE && options_.bindAddress) {
            fail(Failure(ConnectBindError(error), where_));
        } else {
            fail(Failure(getConnectError(error), where_));
        }
        return;
    }
    StreamHandle stream = std::move(stream_);
    const std::shared_ptr<void> self = endAttempt();
    state_ = State::connected;
    const auto transport =
        std::make_shared<StreamTransport>(*network_, std::move(stream), Address(current_), where_);
    transport_ = transport;
    std::shared_ptr<Protocol> protocol;
    try {
        protocol = factory_->buildProtocol(current_);
    } catch (...) {
        const Failure failure(where_);
        log::err(failure);
        transport->refuse(self, this, failure);
        return;
    }
    transport->begin(std::move(protocol), self, this);
}

void TcpConnector::connectionLost(const Failure& reason) {
    state_ = State::disconnected;
    const auto self = shared_from_this();
    try {
        factory_->clientConnectionLost(*this, reason);
    } catch (...) {
        log::err(Failure(where_));
    }
    doneWith();
}

void TcpConnector::fail(const Failure& reason) noexcept {
    const std::shared_ptr<void> self = endAttempt();
    state_ = State::disconnected;
    try {
        factory_->clientConnectionFailed(*this, reason);
    } catch (...) {
        log::err(Failure(where_));
    }
    doneWith();
}

/// The factory has been told how it ended: unless it began anew, that was all.
void TcpConnector::doneWith() noexcept {
    if (state_ != State::disconnected || !std::exchange(started_, false)) {
        return;
    }
    try {
        factory_->doStop();
    } catch (...) {
        log::err(Failure(where_));
    }
}

/// Ends everything that is under way; gives back what kept the connector.
std::shared_ptr<void> TcpConnector::endAttempt() noexcept {
    stream_.reset();
    addresses_.clear();
    for (DelayedCall* call : {&timeout_, &failing_}) {
        if (call->active()) {
            call->cancel();
        }
    }
    if (auto lookup = std::exchange(lookup_, nullptr)) {
        state_ = State::disconnected;
        lookup.cancel();
    }
    return letGo();
}

void TcpConnector::disconnect() {
    if (state_ == State::connecting) {
        stopConnecting();
    } else if (const auto transport = transport_.lock(); transport && state_ == State::connected) {
        transport->loseConnection();
    }
}

void TcpConnector::stopConnecting() {
    if (state_ != State::connecting) {
        throw NotConnectingError();
    }
    fail(Failure(UserError(), where_));
}

void TcpConnector::shutDown() noexcept {
    fail(Failure(ConnectError({}, "the reactor stops"), where_));
}

void TcpConnector::orphan() noexcept {
    stream_.reset();
    state_ = State::disconnected;
    lookup_ = nullptr;
    addresses_.clear();
}

} // namespace ropewalk::detail
