#include <ropewalk/protocols/portforward.hpp>

#include <sstream>
#include <utility>

#include <ropewalk/defer/log.hpp>
#include <ropewalk/reactor/reactor.hpp>

namespace ropewalk::protocols {

void Proxy::dataReceived(std::string_view data) {
    if (peer_ != nullptr) {
        peer_->transport->write(data);
    }
}

void Proxy::connectionLost(const Failure& reason) {
    if (const auto peer = std::exchange(peer_, nullptr)) {
        // The producer is this side, which was lost: the other needn't wait for more of it before it closes.
        peer->transport->unregisterProducer();
        peer->transport->loseConnection();
    } else if (noisy) {
        std::ostringstream text;
        text << "Unable to connect to peer: " << reason;
        log::msg(text.view());
    }
}

void ProxyClient::connectionMade() {
    const auto& server = peer();
    server->setPeer(shared_from_this());

    // Each side is paused while the other's data waits to be sent.
    transport->registerProducer(server->transport, true);
    server->transport->registerProducer(transport, true);

    server->transport->resumeProducing();
}

std::shared_ptr<Protocol> ProxyClientFactory::buildProtocol(const Address& address) {
    auto protocol = ClientFactoryOf<ProxyClient>::buildProtocol(address);
    static_cast<Proxy&>(*protocol).setPeer(server_);
    return protocol;
}

void ProxyClientFactory::clientConnectionFailed(Connector&, const Failure&) {
    server_->transport->loseConnection();
}

void ProxyServer::connectionMade() {
    transport->pauseProducing();

    const auto client = clientProtocolFactory();
    client->setServer(std::static_pointer_cast<ProxyServer>(shared_from_this()));

    factory->reactor.connectTCP(factory->host, factory->port, client);
}

std::shared_ptr<ProxyClientFactory> ProxyServer::clientProtocolFactory() {
    return std::make_shared<ProxyClientFactory>();
}

ProxyFactory::ProxyFactory(std::string theHost, int thePort)
    : ProxyFactory(std::move(theHost), thePort, ropewalk::reactor()) {}

ProxyFactory::ProxyFactory(std::string theHost, int thePort, Reactor& theReactor)
    : host(std::move(theHost)), port(thePort), reactor(theReactor) {}

} // namespace ropewalk::protocols
