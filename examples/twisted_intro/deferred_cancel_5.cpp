// A canceller that fires nothing: the Deferred fails with a CancelledError. After deferred-cancel/defer-cancel-5.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>

#include <string>

namespace defer = ropewalk::defer;

using python::print;

void canceller(const defer::Deferred<std::string>& d) {
    print("I need to cancel this deferred:", d);
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
