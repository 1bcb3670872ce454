// The same with the stop in a place of its own, which comes after either function. After twisted-deferred/defer-9.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <iostream>
#include <string>

namespace defer = ropewalk::defer;

using python::print;
using python::printTo;

auto& reactor = ropewalk::reactor();

void gotPoem(const std::string& poem) {
    print(poem);
}

void poemFailed(const ropewalk::Failure&) {
    printTo(std::cerr, "poem download failed");
    printTo(std::cerr, "I am terribly sorry");
    printTo(std::cerr, "try again later?");
}

void poemDone() {
    reactor.stop();
}

int main() {
    defer::Deferred<std::string> d;

    d.addCallbacks(gotPoem, poemFailed);
    d.addBoth(poemDone);

    reactor.callWhenRunning([d] { d.callback("Another short poem."); });

    reactor.run();
}
