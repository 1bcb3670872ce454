// A callback for the poem, and an errback for what went wrong. After twisted-client-3/get-poetry-1.py.

#include "option_parser.hpp"
#include "python_text.hpp"

#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using python::print;
using ropewalk::Failure;
using Callback = std::function<void(const std::string& poem)>;
using Errback = std::function<void(const Failure& err)>;
using Address = std::pair<std::string, int>; // a host and its port

auto& reactor = ropewalk::reactor();

std::vector<Address> parseArgs(int argc, char* argv[]) {
    python::OptionParser parser(R"(%prog [options] [hostname]:port ...

This is the Get Poetry Now! client, version 3.1.
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
    PoetryClientFactory(Callback callback, Errback errback)
        : callback_(std::move(callback)), errback_(std::move(errback)) {}

    void poemFinished(const std::string& poem) { callback_(poem); }

    void clientConnectionFailed(ropewalk::Connector&, const Failure& reason) override { errback_(reason); }

private:
    Callback callback_;
    Errback errback_;
};

void PoetryProtocol::poemReceived(const std::string& thePoem) {
    factory->poemFinished(thePoem);
}

/// Gets a poem from a server and calls `callback(poem)` when all of it is there; if there is none, `errback(err)`.
void getPoetry(const std::string& host, int port, Callback callback, Errback errback) {
    auto factory = std::make_shared<PoetryClientFactory>(std::move(callback), std::move(errback));
    reactor.connectTCP(host, port, factory);
}

int main(int argc, char* argv[]) {
    const auto addresses = parseArgs(argc, argv);

    std::vector<std::string> poems;
    std::vector<Failure> errors;

    const auto poemDone = [&] {
        if (poems.size() + errors.size() == addresses.size()) {
            reactor.stop();
        }
    };

    const auto gotPoem = [&](const std::string& poem) {
        poems.push_back(poem);
        poemDone();
    };

    const auto poemFailed = [&](const Failure& err) {
        python::printTo(std::cerr, "Poem failed:", err);
        errors.push_back(err);
        poemDone();
    };

    for (const auto& [host, port] : addresses) {
        getPoetry(host, port, gotPoem, poemFailed);
    }

    reactor.run();

    for (const std::string& poem : poems) {
        print(poem);
    }
}
