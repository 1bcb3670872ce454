// test: 86.5: run without a function is refused
// expect: no matching
#include <ropewalk/defer/lock.hpp>

void runNothing(ropewalk::defer::DeferredLock& lock) {
    lock.run();
}
