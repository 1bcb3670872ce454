// test: 56.3: ensureDeferred of anything but a Deferred does not compile
// expect: ensureDeferred takes a Deferred
#include <ropewalk/defer/helpers.hpp>

int main() {
    ropewalk::defer::ensureDeferred(5);
}
