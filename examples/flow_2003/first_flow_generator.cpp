// The same with a generator as the branch. After flow-first-2003-03.txt.

#include "python_text.hpp"

#include <ropewalk/flow/march.hpp>
#include <ropewalk/task/generator.hpp>

namespace march = ropewalk::flow2003::march;
namespace task = ropewalk::task;

using march::Flow;
using python::print;

void printResult(int data) {
    print(data);
}

task::Generator<int> simpleGenerator(int data) {
    for (int x = 0; x < data; ++x) {
        co_yield x;
    }
}

int main() {
    Flow b;
    b.addBranch(simpleGenerator);
    b.addFunction(printResult);
    b.execute(4);
}
