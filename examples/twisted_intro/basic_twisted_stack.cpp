// Who calls us? Where the original prints Python's stack, this prints the trail: the steps from the reactor's `run`
// down to here. After basic-twisted/stack.py.

#include "python_text.hpp"

#include <ropewalk/defer/trail.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <iostream>

namespace defer = ropewalk::defer;

using python::print;

auto& reactor = ropewalk::reactor();

void stack() {
    print("The python stack:");
    std::cerr << defer::currentTrail();
    reactor.stop(); // the original goes on until ^C
}

int main() {
    reactor.callWhenRunning(stack);
    reactor.run();
}
