// The same, and it prints the poems. After twisted-client-2/get-poetry-simple.py.

#include "option_parser.hpp"
#include "python_text.hpp"

#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using python::print;
using ropewalk::Failure;
using Address = std::pair<std::string, int>; // a host and its port

auto& reactor = ropewalk::reactor();

std::vector<Address> parseArgs(int argc, char* argv[]) {
    python::OptionParser parser(R"(%prog [options] [hostname]:port ...

This is the Get Poetry Now! client, version 2.1.
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
    explicit PoetryClientFactory(std::size_t poetryCount) : poetryCount_(poetryCount) {}

    void poemFinished(const std::string& poem) {
        poems_.push_back(poem);
        poemFinished();
    }

    void poemFinished() {
        poetryCount_ -= 1;

        if (poetryCount_ == 0) {
            report();
            reactor.stop();
        }
    }

    void report() const {
        for (const std::string& poem : poems_) {
            print(poem);
        }
    }

    void clientConnectionFailed(ropewalk::Connector& connector, const Failure&) override {
        print("Failed to connect to:", connector.getDestination());
        poemFinished();
    }

private:
    std::size_t poetryCount_;
    std::vector<std::string> poems_;
};

void PoetryProtocol::poemReceived(const std::string& thePoem) {
    factory->poemFinished(thePoem);
}

int main(int argc, char* argv[]) {
    const auto addresses = parseArgs(argc, argv);

    auto factory = std::make_shared<PoetryClientFactory>(addresses.size());

    for (const auto& [host, port] : addresses) {
        reactor.connectTCP(host, port, factory);
    }

    reactor.run();
}
