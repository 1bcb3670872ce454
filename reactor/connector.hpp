#pragma once

#include <memory>

#include <ropewalk/reactor/address.hpp>

namespace ropewalk {

class ClientFactory;

/// A connection that is being made, was made, or may be made again (`IConnector`). The reactor keeps it while
/// it connects or is connected. It keeps its factory.
class Connector : public std::enable_shared_from_this<Connector> {
public:
    enum class State : unsigned char { disconnected, connecting, connected };

    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;
    virtual ~Connector() = default;

    /// Begins to connect. Throws `RuntimeError` unless it is disconnected.
    virtual void connect() = 0;
    /// Ends what there is: as `stopConnecting`, or as the transport's `loseConnection`.
    virtual void disconnect() = 0;
    /// Gives up: the factory is told at once, by a `UserError`. Throws `NotConnectingError` when there is
    /// nothing to give up.
    virtual void stopConnecting() = 0;
    /// What to connect to, as it was given: an IP address, or one with the host's name in its place.
    virtual Address getDestination() const = 0;
    /// How far it got.
    State state() const noexcept { return state_; }
    /// The factory that was given.
    virtual const std::shared_ptr<ClientFactory>& factory() const noexcept = 0;

protected:
    Connector() = default;

    State state_ = State::disconnected;
};

} // namespace ropewalk
