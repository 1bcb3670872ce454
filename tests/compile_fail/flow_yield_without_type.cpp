// test: a value from a flow::Generator<> is refused
// expect: a flow::Generator<> yields no results
#include <ropewalk/flow/wrap.hpp>

namespace flow = ropewalk::flow;

flow::Generator<> consumer() {
    co_yield 1;
}
