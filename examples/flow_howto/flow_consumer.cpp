// The alternating yield: a stage is yielded before each value that is taken from it, and the flow may be paused there. Three
// forms of it that come to the same. After flow-howto.txt, "Introducing Flow" and "Equivalent Forms".

#include "python_text.hpp"

#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/wrap.hpp>

namespace flow = ropewalk::flow;

using python::list;
using python::print;

flow::Generator<int> counter(int count) {
    while (count > 0) {
        co_yield count;
        count -= 1;
    }
}

flow::Generator<int> consumer() {
    auto producer = flow::wrap(counter(3));
    co_yield producer;
    for (const int result : producer) {
        if (2 != result) {
            co_yield result;
        }
        co_yield producer;
    }
}

// the loop calls next(), which throws StopIteration at the end; out of a generator, that ends it
flow::Generator<int> nextConsumer() {
    auto producer = flow::wrap(counter(3));
    while (true) {
        co_yield producer;
        const int result = producer.next();
        if (2 != result) {
            co_yield result;
        }
    }
}

// what next() looks at: results that are there, then a failure, then the end
flow::Generator<int> bareConsumer() {
    auto producer = flow::wrap(counter(3));
    while (true) {
        co_yield producer;
        if (!producer.results.empty()) {
            const int result = producer.results.popFront();
            if (2 != result) {
                co_yield result;
            }
            continue;
        }
        if (producer.failure) {
            producer.stop = true;
            producer.failure->raiseException();
        }
        if (producer.stop) {
            break;
        }
    }
}

int main() {
    print(list(flow::Block(consumer)));
    print(list(flow::Block(nextConsumer)));
    print(list(flow::Block(bareConsumer)));

    // prints: [3, 1]
    // prints: [3, 1]
    // prints: [3, 1]
}
