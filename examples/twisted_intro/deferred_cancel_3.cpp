// What has fired can't be cancelled any more. After deferred-cancel/defer-cancel-3.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>

#include <string>

namespace defer = ropewalk::defer;

using python::print;

void callback(const std::string& res) {
    print("callback got:", res);
}

void errback(const ropewalk::Failure& err) {
    print("errback got:", err);
}

int main() {
    defer::Deferred<std::string> d;
    d.addCallbacks(callback, errback);
    d.callback("result");
    d.cancel();
    print("done");
}
