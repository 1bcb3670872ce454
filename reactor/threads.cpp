#include <ropewalk/reactor/threads.hpp>

#include <ropewalk/reactor/reactor_access.hpp>
#include <ropewalk/reactor/thread_reactor.hpp>

namespace ropewalk::detail {

void checkOtherThread(const Reactor& reactor) {
    if (ReactorAccess::home(reactor) == threadMark()) {
        throw RuntimeError("blockingCallFromThread in the reactor's own thread would wait for ever");
    }
}

std::shared_ptr<BlockedThreads> blockedThreads(Reactor& reactor) {
    return ReactorAccess::blocked(reactor);
}

} // namespace ropewalk::detail
