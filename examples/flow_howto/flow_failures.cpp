// Two ways to deal with what a stage fails with: errors that `wrap` traps come as the last of its results, all others are
// raised where a result is asked for. After flow-howto.txt, "Handling failures".

#include "python_text.hpp"

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/trap.hpp>
#include <ropewalk/flow/wrap.hpp>

#include <string>
#include <utility>
#include <variant>

namespace flow = ropewalk::flow;

using python::list;
using python::print;
using ropewalk::AssertionError;
using ropewalk::IOError;

template <class Error>
flow::Generator<int> producer(Error error) {
    co_yield 1;
    co_yield 2;
    throw error;
    co_yield 3;
}

flow::Generator<std::variant<int, std::string>> consumer(flow::Generator<int> source) {
    auto producer = flow::wrap(std::move(source), flow::trap<IOError>);
    std::string text;
    try {
        co_yield producer;
        for (const auto& result : producer) {
            if (!result) {
                // the trapped error
                co_yield "trapped";
            } else {
                co_yield *result;
            }
            co_yield producer;
        }
    } catch (const AssertionError& err) {
        text = err.what();
    }
    if (!text.empty()) {
        // the assertion's: nothing can be yielded inside a catch
        co_yield text;
    }
}

int main() {
    print(list(flow::Block(consumer(producer(IOError("trap"))))));
    print(list(flow::Block(consumer(producer(AssertionError("notrap"))))));

    // prints: [1, 2, 'trapped']
    // prints: [1, 2, 'notrap']
}
