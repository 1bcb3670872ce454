// test: a main of react that takes something else does not compile
// expect: main has to take a Reactor&
#include <ropewalk/task/react.hpp>

ropewalk::defer::Deferred<void> start(int);

int main() {
    return ropewalk::task::react(start);
}
