// An error that no errback handles is reported when the last handle on its Deferred goes, here at the end of `main`.
// After twisted-deferred/defer-unhandled.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>

#include <string>

namespace defer = ropewalk::defer;

using python::print;

void callback(const std::string&) {
    throw ropewalk::Exception("oops");
}

int main() {
    defer::Deferred<std::string> d;

    d.addCallback(callback);

    d.callback("Here is your result.");

    print("Finished");
}
