// Two such functions at a time: one returns a result, the other throws. After inline-callbacks/inline-callbacks-2.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <chrono>

namespace defer = ropewalk::defer;

using namespace std::chrono_literals;
using python::print;

auto& reactor = ropewalk::reactor();

defer::Deferred<int> myCallbacks1() {
    print("my_callbacks_1 first callback");
    defer::Deferred<void> d;
    reactor.callLater(2s, [d] { d.callback(); });
    co_await d;

    print("my_callbacks_1 second callback");
    d = defer::Deferred<void>();
    reactor.callLater(2s, [d] { d.callback(); });
    co_await d;

    print("my_callbacks_1 third callback");
    co_return 1;
}

defer::Deferred<int> myCallbacksErr() {
    print("my_callbacks_err first callback");
    defer::Deferred<void> d;
    reactor.callLater(3s, [d] { d.callback(); });
    co_await d;

    print("my_callbacks_err second callback");
    d = defer::Deferred<void>();
    reactor.callLater(3s, [d] { d.callback(); });
    co_await d;

    print("my_callbacks_err third callback");
    throw ropewalk::Exception("uh oh");
}

void gotResult(int res) {
    print("got result:", res);
}

void gotError(const ropewalk::Failure& err) {
    print("got error:", err);
}

void runCallbacks() {
    auto d1 = myCallbacks1();
    d1.addCallbacks(gotResult, gotError);

    auto d2 = myCallbacksErr();
    d2.addCallbacks(gotResult, gotError);

    const auto callbacksFinished = [] {
        static int count = 0;
        count += 1;
        if (count == 2) {
            print("all done");
            reactor.stop();
        }
    };

    d1.addBoth(callbacksFinished);
    d2.addBoth(callbacksFinished);
}

int main() {
    reactor.callWhenRunning(runCallbacks);
    reactor.run();
}
