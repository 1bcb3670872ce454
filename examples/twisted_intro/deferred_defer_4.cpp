// A second result is an error of whoever fires, and the program ends with it.
// After twisted-deferred/defer-4.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>

#include <string>

namespace defer = ropewalk::defer;

using python::print;

const auto out = [](const auto& s) { print(s); };

int main() try {
    defer::Deferred<std::string> d;
    d.addCallbacks(out, out);
    d.callback("First result");
    d.callback("Second result");
    print("Finished");
} catch (...) {
    return python::uncaught();
}
