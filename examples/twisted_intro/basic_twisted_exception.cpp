// An exception ends the function that threw it, not the loop. After basic-twisted/exception.py.

#include "python_text.hpp"

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/reactor/reactor.hpp>

using python::print;

auto& reactor = ropewalk::reactor();

void falldown() {
    throw ropewalk::Exception("I fall down.");
}

void upagain() {
    print("But I get up again.");
    reactor.stop();
}

int main() {
    reactor.callWhenRunning(falldown);
    reactor.callWhenRunning(upagain);

    print("Starting the reactor.");
    reactor.run();
}
