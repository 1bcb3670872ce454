// Summing the first integers in steps, so that the event loop isn't blocked meanwhile. After coiterate.txt,
// coiterate01.py.

#include "python_text.hpp"

#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/cooperator.hpp>
#include <ropewalk/task/step.hpp>

#include <chrono>

namespace task = ropewalk::task;

using namespace std::chrono_literals;
using python::print;

auto& reactor = ropewalk::reactor();

task::Steps<> makeIteratorToSumAllIntegersUntil(int n) {
    int s = 0;
    for (int i = 0; i < n; ++i) {
        s += i;
        print("Adding", i, "to result");
        co_yield {}; // the event loop may see to other things
    }

    print("result is", s, "");
}

void sumAllIntegersBeingNiceToReactor(int n) {
    auto allSumSteps = makeIteratorToSumAllIntegersUntil(n);
    task::coiterate(allSumSteps).addBoth([] { reactor.stop(); });
}

int main() {
    reactor.callLater(0s, sumAllIntegersBeingNiceToReactor, 8);
    reactor.run();
}
