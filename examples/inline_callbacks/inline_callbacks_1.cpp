// A function as a chain of callbacks: where Python yields, C++ awaits. After inline-callbacks/inline-callbacks-1.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <chrono>
#include <string>

namespace defer = ropewalk::defer;

using namespace std::chrono_literals;
using python::print;

auto& reactor = ropewalk::reactor();

defer::Deferred<void> myCallbacks() {
    print("first callback");
    int result = co_await 1; // what isn't a Deferred comes straight back

    print("second callback got", result);
    defer::Deferred<int> d;
    reactor.callLater(5s, [d] { d.callback(2); });
    result = co_await d; // a Deferred makes the function wait

    print("third callback got", result); // what the Deferred was fired with

    d = defer::Deferred<int>();
    reactor.callLater(5s, [d] { d.errback(ropewalk::Exception("3")); });

    std::string error;
    try {
        co_await d;
    } catch (const ropewalk::Exception& e) {
        error = python::repr(e);
    }

    print("fourth callback got", error); // the exception that the Deferred was fired with

    reactor.stop();
}

int main() {
    reactor.callWhenRunning(myCallbacks);
    reactor.run();
}
