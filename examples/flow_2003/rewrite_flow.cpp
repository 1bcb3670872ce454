// The flow module as it was rewritten: a consumer asks a producer, which asks two lists. After flow-rewrite-2003-04.txt.

#include "python_text.hpp"

#include <ropewalk/flow/april.hpp>

#include <tuple>

namespace flow = ropewalk::flow2003::april;

using python::print;

flow::Steps producer() {
    flow::Generator lst({1, 2, 3});
    flow::Generator nam({"one", "two", "three"});
    while (true) {
        co_yield lst;
        co_yield nam;
        if (lst.stop || nam.stop) {
            co_return;
        }
        co_yield std::make_tuple(lst.result, nam.result);
    }
}

flow::Steps consumer() {
    flow::Generator title({"Title"});
    co_yield title;
    print(title.getResult());
    flow::Generator lst(producer());
    try {
        while (true) {
            co_yield lst;
            print(lst.getResult());
        }
    } catch (const ropewalk::StopIteration&) {
        co_return;
    }
}

int main() {
    flow::Flow(consumer()).execute();
}
