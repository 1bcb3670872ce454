// A poem is got by a function that takes a callback. It says nothing of what went wrong, so the program waits for ever
// for a server that is off. After twisted-client-3/get-poetry.py.

#include "option_parser.hpp"
#include "python_text.hpp"

#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using python::print;
using ropewalk::Failure;
using Callback = std::function<void(const std::string& poem)>;
using Address = std::pair<std::string, int>; // a host and its port

auto& reactor = ropewalk::reactor();

std::vector<Address> parseArgs(int argc, char* argv[]) {
    python::OptionParser parser(R"(%prog [options] [hostname]:port ...

This is the Get Poetry Now! client, version 3.0.
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
    explicit PoetryClientFactory(Callback callback) : callback_(std::move(callback)) {}

    void poemFinished(const std::string& poem) { callback_(poem); }

private:
    Callback callback_;
};

void PoetryProtocol::poemReceived(const std::string& thePoem) {
    factory->poemFinished(thePoem);
}

/// Gets a poem from a server and calls `callback(poem)` when all of it is there.
void getPoetry(const std::string& host, int port, Callback callback) {
    auto factory = std::make_shared<PoetryClientFactory>(std::move(callback));
    reactor.connectTCP(host, port, factory);
}

int main(int argc, char* argv[]) {
    const auto addresses = parseArgs(argc, argv);

    std::vector<std::string> poems;

    const auto gotPoem = [&](const std::string& poem) {
        poems.push_back(poem);
        if (poems.size() == addresses.size()) {
            reactor.stop();
        }
    };

    for (const auto& [host, port] : addresses) {
        getPoetry(host, port, gotPoem);
    }

    reactor.run();

    for (const std::string& poem : poems) {
        print(poem);
    }
}
