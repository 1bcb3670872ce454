#pragma once

#include <cstdint>

#include <ropewalk/reactor/reactor.hpp>

namespace ropewalk::detail {

/// What other parts of this floor need of a reactor and nobody else should see.
struct ReactorAccess {
    /// The moment, in nanoseconds, until which it would wait just now. `reactor` is a `Reactor*`.
    static std::int64_t deadline(void* reactor) { return static_cast<Reactor*>(reactor)->deadline(); }
    /// Whether its loop or a system event is on the stack.
    static bool busy(const Reactor& reactor) noexcept { return reactor.looping_ > 0 || reactor.firing_ > 0; }
};

} // namespace ropewalk::detail
