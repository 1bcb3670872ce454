// An errback that comes after the list handles the error that the list has seen. After deferred-list/deferred-list-7.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/defer/errors.hpp>

#include <string>
#include <vector>

namespace defer = ropewalk::defer;

using python::print;

void gotResults(const std::vector<ropewalk::Result<std::string>>& res) {
    print("We got:", res);
}

int main() {
    defer::Deferred<std::string> d1;
    defer::Deferred<std::string> d2;
    defer::DeferredList d(std::vector{d1, d2});
    d2.addErrback([](const ropewalk::Failure&) {}); // takes care of d2's error
    d.addCallback(gotResults);
    print("Firing d1.");
    d1.callback("d1 result");
    print("Firing d2 with errback.");
    d2.errback(ropewalk::Exception("d2 failure"));
}
