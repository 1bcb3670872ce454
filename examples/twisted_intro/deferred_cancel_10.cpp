// A poem that is cancelled: without a canceller it is sent all the same. After deferred-cancel/defer-cancel-10.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <chrono>
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
    defer::Deferred<std::string> d;
    reactor.callLater(5s, sendPoem, d);
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
