// test: a value that isn't of the generator's type is refused
// expect: this isn't a result of the generator's type
#include <ropewalk/flow/wrap.hpp>

namespace flow = ropewalk::flow;

flow::Generator<int> consumer() {
    co_yield "text";
}
