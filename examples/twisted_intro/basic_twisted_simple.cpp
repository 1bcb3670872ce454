// A loop with nothing to do, until it is told to stop. After basic-twisted/simple.py.

#include <ropewalk/reactor/reactor.hpp>

auto& reactor = ropewalk::reactor();

int main() {
    reactor.callWhenRunning([] { reactor.stop(); }); // the original waits for ^C here
    reactor.run();
}
