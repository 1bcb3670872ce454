// Calculations of any length, done nicely: a line of numbers is answered by their product, which is worked out in small
// pieces, one at a time, so that nobody waits long for another's. After core/examples/longex.py, with options for the
// port.

#include "option_parser.hpp"
#include "python_text.hpp"
#include "whole_number.hpp"

#include <ropewalk/protocols/line_receiver.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/reactor/start_logging.hpp>

#include <chrono>
#include <deque>
#include <iostream>
#include <memory>
#include <string_view>
#include <vector>

namespace protocols = ropewalk::protocols;

using namespace std::chrono_literals;
using python::print;

auto& reactor = ropewalk::reactor();

struct LongMultiplicationProtocol : protocols::LineReceiver,
                                    std::enable_shared_from_this<LongMultiplicationProtocol> {
    void lineReceived(std::string_view line) override {
        auto numbers = python::wholeNumbers(line);
        if (!numbers || numbers->size() <= 1) {
            sendLine("Error.");
            return;
        }

        workQueue.push_back(std::move(*numbers));
        reactor.callLater(0s, &LongMultiplicationProtocol::calcChunk, shared_from_this());
    }

    void calcChunk() {
        // Lines may come faster than they are worked off, and then there are more calls of this than work.
        if (workQueue.empty()) {
            return;
        }

        // A piece of the first line's work: a, b, c, ... become a * b, c, ...
        auto& work = workQueue.front();
        work[1] *= work[0];
        work.erase(work.begin());

        if (work.size() == 1) {
            sendLine(work[0].str());
            workQueue.pop_front();
        }

        if (!workQueue.empty()) {
            reactor.callLater(0s, &LongMultiplicationProtocol::calcChunk, shared_from_this());
        }
    }

    std::deque<std::vector<python::WholeNumber>> workQueue;
};

struct LongMultiplicationFactory : ropewalk::ServerFactoryOf<LongMultiplicationProtocol> {};

int main(int argc, char* argv[]) try {
    python::OptionParser parser("%prog [options]\n");
    parser.addOption("--port", "The port to listen on.", "1234");
    parser.addOption("--iface", "The interface to listen on. Default: all.");
    parser.parse(argc, argv);

    auto port = reactor.listenTCP(parser.number("--port"), std::make_shared<LongMultiplicationFactory>(),
                                  {.interface = parser.text("--iface")});
    print("Multiplying on " + str(port->getHost()) + ".");
    ropewalk::log::startLogging(std::cout);
    reactor.run();
} catch (...) {
    return python::uncaught();
}
