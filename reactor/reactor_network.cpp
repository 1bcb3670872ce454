#include <ropewalk/reactor/reactor.hpp>

#include <string_view>
#include <utility>

#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/stream_transport.hpp>
#include <ropewalk/reactor/tcp_connector.hpp>
#include <ropewalk/reactor/tcp_port.hpp>

/// How a reactor listens and connects.
namespace ropewalk {

namespace {

template <class F>
void needFactory(const std::shared_ptr<F>& factory, std::string_view what) {
    if (factory == nullptr) {
        throw AssertionError(std::string(what) + " needs a factory, not a null pointer");
    }
}

} // namespace

std::shared_ptr<Port> Reactor::listenTCP(int port, std::shared_ptr<Factory> factory, ListenOptions options,
                                         Where where) {
    checkThread();
    needFactory(factory, "listenTCP");
    auto made =
        std::make_shared<detail::TcpPort>(*network_, port, std::move(factory), std::move(options), where);
    made->startListening();
    return made;
}

std::shared_ptr<Connector> Reactor::connectTCP(std::string_view host, int port,
                                               std::shared_ptr<ClientFactory> factory, ConnectOptions options,
                                               Where where) {
    checkThread();
    needFactory(factory, "connectTCP");
    auto made = std::make_shared<detail::TcpConnector>(*network_, host, port, std::move(factory),
                                                       std::move(options), where);
    made->connect();
    return made;
}

std::shared_ptr<Port> Reactor::adoptStreamPort(int descriptor, int family, std::shared_ptr<Factory> factory,
                                               Where where) {
    checkThread();
    needFactory(factory, "adoptStreamPort");
    auto made = std::make_shared<detail::TcpPort>(*network_, 0, std::move(factory), ListenOptions{}, where);
    made->adopt(descriptor, family);
    return made;
}

std::shared_ptr<Transport> Reactor::adoptStreamConnection(int descriptor, int family,
                                                          std::shared_ptr<Factory> factory, Where where) {
    checkThread();
    needFactory(factory, "adoptStreamConnection");
    Address peer;
    StreamHandle stream = driver_->adoptStream(descriptor, family, peer);
    auto protocol = factory->buildProtocol(peer);
    if (protocol == nullptr) {
        return nullptr;
    }
    auto made =
        std::make_shared<detail::StreamTransport>(*network_, std::move(stream), std::move(peer), where);
    made->begin(std::move(protocol), std::move(factory), nullptr);
    return made;
}

} // namespace ropewalk
