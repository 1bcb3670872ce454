// test: 73.1: a function that awaits and does not return a Deferred does not compile
// expect: promise
#include <ropewalk/defer/helpers.hpp>

int notADeferred(ropewalk::defer::Deferred<int> d) {
    co_return co_await d;
}
