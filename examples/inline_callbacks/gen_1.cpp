// A generator: a function that runs from one co_yield to the next, each time that the loop asks for a value. After
// inline-callbacks/gen-1.py.

#include "python_text.hpp"

#include <ropewalk/task/generator.hpp>

namespace task = ropewalk::task;

using python::print;

task::Generator<int> myGenerator() {
    print("starting up");
    co_yield 1;
    print("workin'");
    co_yield 2;
    print("still workin'");
    co_yield 3;
    print("done");
}

int main() {
    for (const int n : myGenerator()) {
        print(n);
    }
}
