// test: a stage that is yielded as a temporary is refused
// expect: give it a name first
#include <ropewalk/flow/wrap.hpp>

namespace flow = ropewalk::flow;

flow::Generator<int> consumer() {
    co_yield flow::wrap({1, 2});
}
