#pragma once

#include <cstddef>
#include <iosfwd>
#include <source_location>
#include <string>

namespace ropewalk::defer {

/// The way that an error, or the program, took: one source location a step, the oldest first. Of a longer way the
/// first 32 and the last 32 steps are kept, and the number of those between.
class Trail {
public:
    static constexpr std::size_t kept = 32;

    Trail() = default;
    Trail(const Trail& other);
    Trail(Trail&& other) noexcept;
    Trail& operator=(Trail other) noexcept;
    ~Trail();

    void add(std::source_location where);

    /// How many steps are kept; `operator[]` gives them in order.
    std::size_t size() const noexcept;
    std::source_location operator[](std::size_t index) const noexcept;
    /// How many steps were left out between the first 32 and the rest.
    std::size_t omitted() const noexcept;

    /// A line a step, `file:line:function`, and the number of those left out where they were.
    std::string str() const;

private:
    std::source_location* steps_ = nullptr;
    std::size_t total_ = 0;
    std::size_t room_ = 0;
};

std::ostream& operator<<(std::ostream& out, const Trail& trail);

/// The steps from the reactor's `run` down to the caller: the timed call, the fire, the callback or `co_await` that
/// run just now in this thread. Answers to a look at Python's stack.
Trail currentTrail(std::source_location where = std::source_location::current());

namespace detail {

/// What runs just now: a link of a list that lies on the stack and that `currentTrail` reads.
struct Activation {
    explicit Activation(std::source_location at) noexcept : where(at), below(top) { top = this; }
    Activation(const Activation&) = delete;
    Activation& operator=(const Activation&) = delete;
    ~Activation() { top = below; }

    std::source_location where;
    std::source_location inner;
    Activation* below;

    [[gnu::tls_model("initial-exec")]] static thread_local constinit Activation* top;
};

} // namespace detail
} // namespace ropewalk::defer
