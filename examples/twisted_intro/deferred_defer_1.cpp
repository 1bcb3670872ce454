// A Deferred that is fired with a result. After twisted-deferred/defer-1.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>

#include <string>

namespace defer = ropewalk::defer;

using python::print;

void gotPoem(const std::string& poem) {
    print("Your poem is served:");
    print(poem);
}

void poemFailed(const ropewalk::Failure&) {
    print("No poetry for you.");
}

int main() {
    defer::Deferred<std::string> d;

    // a callback and its errback, at the end of the chain
    d.addCallbacks(gotPoem, poemFailed);

    // a normal result fires the chain
    d.callback("This poem is short.");

    print("Finished");
}
