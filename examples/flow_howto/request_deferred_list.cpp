// The same requests, each with a Deferred that says when it is done; a list of them stops the reactor when both are,
// and nothing else does. After flow-howto.txt, "Deferred Callbacks".

#include "python_text.hpp"

#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace defer = ropewalk::defer;

using namespace std::chrono_literals;
using python::print;

auto& reactor = ropewalk::reactor();

class Request {
public:
    std::string name;
    defer::Deferred<void> d;

    explicit Request(std::string theName) : name(std::move(theName)) {
        reactor.callLater(0s, &Request::stepOne, this);
    }

    void stepOne() {
        print(name, ": Step One");
        reactor.callLater(0s, &Request::stepTwo, this);
    }

    void stepTwo() {
        print(name, ": Step Two");
        reactor.callLater(0s, &Request::stepDone, this);
    }

    void stepDone() {
        d.callback(); // says that it is done
    }
};

int main() {
    Request james("James");
    Request wendy("Wendy");

    // run the loop, and stop it when both are done
    defer::DeferredList d(std::vector{james.d, wendy.d});
    d.addCallback([](const auto&) { reactor.stop(); });
    reactor.run();
}
