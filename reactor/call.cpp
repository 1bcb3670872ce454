#include <ropewalk/reactor/call.hpp>

#include <new>
#include <string>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/names.hpp>

namespace ropewalk::detail {

void throwNotCallable(std::source_location where) {
    throw AssertionError("the function given at " + placeName(where) + " is empty");
}

void Call::bury() noexcept {
    drop();
    if (overaligned) {
        operation(Verb::free, *this);
    } else {
        ::operator delete(static_cast<void*>(this));
    }
}

} // namespace ropewalk::detail
