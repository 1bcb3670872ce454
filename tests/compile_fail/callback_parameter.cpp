// test: a callback whose parameter doesn't fit the value is refused
// expect: ropewalk: this callback can take neither the Deferred's value (with the extra arguments) nor nothing
#include <ropewalk/defer/deferred.hpp>

#include <string>

void gotNumber(ropewalk::defer::Deferred<int> d) {
    d.addCallback([](const std::string& text) { return text.size(); });
}
