// A result after an error is refused as a second result is. After twisted-deferred/defer-7.py.

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
    d.errback(ropewalk::Exception("First error"));
    d.callback("First result");
    print("Finished");
} catch (...) {
    return python::uncaught();
}
