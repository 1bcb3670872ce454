#include <ropewalk/reactor/address.hpp>

#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>
#include <unordered_set>

using ropewalk::Address;
using ropewalk::HostnameAddress;
using ropewalk::IPv4Address;
using ropewalk::IPv6Address;
using ropewalk::parseIPAddress;
using ropewalk::UNIXAddress;

TEST_CASE("addresses print as Twisted's do") {
    CHECK(str(IPv4Address{"TCP", "127.0.0.1", 80}) == "IPv4Address(type='TCP', host='127.0.0.1', port=80)");
    CHECK(str(IPv6Address{"UDP", "::1", 53, 1, 2}) ==
          "IPv6Address(type='UDP', host='::1', port=53, flowInfo=1, scopeID=2)");
    CHECK(str(UNIXAddress{"/run/service"}) == "UNIXAddress('/run/service')");
    CHECK(str(Address()) == "None");
    std::ostringstream out;
    out << Address(IPv4Address{"TCP", "192.0.2.1", 1});
    CHECK(out.str() == "IPv4Address(type='TCP', host='192.0.2.1', port=1)");
}

TEST_CASE("names with quotes and other bytes print as Python would") {
    CHECK(str(IPv4Address{"TCP", "it's", 0}) == "IPv4Address(type='TCP', host=\"it's\", port=0)");
    CHECK(str(IPv4Address{"TCP", "a\\b\x01", 0}) == "IPv4Address(type='TCP', host='a\\\\b\\x01', port=0)");
}

TEST_CASE("host and port of any address") {
    CHECK(Address(IPv4Address{"TCP", "192.0.2.1", 7}).host() == "192.0.2.1");
    CHECK(Address(IPv6Address{"TCP", "::1", 8}).port() == 8);
    CHECK(Address(HostnameAddress{"example.org", 9}).host() == "example.org");
    CHECK(Address(HostnameAddress{"example.org", 9}).port() == 9);
    CHECK(Address(UNIXAddress{"/x"}).host() == "/x");
    CHECK(Address(UNIXAddress{"/x"}).port() == 0);
    CHECK(Address().host().empty());
    CHECK(Address().port() == 0);
    CHECK_FALSE(Address());
    CHECK(Address(UNIXAddress{}));
}

TEST_CASE("addresses compare and hash by all that they are") {
    const Address a = IPv4Address{"TCP", "192.0.2.1", 7};
    CHECK(a == Address(IPv4Address{"TCP", "192.0.2.1", 7}));
    CHECK(a != Address(IPv4Address{"UDP", "192.0.2.1", 7}));
    CHECK(a != Address(IPv4Address{"TCP", "192.0.2.1", 8}));
    CHECK(a != Address(HostnameAddress{"192.0.2.1", 7}));
    CHECK(a != Address());
    CHECK(Address(IPv6Address{"TCP", "::1", 1, 0, 1}) != Address(IPv6Address{"TCP", "::1", 1, 0, 2}));
    std::unordered_set<Address> hashed{a, a, IPv4Address{"TCP", "192.0.2.1", 7}, Address(), UNIXAddress{"x"}};
    CHECK(hashed.size() == 3);
    CHECK(hashed.contains(IPv4Address{"TCP", "192.0.2.1", 7}));
    std::set<Address> ordered{a, IPv4Address{"TCP", "192.0.2.1", 6}, a};
    CHECK(ordered.size() == 2);
    CHECK(ordered.begin()->port() == 6);
    const std::string tcp = "TCP"; // a type that is no literal has the same value
    CHECK(Address(IPv4Address{tcp, "192.0.2.1", 7}) == a);
    CHECK(std::hash<Address>()(IPv4Address{tcp, "192.0.2.1", 7}) == std::hash<Address>()(a));
}

TEST_CASE("as gives the address of its class, or null") {
    const Address six = IPv6Address{"TCP", "::1", 1};
    REQUIRE(six.as<IPv6Address>() != nullptr);
    CHECK(six.as<IPv6Address>()->host == "::1");
    CHECK(six.as<IPv4Address>() == nullptr);
}

TEST_CASE("parseIPAddress knows both families, and scopes") {
    CHECK(parseIPAddress("192.0.2.1", 7) == Address(IPv4Address{"TCP", "192.0.2.1", 7}));
    CHECK(parseIPAddress("2001:db8::1", 7, "UDP") == Address(IPv6Address{"UDP", "2001:db8::1", 7}));
    const Address scoped = parseIPAddress("fe80::1%1", 7);
    REQUIRE(scoped.as<IPv6Address>() != nullptr);
    CHECK(scoped.host() == "fe80::1");
    CHECK(scoped.as<IPv6Address>()->scopeID == 1);
    const Address named = parseIPAddress("fe80::1%lo", 7);
    CHECK(named.as<IPv6Address>()->scopeID == 1);
}

TEST_CASE("what is no IP address") {
    for (const char* bad : {"", "localhost", "192.0.2", "192.0.2.1.", "192.0.2.256", "1.2.3.4.5",
                            " 192.0.2.1", "192.0.2.1 ", ":", "2001:db8:::1", "[::1]", "fe80::1%",
                            "fe80::1%no such interface", "192.0.2.1%lo", "::1%lo%lo"}) {
        CAPTURE(bad);
        CHECK_FALSE(parseIPAddress(bad, 7));
    }
    CHECK_FALSE(parseIPAddress(std::string_view("192.0.2.1\0", 10), 7));
    CHECK_FALSE(parseIPAddress(std::string(10000, '1'), 7));
}
