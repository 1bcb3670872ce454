// test: 126.2: a main of react that returns no Deferred does not compile
// expect: main must return a Deferred
#include <ropewalk/task/react.hpp>

int start(ropewalk::Reactor&) {
    return 0;
}

int main() {
    return ropewalk::task::react(start);
}
