// A flow that cooperates: the whole chain pauses, and others may use the time. `Block` has no others, and sleeps. After
// flow-howto.txt, "Cooperate".

#include "python_text.hpp"

#include <ropewalk/flow/block.hpp>

#include <chrono>
#include <string>

namespace flow = ropewalk::flow;

using namespace std::chrono_literals;
using python::print;

flow::Generator<std::string> gen() {
    co_yield "immediate";
    co_yield flow::Cooperate(2s);
    co_yield "delayed";
}

int main() {
    for (const std::string& x : flow::Block(gen)) {
        print(x);
    }

    // prints:
    //  immediate
    //  delayed
}
