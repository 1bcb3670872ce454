#pragma once

#include <string>

#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/address.hpp>

namespace ropewalk {

/// What `listenTCP` may be told besides the port and the factory.
struct ListenOptions {
    /// How many connections the system keeps that were not accepted yet.
    int backlog = 50;
    /// The IP address to listen on; empty for all IPv4 ones, `::` for all there are, `fe80::1%eth0` with a
    /// scope.
    std::string interface = {};
    /// Whether others, in this process or not, may listen on the same port if they say so too: the system
    /// deals the connections out among them (SO_REUSEPORT). So several reactors in several threads serve one
    /// port. Twisted has no such option.
    bool reusePort = false;
};

/// What `connectTCP` may be told besides the address and the factory.
struct ConnectOptions {
    /// After that long, name look-up included, it gives up. 0: never.
    Seconds timeout = Seconds(30);
    /// The address to connect from, with a port or 0; none to let the system choose.
    Address bindAddress = {};
};

} // namespace ropewalk
