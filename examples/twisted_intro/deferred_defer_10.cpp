// A callback may return a Deferred: the chain waits for it. After twisted-deferred/defer-10.py.

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

// And one that returns a Deferred:

defer::Deferred<int> deferred2 =
    nullptr; // NOTE: there is no reactor here that could fire it, so it has to be fired
             //       from the 'outside', and for that it lies in a global variable.
             //       Other programs do neither: there a Deferred is fired by something
             //       that the callback itself set going, the one that made the Deferred
             //       and returned it.

defer::Deferred<int> callback2Async(int res) {
    print("callback_2 got", res);
    deferred2 = defer::Deferred<int>(); // don't do so elsewhere
    return deferred2;
}

int main() {
    print(R"(
This example illustrates how callbacks in a deferred
chain can return deferreds themselves.
)");

    // All three are added to a Deferred, and it is fired:

    defer::Deferred<int> d;

    d.addCallback(callback1);
    d.addCallback(callback2);
    d.addCallback(callback3);

    print(R"(
Here we are firing a deferred with three callbacks that just print
their argument and return simple values:
)");

    d.callback(0);

    // That prints:
    // callback_1 got 0
    // callback_2 got 1
    // callback_3 got 2

    // The same with the callback that doesn't return at once:

    d = defer::Deferred<int>();

    d.addCallback(callback1);
    d.addCallback(callback2Async);
    d.addCallback(callback3);

    print(R"(
Here we are firing a deferred as above but the middle callback is
returning a deferred:
)");

    d.callback(0);

    // That prints:
    // callback_1 got 0
    // callback_2 got 1

    print(R"(
Notice the output from the third callback is missing. That's because
the second callback returned a deferred and now the 'outer' deferred
is paused. It's not waiting in a thread or anything like that, it just
stopped invoking the callbacks in the chain. Instead, it registered
some callbacks on the 'inner' deferred which will start the outer
deferred back up when the inner deferred is fired.

We can see this in action by firing the inner deferred:
)");

    deferred2.callback(2);

    // That prints:
    // callback_3 got 2

    print(R"(
Note the argument to the inner deferred's callback() method became
the result passed to the next callback in the outer deferred.
)");
}
