// test: a member function that doesn't fit the value is refused
// expect: ropewalk: this callback can take neither the Deferred's value (with the extra arguments) nor nothing
#include <ropewalk/defer/deferred.hpp>

#include <string>

struct Client {
    void gotPoem(const std::string& poem);
    void ask(ropewalk::defer::Deferred<int> d) { d.addCallback(&Client::gotPoem, this); }
};
