// Such a function's callbacks are called by the reactor, as all are. Where the original prints Python's stack, this prints
// the trail: the steps from the reactor's `run` down to here. After inline-callbacks/inline-callbacks-tb.py.

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/trail.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <iostream>

namespace defer = ropewalk::defer;

auto& reactor = ropewalk::reactor();

defer::Deferred<void> myCallbacks() {
    co_await 1;
    std::cerr << defer::currentTrail();
    reactor.stop();
}

int main() {
    reactor.callWhenRunning(myCallbacks);
    reactor.run();
}
