// Gets a poem once and serves it to many. Whether the poem is there already or has to be waited for is all the same to
// maybeDeferred. After twisted-server-1/poetry-proxy.py.

#include "option_parser.hpp"
#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace defer = ropewalk::defer;

using python::print;
using python::str;
using ropewalk::Failure;
using Address = std::pair<std::string, int>; // a host and its port

auto& reactor = ropewalk::reactor();

struct Options {
    int port;
    std::string iface;
    Address serverAddr;
};

Options parseArgs(int argc, char* argv[]) {
    python::OptionParser parser(R"(%prog [options] [hostname]:port

This is the Poetry Proxy, version 1.0.
Run it like this:

  ./dev run %prog 10000

to proxy the poem for the server running on port 10000.
)");
    parser.addOption("--port", "The port to listen on. Default: any free one.", "0");
    parser.addOption("--iface", "The interface to listen on. Default: 127.0.0.1.", "127.0.0.1");
    parser.parse(argc, argv);

    if (parser.args().size() != 1) {
        parser.error("Provide exactly one server address.");
    }
    return {parser.number("--port"), parser.text("--iface"),
            python::parseAddress(parser, parser.args().front())};
}

class PoetryProxyFactory;
class PoetryClientFactory;

struct PoetryProxyProtocol : ropewalk::Protocol {
    void connectionMade() override;

    PoetryProxyFactory* factory = nullptr;
};

struct PoetryClientProtocol : ropewalk::Protocol {
    void dataReceived(std::string_view data) override { poem += data; }

    void connectionLost(const Failure&) override { poemReceived(poem); }

    void poemReceived(const std::string& poem);

    std::string poem;
    PoetryClientFactory* factory = nullptr;
};

class PoetryClientFactory : public ropewalk::ClientFactoryOf<PoetryClientProtocol> {
public:
    void poemFinished(const std::string& poem) {
        if (deferred) {
            const auto d = std::exchange(deferred, nullptr);
            d.callback(poem);
        }
    }

    void clientConnectionFailed(ropewalk::Connector&, const Failure& reason) override {
        if (deferred) {
            const auto d = std::exchange(deferred, nullptr);
            d.errback(reason);
        }
    }

    defer::Deferred<std::string> deferred;
};

void PoetryClientProtocol::poemReceived(const std::string& thePoem) {
    factory->poemFinished(thePoem);
}

class ProxyService {
public:
    ProxyService(std::string host, int port) : host_(std::move(host)), port_(port) {}

    /// The poem, if it is there, else a Deferred. A function of C++ has one type, so that it says which.
    std::variant<std::string, defer::Deferred<std::string>> getPoem() {
        if (poem_) {
            print("Using cached poem.");
            return *poem_;
        }

        print("Fetching poem from server.");
        auto factory = std::make_shared<PoetryClientFactory>();
        auto d = factory->deferred;
        d.addCallback(&ProxyService::setPoem, this);
        reactor.connectTCP(host_, port_, factory);
        return d;
    }

    std::string setPoem(const std::string& poem) {
        poem_ = poem;
        return poem;
    }

private:
    std::string host_;
    int port_;
    std::optional<std::string> poem_; // the cached poem
};

class PoetryProxyFactory : public ropewalk::ServerFactoryOf<PoetryProxyProtocol> {
public:
    explicit PoetryProxyFactory(ProxyService theService) : service(std::move(theService)) {}

    ProxyService service;
};

void PoetryProxyProtocol::connectionMade() {
    auto d = std::visit([](auto poem) { return defer::maybeDeferred([&] { return poem; }); },
                        factory->service.getPoem());
    d.addCallback([transport = transport](const std::string& poem) { transport->write(poem); });
    d.addBoth([transport = transport] { transport->loseConnection(); });
}

int main(int argc, char* argv[]) try {
    const auto options = parseArgs(argc, argv);

    ProxyService service(options.serverAddr.first, options.serverAddr.second);

    auto factory = std::make_shared<PoetryProxyFactory>(std::move(service));

    auto port = reactor.listenTCP(options.port, factory, {.interface = options.iface});

    print("Proxying " + str(options.serverAddr) + " on " + str(port->getHost()) + ".");

    reactor.run();
} catch (...) {
    return python::uncaught();
}
