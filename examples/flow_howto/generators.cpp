// The same two as generators, which keep their place by themselves. After flow-howto.txt, "Iterators and generators".

#include "python_text.hpp"

#include <ropewalk/task/generator.hpp>

#include <string>

namespace task = ropewalk::task;

using python::list;
using python::print;

task::Generator<int> counter(int count) {
    while (count > 0) {
        co_yield count;
        count -= 1;
    }
}

task::Generator<std::string> states() {
    co_yield "one";
    co_yield "two";
}

int main() {
    print(list(counter(3)));
    print(list(states()));

    // prints:
    //    [3, 2, 1]
    //    ['one', 'two']
}
