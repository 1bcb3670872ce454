// test: a callback that wants to change the value in place is refused
// expect: ropewalk: this callback can take neither the Deferred's value (with the extra arguments) nor nothing
#include <ropewalk/defer/deferred.hpp>

void gotNumber(ropewalk::defer::Deferred<int> d) {
    d.addCallback([](int& n) { ++n; });
}
