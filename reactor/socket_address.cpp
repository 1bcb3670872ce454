#include <ropewalk/reactor/socket_address.hpp>

#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace ropewalk::detail {

namespace {

// inet_ntop takes thrice as long, and every connection has an address.
std::string dotted(const in_addr& address) {
    unsigned char bytes[4];
    std::memcpy(bytes, &address, sizeof bytes);
    char text[20];
    char* at = text;
    for (const unsigned char byte : bytes) {
        at = std::to_chars(at, text + sizeof text, byte).ptr;
        *at++ = '.';
    }
    return {text, at - 1};
}

std::string coloned(const in6_addr& address) {
    char text[INET6_ADDRSTRLEN];
    return inet_ntop(AF_INET6, &address, text, sizeof text) != nullptr ? text : "";
}

} // namespace

SocketAddress toSystem(const Address& address) {
    SocketAddress system;
    if (const auto* four = address.as<IPv4Address>()) {
        auto& in = reinterpret_cast<sockaddr_in&>(system.storage);
        in.sin_family = AF_INET;
        in.sin_port = htons(static_cast<std::uint16_t>(four->port));
        if (inet_pton(AF_INET, four->host.c_str(), &in.sin_addr) == 1) {
            system.size = sizeof in;
        }
    } else if (const auto* six = address.as<IPv6Address>()) {
        auto& in = reinterpret_cast<sockaddr_in6&>(system.storage);
        in.sin6_family = AF_INET6;
        in.sin6_port = htons(static_cast<std::uint16_t>(six->port));
        in.sin6_flowinfo = six->flowInfo;
        in.sin6_scope_id = six->scopeID;
        if (inet_pton(AF_INET6, six->host.c_str(), &in.sin6_addr) == 1) {
            system.size = sizeof in;
        }
    }
    return system;
}

Address fromSystem(const SocketAddress& address) {
    switch (address.family()) {
        case AF_INET: {
            const auto& in = reinterpret_cast<const sockaddr_in&>(address.storage);
            return IPv4Address{"TCP", dotted(in.sin_addr), ntohs(in.sin_port)};
        }
        case AF_INET6: {
            const auto& in = reinterpret_cast<const sockaddr_in6&>(address.storage);
            return IPv6Address{"TCP", coloned(in.sin6_addr), ntohs(in.sin6_port), in.sin6_flowinfo,
                               in.sin6_scope_id};
        }
        case AF_UNIX: {
            const auto& un = reinterpret_cast<const sockaddr_un&>(address.storage);
            const std::size_t head = offsetof(sockaddr_un, sun_path);
            std::string name(un.sun_path, address.size > head ? address.size - head : 0);
            if (!name.empty() && name.front() != '\0') {
                name.resize(std::strlen(name.c_str()));
            }
            return UNIXAddress{std::move(name)};
        }
        default:
            return {};
    }
}

Address boundAddress(int descriptor) {
    SocketAddress system;
    system.size = sizeof system.storage;
    if (getsockname(descriptor, system.get(), &system.size) != 0) {
        return {};
    }
    return fromSystem(system);
}

Address peerAddress(int descriptor) {
    SocketAddress system;
    system.size = sizeof system.storage;
    if (getpeername(descriptor, system.get(), &system.size) != 0) {
        return {};
    }
    return fromSystem(system);
}

} // namespace ropewalk::detail
