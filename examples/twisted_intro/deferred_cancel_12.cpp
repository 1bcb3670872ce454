// Cancelling a Deferred that waits for another one cancels that one. After deferred-cancel/defer-cancel-12.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>

#include <string>

namespace defer = ropewalk::defer;

using python::print;

void cancelOuter() {
    print("outer cancel callback.");
}

void cancelInner() {
    print("inner cancel callback.");
}

defer::Deferred<std::string> outerD(cancelOuter);
defer::Deferred<std::string> innerD(cancelInner);

defer::Deferred<std::string> firstOuterCallback(const std::string&) {
    print("first outer callback, returning inner deferred");
    return innerD;
}

void secondOuterCallback(const std::string& res) {
    print("second outer callback got:", res);
}

void outerErrback(const ropewalk::Failure& err) {
    print("outer errback got:", err);
}

int main() {
    outerD.addCallback(firstOuterCallback);
    outerD.addCallbacks(secondOuterCallback, outerErrback);

    outerD.callback("result");

    // The outer Deferred has fired by now, but it waits
    // for the inner one.

    print("canceling outer deferred.");
    outerD.cancel();

    print("done");
}
