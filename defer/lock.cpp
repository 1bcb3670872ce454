#include <ropewalk/defer/lock.hpp>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk::defer {

template <class Lock>
void detail::Acquirable<Lock>::throwNotHeld() {
    throw AssertionError("release() of a lock that nobody holds");
}

template class detail::Acquirable<DeferredLock>;
template class detail::Acquirable<DeferredSemaphore>;

DeferredSemaphore::DeferredSemaphore(std::size_t tokens) : Acquirable(tokens) {
    if (tokens < 1) {
        throw ValueError("a DeferredSemaphore needs at least one token");
    }
}

} // namespace ropewalk::defer
