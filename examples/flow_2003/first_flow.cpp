// A flow in its first form: a branch makes events of its argument, and each of them goes through two functions. After
// flow-first-2003-03.txt.

#include "python_text.hpp"

#include <ropewalk/flow/march.hpp>

#include <vector>

namespace march = ropewalk::flow2003::march;

using march::Flow;
using python::print;

void printResult(int data) {
    print(data);
}

int addOne(int data) {
    return data + 1;
}

void finished() {
    print("finished");
}

std::vector<int> dataSource(int data) {
    return {1, 1 + data, 1 + data * 2};
}

int main() {
    Flow a;
    a.addBranch(dataSource, finished);
    a.addFunction(addOne);
    a.addFunction(printResult);
    a.execute(2);
    a.execute(8);
}
