#include <ropewalk/reactor/connection.hpp>

#include <utility>

#include <ropewalk/defer/log.hpp>
#include <ropewalk/reactor/awaited_protocol.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/reactor.hpp>

namespace ropewalk {

namespace {

class AwaitedClientFactory final : public ClientFactory, public detail::ConnectionStarter {
public:
    explicit AwaitedClientFactory(defer::Deferred<Connection> connected) noexcept
        : connected_(std::move(connected)) {
        noisy = false;
    }

    std::shared_ptr<Protocol> buildProtocol(const Address&) override {
        return std::make_shared<detail::AwaitedProtocol>(*this);
    }
    void clientConnectionFailed(Connector&, const Failure& reason) override {
        const auto connected = std::exchange(connected_, nullptr);
        // A UserError comes of a cancellation, which has an error of its own.
        if (connected && !connected.called() && reason.check<UserError>() == nullptr) {
            connected.errback(reason);
        }
    }

private:
    void start(Connection connection) override {
        std::exchange(connected_, nullptr).callback(std::move(connection));
    }

    defer::Deferred<Connection> connected_;
};

class AwaitedServerFactory final : public Factory, public detail::ConnectionStarter {
public:
    using Server = std::move_only_function<defer::Deferred<void>(Connection)>;

    explicit AwaitedServerFactory(Server server) : server_(std::make_shared<Server>(std::move(server))) {}

    std::shared_ptr<Protocol> buildProtocol(const Address&) override {
        return std::make_shared<detail::AwaitedProtocol>(*this);
    }

private:
    void start(Connection connection) override {
        const std::shared_ptr<Transport> transport = connection.transport();
        const auto served = (*server_)(std::move(connection));
        // A coroutine may go on for long after connection and factory are gone, and uses what the function holds.
        served.addErrback([transport, kept = server_](const Failure& failure) {
            if (!failure.check<ConnectionClosed>()) {
                log::err(failure);
            }
            transport->loseConnection();
        });
    }

    std::shared_ptr<Server> server_;
};

} // namespace

detail::ConnectionHandle::ConnectionHandle(std::shared_ptr<AwaitedProtocol> protocol) noexcept
    : protocol_(std::move(protocol)) {
    protocol_->addHandle();
}

detail::ConnectionHandle::ConnectionHandle(const ConnectionHandle& other) noexcept
    : protocol_(other.protocol_) {
    if (protocol_ != nullptr) {
        protocol_->addHandle();
    }
}

void detail::ConnectionHandle::letGo() noexcept {
    protocol_->removeHandle();
}

defer::Deferred<std::string> Connection::read() {
    return protocol_->read();
}

defer::Deferred<std::optional<std::string>> Connection::readLine(std::string_view delimiter,
                                                                 std::size_t most) {
    return protocol_->readLine(delimiter, most);
}

defer::Deferred<std::string> Connection::readExactly(std::size_t count) {
    return protocol_->readExactly(count);
}

Written Connection::write(std::string_view data) {
    return protocol_->write(data);
}

Written Connection::writeString(std::string&& data) {
    return protocol_->write(std::move(data));
}

void Connection::endWriting() {
    protocol_->endWriting();
}

defer::Deferred<void> Connection::close() {
    return protocol_->close();
}

void Connection::abort() {
    transport()->abortConnection();
}

Address Connection::getHost() const {
    return transport()->getHost();
}

Address Connection::getPeer() const {
    return transport()->getPeer();
}

const std::shared_ptr<Transport>& Connection::transport() const noexcept {
    return protocol_->transport;
}

defer::Deferred<Connection> connect(Reactor& reactor, std::string_view host, int port,
                                    ConnectOptions options) {
    auto connector = std::make_shared<std::weak_ptr<Connector>>();
    defer::Deferred<Connection> connected([connector] {
        if (const auto held = connector->lock()) {
            held->disconnect();
        }
    });
    *connector =
        reactor.connectTCP(host, port, std::make_shared<AwaitedClientFactory>(connected), std::move(options));
    return connected;
}

std::shared_ptr<Factory> detail::serveBy(std::move_only_function<defer::Deferred<void>(Connection)> server) {
    return std::make_shared<AwaitedServerFactory>(std::move(server));
}

} // namespace ropewalk
