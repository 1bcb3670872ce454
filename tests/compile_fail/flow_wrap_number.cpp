// test: wrap of a number is refused
// expect: a wrapper is not available for this
#include <ropewalk/flow/wrap.hpp>

namespace flow = ropewalk::flow;

void consume() {
    auto stage = flow::wrap(1);
}
