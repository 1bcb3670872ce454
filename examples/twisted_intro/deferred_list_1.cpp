// A list of no Deferreds has its result at once. After deferred-list/deferred-list-1.py.

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
    print("Empty List.");
    defer::DeferredList d(std::vector<defer::Deferred<std::string>>{});
    print("Adding Callback.");
    d.addCallback(gotResults);
}
