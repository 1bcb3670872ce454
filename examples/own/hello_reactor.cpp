// The first program of the README.
#include <iostream>

#include <ropewalk/reactor/reactor.hpp>

auto& reactor = ropewalk::reactor();

void hello() {
    std::cout << "hello, reactor\n";
    reactor.stop();
}

int main() {
    reactor.callWhenRunning(hello);
    reactor.run();
}
