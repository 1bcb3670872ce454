// Two streams as one: Zip waits for a result of each, Merge takes turns with those that have one. After flow-howto.txt,
// "Merge and Zip".

#include "python_text.hpp"

#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/concurrent.hpp>
#include <ropewalk/flow/map.hpp>

#include <string>

namespace flow = ropewalk::flow;

using python::list;
using python::print;

flow::Generator<std::string> right() {
    co_yield "one";
    co_yield "two";
    co_yield flow::Cooperate();
    co_yield "three";
}

flow::Generator<int> left() {
    co_yield 1;
    co_yield 2;
    co_yield 3;
}

int main() {
    print("Zip", list(flow::Block(flow::Zip(right, left))));
    print("Merge", list(flow::Block(flow::Merge(right, left))));

    // Zip [('one', 1), ('two', 2), ('three', 3)]
    // Merge ['one', 1, 'two', 2, 3, 'three']
}
