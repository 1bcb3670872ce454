// test: addBoth of a function that takes the bare value is refused
// expect: ropewalk: this function can take neither a Result of the Deferred's type (with the extra arguments) nor nothing
#include <ropewalk/defer/deferred.hpp>

void done(ropewalk::defer::Deferred<int> d) {
    d.addBoth([](int n) { return n; });
}
