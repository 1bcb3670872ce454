// An error after a result is refused as a second result is. After twisted-deferred/defer-5.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>

#include <string>

namespace defer = ropewalk::defer;

using python::print;

const auto out = [](const auto& s) { print(s); };

int main() try {
    defer::Deferred<std::string> d;
    d.addCallbacks(out, out);
    d.callback("First result");
    d.errback(ropewalk::Exception("First error"));
    print("Finished");
} catch (...) {
    return python::uncaught();
}
