// A generator that consumes another: the last of the chain pulls values out of those before it. After flow-howto.txt,
// "Chaining Generators".

#include "python_text.hpp"

#include <ropewalk/task/generator.hpp>

namespace task = ropewalk::task;

using python::list;
using python::print;

task::Generator<int> counter(int count) {
    while (count > 0) {
        co_yield count;
        count -= 1;
    }
}

task::Generator<int> consumer() {
    auto producer = counter(3);
    for (const int result : producer) {
        if (2 != result) {
            co_yield result;
        }
    }
}

int main() {
    print(list(consumer()));

    // prints: [3, 1]
}
