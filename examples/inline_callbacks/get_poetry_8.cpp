// The same, ended by a DeferredList. After twisted-client-8/get-poetry.py.

#include "option_parser.hpp"
#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/protocols/netstring_receiver.hpp>
#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace defer = ropewalk::defer;
namespace protocols = ropewalk::protocols;

using python::print;
using ropewalk::Failure;
using Address = std::pair<std::string, int>; // a host and its port

auto& reactor = ropewalk::reactor();

std::vector<Address> parseArgs(int argc, char* argv[]) {
    python::OptionParser parser(R"(%prog [options] [hostname]:port ...

This is the Get Poetry Now! client, version 8.0.
Run it like this:

  ./dev run %prog xform-port port1 port2 ...

to grab poetry from servers on port1 and the others, and transform
it using the server on xform-port.
)");
    parser.parse(argc, argv);

    if (parser.args().size() < 2) {
        print(parser.formatHelp());
        std::exit(0);
    }

    std::vector<Address> addresses;
    for (const std::string& address : parser.args()) {
        addresses.push_back(python::parseAddress(parser, address));
    }
    return addresses;
}

class PoetryClientFactory;

struct PoetryProtocol : ropewalk::Protocol {
    void dataReceived(std::string_view data) override { poem += data; }

    void connectionLost(const Failure&) override { poemReceived(poem); }

    void poemReceived(const std::string& poem);

    std::string poem;
    PoetryClientFactory* factory = nullptr;
};

class PoetryClientFactory : public ropewalk::ClientFactoryOf<PoetryProtocol> {
public:
    explicit PoetryClientFactory(defer::Deferred<std::string> deferred) : deferred_(std::move(deferred)) {}

    void poemFinished(const std::string& poem) {
        if (deferred_) {
            const auto d = std::exchange(deferred_, nullptr);
            d.callback(poem);
        }
    }

    void clientConnectionFailed(ropewalk::Connector&, const Failure& reason) override {
        if (deferred_) {
            const auto d = std::exchange(deferred_, nullptr);
            d.errback(reason);
        }
    }

private:
    defer::Deferred<std::string> deferred_;
};

void PoetryProtocol::poemReceived(const std::string& thePoem) {
    factory->poemFinished(thePoem);
}

class TransformClientFactory;

struct TransformClientProtocol : protocols::NetstringReceiver {
    void connectionMade() override;

    void sendRequest(const std::string& xformName, const std::string& poem) {
        sendString(xformName + "." + poem);
    }

    void stringReceived(std::string_view s) override {
        transport->loseConnection();
        poemReceived(s);
    }

    void poemReceived(std::string_view poem);

    TransformClientFactory* factory = nullptr;
};

class TransformClientFactory : public ropewalk::ClientFactoryOf<TransformClientProtocol> {
public:
    TransformClientFactory(std::string theXformName, std::string thePoem)
        : xformName(std::move(theXformName)), poem(std::move(thePoem)) {}

    void handlePoem(std::string_view newPoem) {
        const auto d = std::exchange(deferred, nullptr);
        d.callback(std::string(newPoem));
    }

    void clientConnectionLost(ropewalk::Connector&, const Failure& reason) override {
        if (deferred) {
            const auto d = std::exchange(deferred, nullptr);
            d.errback(reason);
        }
    }

    void clientConnectionFailed(ropewalk::Connector& connector, const Failure& reason) override {
        clientConnectionLost(connector, reason);
    }

    std::string xformName;
    std::string poem;
    defer::Deferred<std::string> deferred;
};

void TransformClientProtocol::connectionMade() {
    sendRequest(factory->xformName, factory->poem);
}

void TransformClientProtocol::poemReceived(std::string_view poem) {
    factory->handlePoem(poem);
}

/// Asks a server of transforms.
class TransformProxy {
public:
    TransformProxy(std::string host, int port) : host_(std::move(host)), port_(port) {}

    defer::Deferred<std::string> xform(const std::string& xformName, const std::string& poem) const {
        auto factory = std::make_shared<TransformClientFactory>(xformName, poem);
        auto d = factory->deferred;
        reactor.connectTCP(host_, port_, factory);
        return d;
    }

private:
    std::string host_;
    int port_;
};

/// Gets a poem from a server. The Deferred fires with all of it, or with what went wrong.
defer::Deferred<std::string> getPoetry(const std::string& host, int port) {
    defer::Deferred<std::string> d;
    auto factory = std::make_shared<PoetryClientFactory>(d);
    reactor.connectTCP(host, port, factory);
    return d;
}

/// Gets a poem and transforms it. What can't be transformed comes as it is.
defer::Deferred<std::string> getTransformedPoem(const TransformProxy& proxy, std::string host, int port) {
    std::string poem;
    try {
        poem = co_await getPoetry(host, port);
    } catch (const std::exception& e) {
        python::printTo(std::cerr, "The poem download failed:", e);
        throw;
    }

    try {
        poem = co_await proxy.xform("cummingsify", poem);
    } catch (const std::exception&) {
        python::printTo(std::cerr, "Cummingsify failed!");
    }

    co_return poem;
}

int main(int argc, char* argv[]) {
    auto addresses = parseArgs(argc, argv);

    const auto [xformHost, xformPort] = addresses.front();
    addresses.erase(addresses.begin());

    const TransformProxy proxy(xformHost, xformPort);

    const auto gotPoem = [](const std::string& poem) { print(poem); };

    std::vector<defer::Deferred<void>> ds;

    for (const auto& [host, port] : addresses) {
        auto d = getTransformedPoem(proxy, host, port);
        ds.push_back(d.addCallback(gotPoem));
    }

    const auto dlist = defer::DeferredList(ds, {.consumeErrors = true});
    dlist.addCallback([] { reactor.stop(); });

    reactor.run();
}
