#pragma once

namespace ropewalk {

class Reactor;

namespace detail {

/// Which thread has which reactor.
struct ThreadReactor {
    /// Throws `ReactorAlreadyInstalledError` if this thread has one.
    static void enter(Reactor& reactor);
    static void leave(Reactor& reactor) noexcept;
    /// Null in a thread that has none.
    static Reactor* here() noexcept;
    /// Whether it was made while there was no other.
    static bool madeFirst(const Reactor& reactor) noexcept;
};

/// An address that tells this thread from all others that there are.
const void* threadMark() noexcept;

} // namespace detail
} // namespace ropewalk
