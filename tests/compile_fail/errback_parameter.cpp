// test: an errback that takes something else than a Failure is refused
// expect: ropewalk: this errback can take neither a Failure (with the extra arguments) nor nothing
#include <ropewalk/defer/deferred.hpp>

void failed(ropewalk::defer::Deferred<int> d) {
    d.addErrback([](int n) { return n; });
}
