// test: addCallbacks: an errback whose parameter doesn't fit is refused
// expect: ropewalk: this errback can take neither a Failure nor nothing
#include <ropewalk/defer/deferred.hpp>

void both(ropewalk::defer::Deferred<int> d) {
    d.addCallbacks([](int n) { return n; }, [](int n) { return n; });
}
