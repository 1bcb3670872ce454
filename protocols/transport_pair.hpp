#pragma once

#include <cstddef>
#include <memory>

#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/address.hpp>
#include <ropewalk/reactor/protocol.hpp>
#include <ropewalk/reactor/transport.hpp>
#include <ropewalk/task/clock.hpp>

namespace ropewalk::protocols {

namespace detail {
class PairTransport;
}

/// For tests: a connection between two protocols, in memory and without a reactor, which moves when it is told
/// to (`twisted.test.iosim`, `twisted.protocols.loopback`):
///
///     TransportPair pair(server, client);
///     client->sendLine("hello");
///     pair.flush();
///
/// Its transports behave as those of TCP: closing, resetting, half-closing, pausing, producers, and what
/// exceptions out of a protocol do. `setWriteLimit` alone has no effect. When the pair is destroyed, which
/// they may do themselves, the protocols are let go and told nothing.
class TransportPair {
public:
    struct Options {
        /// The most bytes that a `dataReceived` gets.
        std::size_t pieceSize = 65536;
        /// The most bytes in each direction that are sent and not read.
        std::size_t window = 65536;
        /// A clock that `advance` turns, and `pump` for what is due; it outlives the pair.
        task::Clock* clock = nullptr;
        Address serverAddress = IPv4Address{.type = "TCP", .host = "127.0.0.1", .port = 80};
        Address clientAddress = IPv4Address{.type = "TCP", .host = "127.0.0.1", .port = 49152};
    };

    /// Connects them, the server first. Throws `ValueError` if a piece or the window has no size.
    TransportPair(std::shared_ptr<Protocol> server, std::shared_ptr<Protocol> client);
    TransportPair(std::shared_ptr<Protocol> server, std::shared_ptr<Protocol> client, const Options& options);
    TransportPair(const TransportPair&) = delete;
    TransportPair& operator=(const TransportPair&) = delete;
    ~TransportPair();

    /// One step: what was written before it moves, in both directions, and then what is to be closed is
    /// closed. Whether anything happened.
    bool pump();
    /// Steps until nothing happens. Whether anything did. Throws `AssertionError` if there is no end to it.
    bool flush(int steps = 1000);
    /// Turns the clock, and `flush`. Throws `AssertionError` if there is none.
    bool advance(Seconds time);

    Transport& serverTransport() const noexcept;
    Transport& clientTransport() const noexcept;

private:
    std::shared_ptr<detail::PairTransport> server_;
    std::shared_ptr<detail::PairTransport> client_;
    std::size_t pieceSize_;
    task::Clock* clock_;
};

} // namespace ropewalk::protocols
