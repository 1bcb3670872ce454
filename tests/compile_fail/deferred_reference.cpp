// test: a Deferred of a reference is refused
// expect: a Deferred holds a value of its own
#include <ropewalk/defer/deferred.hpp>

int number = 0;
ropewalk::defer::Deferred<int&> d;
