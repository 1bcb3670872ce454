// A callback that blocks blocks the reactor with it. After twisted-deferred/defer-block.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <iostream>
#include <string_view>
#include <thread>

namespace defer = ropewalk::defer;

using python::print;

auto& reactor = ropewalk::reactor();

void startChain(bool) {
    print("The start of the callback chain.");
}

void blockingPoem() {
    const auto delayedWrite = [](std::string_view s, double delay) {
        std::this_thread::sleep_for(ropewalk::Seconds(delay));
        std::cout << s << std::flush;
    };

    delayedWrite("\n", 0);
    delayedWrite("I", .6);
    delayedWrite(" block", .4);
    delayedWrite("\n  and", 1);
    delayedWrite(" the", .4);
    delayedWrite(" deferred", .6);
    delayedWrite("\n  blocks", 1.5);
    delayedWrite(" with", .2);
    delayedWrite(" me", .2);
    delayedWrite("\nas does", 1);
    delayedWrite("\n the reactor", .6);
    delayedWrite("\nkeep that", 1);
    delayedWrite("\n factor", .6);
    delayedWrite("\nin", 1);
    delayedWrite(" mind", .4);
    delayedWrite("\n\n", 2);
}

void endChain() {
    print("The end of the callback chain.");
    reactor.stop();
}

int main() {
    defer::Deferred<bool> d;

    d.addCallback(startChain);
    d.addCallback(blockingPoem);
    d.addCallback(endChain);

    const auto fire = [d] {
        print("Firing deferred.");
        d.callback(true);
        print("Firing finished.");
    };

    reactor.callWhenRunning(fire);

    print("Starting reactor.");
    reactor.run();
    print("Done.");
}
