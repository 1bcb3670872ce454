#include <ropewalk/defer/helpers.hpp>

#include <ropewalk/defer/log.hpp>

namespace ropewalk::defer {

Failure logError(Failure failure) {
    log::failure("", failure);
    return failure;
}

} // namespace ropewalk::defer
