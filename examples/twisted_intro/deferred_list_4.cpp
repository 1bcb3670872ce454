// The results stand in the order of the list, whichever came first. After deferred-list/deferred-list-4.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred_list.hpp>

#include <string>
#include <vector>

namespace defer = ropewalk::defer;

using python::print;

void gotResults(const std::vector<ropewalk::Result<std::string>>& res) {
    print("We got:", res);
}

int main() {
    print("Two Deferreds.");
    defer::Deferred<std::string> d1;
    defer::Deferred<std::string> d2;
    defer::DeferredList d(std::vector{d1, d2});
    print("Adding Callback.");
    d.addCallback(gotResults);
    print("Firing d2.");
    d2.callback("d2 result");
    print("Firing d1.");
    d1.callback("d1 result");
}
