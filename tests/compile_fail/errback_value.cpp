// test: an errback whose value doesn't convert is refused
// expect: ropewalk: an errback's value must convert to the type that the chain has here, or be nothing
#include <ropewalk/defer/deferred.hpp>

#include <string>

void failed(ropewalk::defer::Deferred<int> d) {
    d.addErrback([](const ropewalk::Failure&) { return std::string("text"); });
}
