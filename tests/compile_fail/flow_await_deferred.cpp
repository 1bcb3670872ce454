// test: co_await of a Deferred in a generator of a flow is refused
// expect: a generator of a flow can co_await a stage
#include <ropewalk/flow/wrap.hpp>

namespace flow = ropewalk::flow;

flow::Generator<int> consumer(ropewalk::defer::Deferred<int> d) {
    co_yield co_await d;
}
