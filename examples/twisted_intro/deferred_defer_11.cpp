// A Deferred may be fired before it has a callback, and may be paused. After twisted-deferred/defer-11.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>

namespace defer = ropewalk::defer;

using python::print;

// three callbacks that return at once

int callback1(int res) {
    print("callback_1 got", res);
    return 1;
}

int callback2(int res) {
    print("callback_2 got", res);
    return 2;
}

int callback3(int res) {
    print("callback_3 got", res);
    return 3;
}

int main() {
    print(R"(This example illustrates how deferreds can
be fired before they are returned. First we
make a new deferred, fire it, then add some
callbacks.
)");

    // A Deferred that is fired as soon as it is made:
    defer::Deferred<int> d;

    print("Firing empty deferred.");
    d.callback(0);

    // Now it gets its callbacks, and each of them
    // is called as it is added.

    print("Adding first callback.");
    d.addCallback(callback1);

    print("Adding second callback.");
    d.addCallback(callback2);

    print("Adding third callback.");
    d.addCallback(callback3);

    print(R"(
Because the deferred was already fired, it
invoked each callback as soon as it was added.

Now we create a deferred and fire it, but
pause it first with the pause() method.
)");

    // The same with a Deferred that is paused:

    d = defer::Deferred<int>();
    print("Pausing, then firing deferred.");
    d.pause();
    d.callback(0);

    print("Adding callbacks.");
    d.addCallback(callback1);
    d.addCallback(callback2);
    d.addCallback(callback3);

    print("Unpausing the deferred.");
    d.unpause();
}
