// A cancelled Deferred whose error nobody handles. After deferred-cancel/defer-cancel-1.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>

#include <string>

namespace defer = ropewalk::defer;

using python::print;

void callback(const std::string& res) {
    print("callback got:", res);
}

int main() {
    defer::Deferred<std::string> d;
    d.addCallback(callback);
    d.cancel();
    print("done");
}
