#pragma once

#include <ropewalk/reactor/call.hpp>
#include <ropewalk/reactor/name_resolver.hpp>

namespace ropewalk {

class Reactor;

namespace detail {

/// Asks the reactor's driver, which has threads for that (`twisted.internet._resolver.GAIResolver`). An IP
/// address passes through; no name at all is 0.0.0.0.
class ThreadedResolver final : public NameResolver {
public:
    explicit ThreadedResolver(Reactor& reactor) noexcept : reactor_(&reactor) { lookups_.alone(); }
    ~ThreadedResolver() override { close(); }

    defer::Deferred<std::vector<Address>> resolveHostName(std::string_view name, Seconds timeout) override;

    /// The reactor goes: what is being looked up is given up, and its Deferreds are dropped. From now on names
    /// aren't found.
    void close() noexcept;

private:
    class Lookup;

    Reactor* reactor_;
    Link lookups_;
};

} // namespace detail
} // namespace ropewalk
