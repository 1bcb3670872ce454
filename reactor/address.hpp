#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <variant>

/// The addresses of `twisted.internet.address`: values that compare, hash and print as Twisted's do.
namespace ropewalk {

/// `IPv4Address(type='TCP', host='127.0.0.1', port=80)`.
struct IPv4Address {
    std::string_view type = "TCP"; // or "UDP": a literal
    std::string host;
    int port = 0;

    auto operator<=>(const IPv4Address&) const = default;
};

/// `IPv6Address(type='TCP', host='::1', port=80, flowInfo=0, scopeID=0)`.
struct IPv6Address {
    std::string_view type = "TCP"; // or "UDP": a literal
    std::string host;              // without a scope
    int port = 0;
    std::uint32_t flowInfo = 0;
    std::uint32_t scopeID = 0;

    auto operator<=>(const IPv6Address&) const = default;
};

/// `UNIXAddress('/run/service')`; a name that begins with a zero byte is of Linux' abstract namespace, an
/// empty one that of a socket without a name.
struct UNIXAddress {
    std::string name;

    auto operator<=>(const UNIXAddress&) const = default;
};

/// A name that was not looked up yet.
struct HostnameAddress {
    std::string hostname;
    int port = 0;

    auto operator<=>(const HostnameAddress&) const = default;
};

/// Any of them, or none: one end of a connection (`IAddress`).
class Address {
public:
    Address() = default;
    Address(IPv4Address address) : value_(std::move(address)) {}
    Address(IPv6Address address) : value_(std::move(address)) {}
    Address(UNIXAddress address) : value_(std::move(address)) {}
    Address(HostnameAddress address) : value_(std::move(address)) {}

    /// The IP address, the host's name or the path. Empty for none.
    const std::string& host() const noexcept;
    /// 0 where there is none.
    int port() const noexcept;
    /// The address as that class, or null when it is another.
    template <class A>
    const A* as() const noexcept {
        return std::get_if<A>(&value_);
    }
    /// Whether it is an address at all.
    explicit operator bool() const noexcept { return value_.index() != 0; }

    auto operator<=>(const Address&) const = default;

private:
    std::variant<std::monostate, IPv4Address, IPv6Address, UNIXAddress, HostnameAddress> value_;
};

/// As Twisted prints it; `None` for none.
std::string str(const Address& address);
std::ostream& operator<<(std::ostream& out, const Address& address);

/// The address that is written so, `192.0.2.1`, `2001:db8::1` or `fe80::1%eth0` (with the interface's name or
/// its number); none if that is no IP address, or an interface that there isn't. `type` is a literal.
Address parseIPAddress(std::string_view text, int port, std::string_view type = "TCP");

namespace detail {
/// The port. Throws `ValueError` if there is none of that number.
int checkedPort(int port);
std::size_t hashOf(const Address& address) noexcept;
} // namespace detail

} // namespace ropewalk

template <>
struct std::hash<ropewalk::Address> {
    std::size_t operator()(const ropewalk::Address& address) const noexcept {
        return ropewalk::detail::hashOf(address);
    }
};
template <>
struct std::hash<ropewalk::IPv4Address> {
    std::size_t operator()(const ropewalk::IPv4Address& address) const noexcept {
        return ropewalk::detail::hashOf(address);
    }
};
template <>
struct std::hash<ropewalk::IPv6Address> {
    std::size_t operator()(const ropewalk::IPv6Address& address) const noexcept {
        return ropewalk::detail::hashOf(address);
    }
};
template <>
struct std::hash<ropewalk::UNIXAddress> {
    std::size_t operator()(const ropewalk::UNIXAddress& address) const noexcept {
        return ropewalk::detail::hashOf(address);
    }
};
