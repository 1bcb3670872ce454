// A Deferred that is fired with a bare exception: the errback gets a Failure all the same. After
// twisted-deferred/defer-3.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>

#include <string>

namespace defer = ropewalk::defer;

using python::print;

void gotPoem(const std::string& poem) {
    print("Your poem is served:");
    print(poem);
}

void poemFailed(const ropewalk::Failure& err) {
    print(python::type(err));
    print(err);
    print("No poetry for you.");
}

int main() {
    defer::Deferred<std::string> d;

    // a callback and its errback, at the end of the chain
    d.addCallbacks(gotPoem, poemFailed);

    // an error fires the chain
    d.errback(ropewalk::Exception("I have failed."));
}
