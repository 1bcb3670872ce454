// Two generators at a time, which take turns. After inline-callbacks/gen-3.py.

#include "python_text.hpp"

#include <ropewalk/task/errors.hpp>
#include <ropewalk/task/generator.hpp>

#include <vector>

namespace task = ropewalk::task;

using python::print;

task::Generator<int> myGenerator() {
    co_yield 1;
    co_yield 2;
    co_yield 3;
}

task::Generator<int> myOtherGenerator() {
    co_yield 10;
    co_yield 20;
    co_yield 30;
    co_yield 40;
}

int main() {
    std::vector gens{myGenerator(), myOtherGenerator()};

    while (!gens.empty()) {
        for (const auto& g : std::vector(gens)) { // a copy, for those that have ended go
            int n = 0;
            try {
                n = g.next();
            } catch (const ropewalk::StopIteration&) {
                std::erase(gens, g);
                continue;
            }
            print(n);
        }
    }
}
