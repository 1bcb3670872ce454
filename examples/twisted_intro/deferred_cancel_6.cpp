// A canceller that gives a result of its own. After deferred-cancel/defer-cancel-6.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>

#include <string>

namespace defer = ropewalk::defer;

using python::print;

void canceller(const defer::Deferred<std::string>& d) {
    print("I need to cancel this deferred:", d);
    print("Firing the deferred with a result");
    d.callback("result");
}

void callback(const std::string& res) {
    print("callback got:", res);
}

void errback(const ropewalk::Failure& err) {
    print("errback got:", err);
}

int main() {
    defer::Deferred<std::string> d(canceller); // by whoever began the work
    d.addCallbacks(callback, errback);         // by whoever asked for it
    d.cancel();
    print("done");
}
