// test: addCallbacks: a callback whose parameter doesn't fit is refused
// expect: ropewalk: this callback can take neither the Deferred's value nor nothing
#include <ropewalk/defer/deferred.hpp>

#include <string>

void both(ropewalk::defer::Deferred<int> d) {
    d.addCallbacks([](const std::string&) {}, [](const ropewalk::Failure&) {});
}
