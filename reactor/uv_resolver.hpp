#pragma once

#include <memory>
#include <string_view>

#include <ropewalk/reactor/driver.hpp>
#include <ropewalk/reactor/thread_pool.hpp>
#include <ropewalk/reactor/uv_driver.hpp>

namespace ropewalk::detail {

/// `getaddrinfo`.
std::error_code lookUpByTheSystem(const std::string& host, std::vector<Address>& found);

/// The look-ups of one driver, on threads of their own. Each driver has its own, so that names that keep the
/// threads of one reactor busy don't matter to another, and nothing is left to share in a forked process.
///
/// It belongs to the driver's thread. Destroying it waits for no look-up.
class Lookups {
public:
    static constexpr int mostThreads = 16;

    Lookups(Driver& driver, UvDriver::LookupFunction lookUp);
    Lookups(const Lookups&) = delete;
    Lookups& operator=(const Lookups&) = delete;
    ~Lookups();

    /// The driver is woken when there is something to `deliver`.
    std::unique_ptr<Watch> start(std::string_view host, LookupListener& listener);
    void deliver() noexcept;

private:
    struct Request;
    struct State;
    class Pending;

    static void work(State& state);

    std::shared_ptr<State> state_; // shared with threads that are stuck
    ThreadPool threads_;
};

} // namespace ropewalk::detail
