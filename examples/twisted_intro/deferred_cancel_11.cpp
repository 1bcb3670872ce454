// A poem that is cancelled, with a canceller that sees to it that it isn't sent. After deferred-cancel/defer-cancel-11.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace defer = ropewalk::defer;

using namespace std::chrono_literals;
using python::print;

auto& reactor = ropewalk::reactor();

void sendPoem(const defer::Deferred<std::string>& d) {
    print("Sending poem");
    d.callback("Once upon a midnight dreary");
}

/// A poem, 5 seconds later.
defer::Deferred<std::string> getPoem() {
    auto delayedCall = std::make_shared<ropewalk::DelayedCall>();

    const auto canceler = [delayedCall] {
        // Nobody wants the poem any more, so the call that would send it goes.
        delayedCall->cancel();

        // What the Deferred then gives is for us to say:
        //   1. nothing done here: it fails with a CancelledError;
        //   2. it fails with another error, if we fire that;
        //   3. it has a result in place of the poem, if we fire that.
    };

    defer::Deferred<std::string> d(canceler);

    *delayedCall = reactor.callLater(5s, sendPoem, d);

    return d;
}

void gotPoem(const std::string& poem) {
    print("I got a poem:", poem);
}

void poemError(const ropewalk::Failure& err) {
    print("get_poem failed:", err);
}

int main() {
    reactor.callLater(10s, [] { reactor.stop(); }); // 10 seconds, then the reactor stops

    auto d = getPoem();
    d.addCallbacks(gotPoem, poemError);

    reactor.callLater(2s, [d] { d.cancel(); }); // 2 seconds, then it is cancelled

    reactor.run();
}
