#pragma once

#include <string_view>
#include <system_error>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/address.hpp>

namespace ropewalk {

/// Finds the IP addresses of a host (`IHostnameResolver`, `IResolverSimple`): `Reactor::installNameResolver`
/// plugs in another. It is used in the reactor's thread.
class NameResolver {
public:
    NameResolver() = default;
    NameResolver(const NameResolver&) = delete;
    NameResolver& operator=(const NameResolver&) = delete;
    virtual ~NameResolver() = default;

    /// All addresses of `name`, with port 0, in the order in which they are to be tried. Fails with
    /// `DNSLookupError` when there are none, with `ropewalk::TimeoutError` when they weren't found in time; a
    /// timeout of 0 never ends. It may be cancelled.
    virtual defer::Deferred<std::vector<Address>> resolveHostName(std::string_view name, Seconds timeout) = 0;
};

/// The category of errors that `getaddrinfo` has numbers for: EAI_NONAME and so on.
const std::error_category& lookupCategory() noexcept;

} // namespace ropewalk
