#pragma once

#include <memory>
#include <string_view>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/reactor/transport.hpp>

namespace ropewalk {

/// One connection, as the program sees it (`twisted.internet.protocol.Protocol`): derive from it, and write
/// what shall happen. A factory makes one for each connection; the transport keeps it until `connectionLost`
/// has returned.
///
/// All of it is called in the reactor's thread. What any of it throws is logged and closes the connection,
/// with it as the reason.
class Protocol {
public:
    Protocol() = default;
    Protocol(const Protocol&) = delete;
    Protocol& operator=(const Protocol&) = delete;
    virtual ~Protocol() = default;

    /// Called once, by whoever connects: keeps the transport and calls `connectionMade`.
    virtual void makeConnection(std::shared_ptr<Transport> theTransport);
    /// The connection is there.
    virtual void connectionMade() {}
    /// What came, in pieces as it comes, never empty. `data` is valid during the call.
    virtual void dataReceived(std::string_view data);
    /// The connection is gone: cleanly if `reason` is a `ConnectionDone`. Called once, last.
    virtual void connectionLost(const Failure& reason);

    /// Never null once there was a connection; a closed one does nothing and still knows its peer.
    std::shared_ptr<Transport> transport;
    /// Whether there was a connection.
    bool connected = false;
};

/// For a protocol that goes on when one direction is closed: derive from it beside `Protocol`
/// (`IHalfCloseableProtocol`). Without it, the peer's end of data is the end of the connection.
class IHalfCloseableProtocol {
public:
    IHalfCloseableProtocol() = default;
    IHalfCloseableProtocol(const IHalfCloseableProtocol&) = default;
    IHalfCloseableProtocol& operator=(const IHalfCloseableProtocol&) = default;
    virtual ~IHalfCloseableProtocol() = default;

    /// The peer sends no more; one may still write.
    virtual void readConnectionLost() = 0;
    /// After `loseWriteConnection`, when all was sent.
    virtual void writeConnectionLost() = 0;
};

} // namespace ropewalk
