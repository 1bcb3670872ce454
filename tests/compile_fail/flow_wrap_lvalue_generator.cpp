// test: a generator that isn't moved into wrap is refused
// expect: std::move it
#include <ropewalk/flow/wrap.hpp>

namespace flow = ropewalk::flow;

void consume(flow::Generator<int> generator) {
    auto stage = flow::wrap(generator);
}
