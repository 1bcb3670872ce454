// A reactor of the program's own choice. The original has a choice of several, and installs the one that polls. Here there
// is one kind; what a program can still do is make it itself, before anything asks for `reactor()`, which then gives
// this one. After basic-twisted/simple-poll.py.

#include <ropewalk/reactor/reactor.hpp>

int main() {
    ropewalk::Reactor reactor;
    reactor.callWhenRunning([&] { reactor.stop(); }); // the original waits for ^C here
    reactor.run();
}
