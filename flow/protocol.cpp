#include <ropewalk/flow/protocol.hpp>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk::flow::detail {

void throwNoController() {
    throw UnsupportedError("a flow protocol needs a controller()");
}

} // namespace ropewalk::flow::detail
