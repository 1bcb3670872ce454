// A poem is got by a function that returns a Deferred. After twisted-client-4/get-poetry.py.

#include "option_parser.hpp"
#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace defer = ropewalk::defer;

using python::print;
using ropewalk::Failure;
using Address = std::pair<std::string, int>; // a host and its port

auto& reactor = ropewalk::reactor();

std::vector<Address> parseArgs(int argc, char* argv[]) {
    python::OptionParser parser(R"(%prog [options] [hostname]:port ...

This is the Get Poetry Now! client, version 4.0.
Run it like this:

  ./dev run %prog port1 port2 port3 ...

to grab poetry from servers on these ports.
)");
    parser.parse(argc, argv);

    if (parser.args().empty()) {
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

/// Gets a poem from a server. The Deferred fires with all of it, or with what went wrong.
defer::Deferred<std::string> getPoetry(const std::string& host, int port) {
    defer::Deferred<std::string> d;
    auto factory = std::make_shared<PoetryClientFactory>(d);
    reactor.connectTCP(host, port, factory);
    return d;
}

int main(int argc, char* argv[]) {
    const auto addresses = parseArgs(argc, argv);

    std::vector<std::string> poems;
    std::vector<Failure> errors;

    const auto gotPoem = [&](const std::string& poem) { poems.push_back(poem); };

    const auto poemFailed = [&](const Failure& err) {
        python::printTo(std::cerr, "Poem failed:", err);
        errors.push_back(err);
    };

    const auto poemDone = [&] {
        if (poems.size() + errors.size() == addresses.size()) {
            reactor.stop();
        }
    };

    for (const auto& [host, port] : addresses) {
        auto d = getPoetry(host, port);
        d.addCallbacks(gotPoem, poemFailed);
        d.addBoth(poemDone);
    }

    reactor.run();

    for (const std::string& poem : poems) {
        print(poem);
    }
}
