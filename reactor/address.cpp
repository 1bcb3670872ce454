#include <ropewalk/reactor/address.hpp>

#include <charconv>
#include <ostream>
#include <type_traits>

#include <arpa/inet.h>
#include <net/if.h>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk {

namespace {

const std::string noHost;

template <class... Functions>
struct Overloaded : Functions... {
    using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

// As Python writes a string.
std::string quoted(std::string_view text) {
    const char quote =
        text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
    std::string out(1, quote);
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == quote || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            constexpr std::string_view digits = "0123456789abcdef";
            out += "\\x";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        } else {
            out += c;
        }
    }
    return out += quote;
}

std::uint32_t scopeOf(std::string_view scope) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(scope.data(), scope.data() + scope.size(), number);
    if (error == std::errc() && end == scope.data() + scope.size()) {
        return number;
    }
    return if_nametoindex(std::string(scope).c_str());
}

} // namespace

const std::string& Address::host() const noexcept {
    return std::visit(
        Overloaded{[](std::monostate) -> const std::string& { return noHost; },
                   [](const UNIXAddress& unix) -> const std::string& { return unix.name; },
                   [](const HostnameAddress& named) -> const std::string& { return named.hostname; },
                   [](const auto& ip) -> const std::string& { return ip.host; }},
        value_);
}

int Address::port() const noexcept {
    return std::visit(Overloaded{[](std::monostate) { return 0; }, [](const UNIXAddress&) { return 0; },
                                 [](const auto& other) { return other.port; }},
                      value_);
}

std::string str(const Address& address) {
    if (const auto* four = address.as<IPv4Address>()) {
        return "IPv4Address(type=" + quoted(four->type) + ", host=" + quoted(four->host) +
               ", port=" + std::to_string(four->port) + ")";
    }
    if (const auto* six = address.as<IPv6Address>()) {
        return "IPv6Address(type=" + quoted(six->type) + ", host=" + quoted(six->host) +
               ", port=" + std::to_string(six->port) + ", flowInfo=" + std::to_string(six->flowInfo) +
               ", scopeID=" + std::to_string(six->scopeID) + ")";
    }
    if (const auto* unix = address.as<UNIXAddress>()) {
        return "UNIXAddress(" + (unix->name.empty() ? std::string("None") : quoted(unix->name)) + ")";
    }
    if (const auto* named = address.as<HostnameAddress>()) {
        return "HostnameAddress(hostname=" + quoted(named->hostname) +
               ", port=" + std::to_string(named->port) + ")";
    }
    return "None";
}

std::ostream& operator<<(std::ostream& out, const Address& address) {
    return out << str(address);
}

Address parseIPAddress(std::string_view text, int port, std::string_view type) {
    const std::size_t percent = text.find('%');
    const std::string host(text.substr(0, percent));
    if (host.find('\0') != std::string::npos) {
        return {};
    }
    in_addr four{};
    if (percent == std::string_view::npos && inet_pton(AF_INET, host.c_str(), &four) == 1) {
        return IPv4Address{type, host, port};
    }
    in6_addr six{};
    if (inet_pton(AF_INET6, host.c_str(), &six) != 1) {
        return {};
    }
    std::uint32_t scope = 0;
    if (percent != std::string_view::npos) {
        scope = scopeOf(text.substr(percent + 1));
        if (scope == 0) {
            return {};
        }
    }
    return IPv6Address{type, host, port, 0, scope};
}

int detail::checkedPort(int port) {
    if (port < 0 || port > 65535) {
        throw ValueError(std::to_string(port) + " is no port: they go from 0 to 65535");
    }
    return port;
}

std::size_t detail::hashOf(const Address& address) noexcept {
    const std::size_t host = std::hash<std::string>()(address.host());
    return host ^ (static_cast<std::size_t>(address.port()) * 0x9e3779b97f4a7c15U);
}

} // namespace ropewalk
