// A list of one Deferred. After deferred-list/deferred-list-2.py.

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
    print("One Deferred.");
    defer::Deferred<std::string> d1;
    defer::DeferredList d(std::vector{d1});
    print("Adding Callback.");
    d.addCallback(gotResults);
    print("Firing d1.");
    d1.callback("d1 result");
}
