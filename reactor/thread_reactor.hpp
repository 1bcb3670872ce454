#pragma once

namespace ropewalk {

class Reactor;

namespace detail {

/// Which thread has which reactor.
struct ThreadReactor {
    /// Throws `ReactorAlreadyInstalledError` if this thread has one.
    static void enter(Reactor& reactor);
    static void leave(Reactor& reactor) noexcept;
    /// The one that was made in this thread, or null.
    static Reactor* here() noexcept;
    /// Whether it was made while there was no other.
    static bool madeFirst(const Reactor& reactor) noexcept;

    /// Makes `reactor()` give that one in this thread for a while; null has no effect.
    class Lent {
    public:
        explicit Lent(Reactor* reactor) noexcept;
        Lent(const Lent&) = delete;
        Lent& operator=(const Lent&) = delete;
        ~Lent();

    private:
        Reactor* before_;
    };
};

/// An address that tells this thread from all others that there are.
const void* threadMark() noexcept;

} // namespace detail
} // namespace ropewalk
