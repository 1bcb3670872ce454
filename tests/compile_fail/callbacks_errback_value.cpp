// test: addCallbacks: an errback whose value doesn't convert to the callback's is refused
// expect: ropewalk: an errback's value must convert to the type that the chain has here, or be nothing
#include <ropewalk/defer/deferred.hpp>

#include <string>

void both(ropewalk::defer::Deferred<int> d) {
    d.addCallbacks([](int n) { return std::to_string(n); }, [](const ropewalk::Failure&) { return 0.5; });
}
