#include <ropewalk/reactor/firer.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/names.hpp>

namespace ropewalk::detail {

void throwFiredTwice(std::source_location madeAt, std::source_location now) {
    throw defer::AlreadyCalledError(madeAt, now, madeAt);
}

Failure abandonedFirer(std::source_location madeAt) {
    return {std::make_exception_ptr(
                AbandonedError("the firer made at " + placeName(madeAt) + " was dropped uncalled")),
            madeAt};
}

} // namespace ropewalk::detail
