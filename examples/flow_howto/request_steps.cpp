// More than one request at a time: each step of a request asks the reactor to call the next one, and the steps of
// the two take turns. After flow-howto.txt, "Handling more than one Request".

#include "python_text.hpp"

#include <ropewalk/reactor/reactor.hpp>

#include <chrono>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using python::print;

auto& reactor = ropewalk::reactor();

class Request {
public:
    std::string name;

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
        // the place to clean up; nothing is left to call
    }
};

int main() {
    Request james("James");
    Request wendy("Wendy");

    // run the loop, and stop it some time later
    reactor.callLater(1s, [] { reactor.stop(); });
    reactor.run();
}
