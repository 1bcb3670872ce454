#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/protocol.hpp>

/// A port that passes its connections on to another host's (`twisted.protocols.portforward`):
///
///     reactor.listenTCP(8080, std::make_shared<protocols::ProxyFactory>("192.0.2.1", 80, reactor));
///
/// What one side sends faster than the other takes is not kept: it has to wait.
namespace ropewalk {
class Reactor;
}

namespace ropewalk::protocols {

/// One side of a connection that is passed on. Both sides keep each other until one of them is lost.
class Proxy : public Protocol, public std::enable_shared_from_this<Proxy> {
public:
    void setPeer(std::shared_ptr<Proxy> peer) noexcept { peer_ = std::move(peer); }
    /// The other side; null until there is one, and after this side was lost.
    const std::shared_ptr<Proxy>& peer() const noexcept { return peer_; }

    void dataReceived(std::string_view data) override;
    /// Closes the other side, when all is sent.
    void connectionLost(const Failure& reason) override;

    /// Whether the log tells when a connection is lost before there was another side.
    bool noisy = true;

private:
    std::shared_ptr<Proxy> peer_;
};

/// The side that was connected to.
class ProxyClient : public Proxy {
public:
    void connectionMade() override;
};

class ProxyServer;

/// Makes the side that is connected to; what it can't make closes the server's side.
class ProxyClientFactory : public ClientFactoryOf<ProxyClient> {
public:
    void setServer(std::shared_ptr<ProxyServer> server) noexcept { server_ = std::move(server); }

    std::shared_ptr<Protocol> buildProtocol(const Address& address) override;
    void clientConnectionFailed(Connector& connector, const Failure& reason) override;

private:
    std::shared_ptr<ProxyServer> server_;
};

class ProxyFactory;

/// The side that came in. It reads nothing until the other side is there.
class ProxyServer : public Proxy {
public:
    void connectionMade() override;

    ProxyFactory* factory = nullptr;

protected:
    /// Makes the factory of the other side.
    virtual std::shared_ptr<ProxyClientFactory> clientProtocolFactory();
};

/// For a port whose connections are passed on to that host and port.
class ProxyFactory : public FactoryOf<ProxyServer> {
public:
    /// With the reactor of this thread.
    ProxyFactory(std::string host, int port);
    /// The reactor outlives it.
    ProxyFactory(std::string host, int port, Reactor& reactor);

    std::string host;
    int port;
    Reactor& reactor;
};

} // namespace ropewalk::protocols
