// The first function that the reactor calls. After basic-twisted/hello.py.

#include "python_text.hpp"

#include <ropewalk/reactor/reactor.hpp>

using python::print;

auto& reactor = ropewalk::reactor();

void hello() {
    print("Hello from the reactor loop!");
    print("Lately I feel like I'm stuck in a rut.");
    reactor.stop(); // the original stays in its rut until ^C
}

int main() {
    reactor.callWhenRunning(hello);

    print("Starting the reactor.");
    reactor.run();
}
