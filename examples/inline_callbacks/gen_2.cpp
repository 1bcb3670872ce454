// The same generator, made and asked by hand: the loop is a reactor, the generator a series of callbacks. After
// inline-callbacks/gen-2.py.

#include "python_text.hpp"

#include <ropewalk/task/errors.hpp>
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
    auto gen = myGenerator();

    while (true) {
        int n = 0;
        try {
            n = gen.next();
        } catch (const ropewalk::StopIteration&) {
            break;
        }
        print(n);
    }
}
