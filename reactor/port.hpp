#pragma once

#include <memory>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/address.hpp>

namespace ropewalk {

class Factory;

/// A listening socket (`IListeningPort`). The reactor keeps it while it listens: dropping the handle closes
/// nothing. It keeps its factory.
class Port {
public:
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;
    virtual ~Port() = default;

    /// Begins to listen, after a `stopListening`: on the same port, also if that was chosen by the system.
    /// Nothing happens when it listens already. Throws `CannotListenError`.
    virtual void startListening() = 0;
    /// Listens no more; connections that were made stay. The Deferred fires in the next turn, when the socket
    /// is closed and the factory has been told. At once, if it doesn't listen.
    virtual defer::Deferred<void> stopListening() = 0;
    /// Where it listens: with the port that the system chose, if 0 was asked for.
    virtual Address getHost() const = 0;
    /// The factory that was given.
    virtual const std::shared_ptr<Factory>& factory() const noexcept = 0;
    /// Accepts no connections for now, or again; meanwhile they wait in the backlog.
    virtual void pauseProducing() = 0;
    virtual void resumeProducing() = 0;

protected:
    Port() = default;
};

} // namespace ropewalk
