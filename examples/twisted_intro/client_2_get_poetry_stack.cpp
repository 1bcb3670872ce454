// Who calls dataReceived? Where the original prints Python's stack, this prints the trail. After
// twisted-client-2/get-poetry-stack.py.

#include "option_parser.hpp"
#include "python_text.hpp"
#include "unicode.hpp"

#include <ropewalk/defer/trail.hpp>
#include <ropewalk/reactor/address.hpp>
#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace defer = ropewalk::defer;

using python::print;
using python::str;
using ropewalk::Failure;
using Address = std::pair<std::string, int>; // a host and its port

auto& reactor = ropewalk::reactor();

std::vector<Address> parseArgs(int argc, char* argv[]) {
    python::OptionParser parser(R"(%prog [options] [hostname]:port ...

This is the Get Poetry Now! client, version 2.0, with the trail.
Run it like this:

  ./dev run %prog port1 port2 port3 ...

But it's just going to print out the trail as soon as it
gets the first bits of a poem.
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
    void dataReceived(std::string_view) override {
        std::cerr << defer::currentTrail();
        std::_Exit(0);
    }

    void connectionLost(const Failure&) override { poemReceived(poem); }

    void poemReceived(const std::string& poem);

    std::string poem;
    int taskNum = 0;
    PoetryClientFactory* factory = nullptr;
};

class PoetryClientFactory : public ropewalk::ClientFactoryOf<PoetryProtocol> {
public:
    explicit PoetryClientFactory(std::size_t poetryCount) : poetryCount_(poetryCount) {}

    std::shared_ptr<ropewalk::Protocol> buildProtocol(const ropewalk::Address&) override {
        auto proto = introduced(std::make_shared<PoetryProtocol>());
        proto->taskNum = taskNum_;
        taskNum_ += 1;
        return proto;
    }

    void poemFinished(int taskNum, const std::string& poem) {
        poems_[taskNum] = poem;
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
        for (const auto& [i, poem] : poems_) {
            print("Task " + str(i) + ": " + str(python::len(poem)) + " characters of poetry");
        }
    }

    void clientConnectionFailed(ropewalk::Connector& connector, const Failure&) override {
        print("Failed to connect to:", connector.getDestination());
        poemFinished();
    }

private:
    int taskNum_ = 1;
    std::size_t poetryCount_;
    std::map<int, std::string> poems_; // by the task's number
};

void PoetryProtocol::poemReceived(const std::string& thePoem) {
    factory->poemFinished(taskNum, thePoem);
}

int main(int argc, char* argv[]) {
    const auto addresses = parseArgs(argc, argv);

    const auto start = std::chrono::steady_clock::now();

    auto factory = std::make_shared<PoetryClientFactory>(addresses.size());

    for (const auto& [host, port] : addresses) {
        reactor.connectTCP(host, port, factory);
    }

    reactor.run();

    const auto elapsed = std::chrono::steady_clock::now() - start;

    print("Got " + str(addresses.size()) + " poems in " + str(elapsed));
}
