// Calculations of any length, done nicely, by a generator: the protocol reads lines of numbers and writes what comes of them,
// the factory says what that is, and functions that know of neither do the work, one step for each turn of the loop. After
// core/examples/longex2.py, with options for the port.
//
// The product of no numbers is 1, where longex answers with an error.

#include "option_parser.hpp"
#include "python_text.hpp"
#include "whole_number.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/protocols/line_receiver.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/generator.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace defer = ropewalk::defer;
namespace protocols = ropewalk::protocols;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using python::print;
using python::WholeNumber;
using ropewalk::None;

using Numbers = std::vector<WholeNumber>;
using Steps = task::Generator<None>;

void runIterator(ropewalk::Reactor& reactor, const Steps& iterator) {
    try {
        iterator.next();
    } catch (const ropewalk::StopIteration&) {
        return;
    }
    reactor.callLater(0s, runIterator, std::ref(reactor), iterator);
}

Steps multiplying(Numbers numbers, defer::Deferred<WholeNumber> d) {
    WholeNumber acc = 1;
    while (!numbers.empty()) {
        acc *= numbers.back();
        numbers.pop_back();
        co_yield None{};
    }
    d.callback(acc);
}

std::pair<defer::Deferred<WholeNumber>, Steps> multiply(Numbers numbers) {
    defer::Deferred<WholeNumber> d;
    return {d, multiplying(std::move(numbers), d)};
}

/// Makes something of lists of numbers.
struct Calculator : ropewalk::ServerFactory {
    virtual defer::Deferred<WholeNumber> calc(Numbers numbers) = 0;
};

/// Reads lists of numbers and writes what its factory makes of them.
struct NumbersProtocol : protocols::LineReceiver, std::enable_shared_from_this<NumbersProtocol> {
    void lineReceived(std::string_view line) override {
        auto numbers = python::wholeNumbers(line);
        if (!numbers) {
            sendLine("Error.");
            return;
        }
        auto deferred = factory->calc(std::move(*numbers));
        auto encoded = deferred.addCallback(&WholeNumber::str);
        encoded.addCallback([self = shared_from_this()](const std::string& text) { self->sendLine(text); });
    }

    Calculator* factory = nullptr;
};

/// Works out the product, with any protocol that wants it.
struct Multiplication : ropewalk::FactoryOf<NumbersProtocol, Calculator> {
    defer::Deferred<WholeNumber> calc(Numbers numbers) override {
        auto [deferred, iterator] = multiply(std::move(numbers));
        runIterator(ropewalk::reactor(), iterator);
        return deferred;
    }
};

int main(int argc, char* argv[]) try {
    python::OptionParser parser("%prog [options]\n");
    parser.addOption("--port", "The port to listen on.", "1234");
    parser.addOption("--iface", "The interface to listen on. Default: all.");
    parser.parse(argc, argv);

    auto& reactor = ropewalk::reactor();
    auto port = reactor.listenTCP(parser.number("--port"), std::make_shared<Multiplication>(),
                                  {.interface = parser.text("--iface")});
    print("Multiplying on " + str(port->getHost()) + ".");
    reactor.run();
} catch (...) {
    return python::uncaught();
}
