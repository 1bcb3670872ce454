#pragma once

#include <sys/socket.h>

#include <ropewalk/reactor/address.hpp>

/// Addresses as the system has them.
namespace ropewalk::detail {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
    const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
    int family() const noexcept { return storage.ss_family; }
};

/// Of an IP address. Its size is 0 when the address is none, or of another kind.
SocketAddress toSystem(const Address& address);
/// As a TCP address; none when the family is unknown.
Address fromSystem(const SocketAddress& address);
/// Where a socket is bound.
Address boundAddress(int descriptor);
/// To what a socket is connected.
Address peerAddress(int descriptor);

} // namespace ropewalk::detail
