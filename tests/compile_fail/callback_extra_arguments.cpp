// test: a callback that can't take its extra arguments is refused
// expect: ropewalk: this callback can take neither the Deferred's value (with the extra arguments) nor nothing
#include <ropewalk/defer/deferred.hpp>

#include <string>

void gotNumber(ropewalk::defer::Deferred<int> d) {
    d.addCallback([](int n, const std::string& text) { return n + static_cast<int>(text.size()); }, 2, 3);
}
