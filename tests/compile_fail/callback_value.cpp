// test: callback with a value that T can't be made of is refused
// expect: no matching
#include <ropewalk/defer/deferred.hpp>

#include <string>

void fire(ropewalk::defer::Deferred<int> d) {
    d.callback(std::string("text"));
}
