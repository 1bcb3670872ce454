#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/failure.hpp>
#include <ropewalk/reactor/address.hpp>
#include <ropewalk/reactor/protocol.hpp>

namespace ropewalk {

class Connector;

namespace detail {
template <class P, class Base, class... Args>
class FactoryWith;
} // namespace detail

/// Makes the protocols of a port's connections, and keeps what they share
/// (`twisted.internet.protocol.Factory`). Ports, connectors and connections keep it. All of it is called in
/// the reactor's thread.
class Factory {
public:
    Factory() = default;
    Factory(const Factory&) = delete;
    Factory& operator=(const Factory&) = delete;
    virtual ~Factory() = default;

    /// A factory that makes each `P` from copies of `args`.
    template <class P, class... Args>
    static std::shared_ptr<Factory> forProtocol(Args&&... args);

    /// A protocol for the connection that was made with `peer`. Null, or an exception, which is logged: the
    /// connection is closed.
    virtual std::shared_ptr<Protocol> buildProtocol(const Address& peer) = 0;

    /// Called when the first port or connector begins to use this, and when the last one has stopped to.
    virtual void startFactory() {}
    virtual void stopFactory() {}
    /// For ports and connectors: they count, and call the two above.
    void doStart();
    void doStop();

    /// Whether the log tells of starts and stops.
    bool noisy = true;
    /// How many ports and connectors use it.
    int numPorts = 0;
};

/// `protocol.ServerFactory`.
class ServerFactory : public Factory {
public:
    /// As `Factory::forProtocol`.
    template <class P, class... Args>
    static std::shared_ptr<ServerFactory> forProtocol(Args&&... args);
};

/// Makes the protocols of connections that are made by `connectTCP` and its like, and is told what becomes of
/// them (`protocol.ClientFactory`). In the last two, `connector.connect()` begins anew.
class ClientFactory : public Factory {
public:
    /// As `Factory::forProtocol`.
    template <class P, class... Args>
    static std::shared_ptr<ClientFactory> forProtocol(Args&&... args);

    /// A connection is being made; `connector.stopConnecting()` ends that.
    virtual void startedConnecting(Connector&) {}
    /// No connection came about: `reason` holds a `ConnectError`.
    virtual void clientConnectionFailed(Connector&, const Failure&) {}
    /// The connection was lost, and its protocol has been told.
    virtual void clientConnectionLost(Connector&, const Failure&) {}

    /// For connectors: calls `startedConnecting`.
    void doStartConnecting(Connector& connector);

private:
    // Comes before startedConnecting, for what a base has to know whatever is overridden.
    virtual void beginsToConnect(Connector&) noexcept {}
};

/// A factory that makes each protocol as a `P`, as a class with `protocol = P` does in Twisted. Derive one's
/// own factory from it, if there is more to it:
///
///     struct PoetryFactory : FactoryOf<PoetryProtocol> { std::string poem; };
///
/// If `P` has a member `factory`, a plain pointer to the deriving class or a base of it, that is set; it is
/// valid as long as the protocol's transport.
template <class P, class Base = Factory>
class FactoryOf : public Base {
public:
    using Base::Base;

    std::shared_ptr<Protocol> buildProtocol(const Address&) override {
        if constexpr (std::is_default_constructible_v<P>) {
            return introduced(std::make_shared<P>());
        } else {
            throw TypeError("the protocol needs arguments: override buildProtocol");
        }
    }

protected:
    /// Sets the protocol's `factory`, if it has one.
    std::shared_ptr<P> introduced(std::shared_ptr<P> protocol) {
        if constexpr (requires { protocol->factory; }) {
            protocol->factory = static_cast<decltype(protocol->factory)>(this);
        }
        return protocol;
    }
};

template <class P>
using ServerFactoryOf = FactoryOf<P, ServerFactory>;
template <class P>
using ClientFactoryOf = FactoryOf<P, ClientFactory>;

namespace detail {

template <class P, class Base, class... Args>
class FactoryWith final : public FactoryOf<P, Base> {
public:
    template <class... Given>
    explicit FactoryWith(std::in_place_t, Given&&... args) : args_(std::forward<Given>(args)...) {}

    std::shared_ptr<Protocol> buildProtocol(const Address&) override {
        return std::apply(
            [this](const Args&... args) { return this->introduced(std::make_shared<P>(args...)); }, args_);
    }

private:
    std::tuple<Args...> args_;
};

} // namespace detail

template <class P, class... Args>
std::shared_ptr<Factory> Factory::forProtocol(Args&&... args) {
    return std::make_shared<detail::FactoryWith<P, Factory, std::decay_t<Args>...>>(
        std::in_place, std::forward<Args>(args)...);
}

template <class P, class... Args>
std::shared_ptr<ServerFactory> ServerFactory::forProtocol(Args&&... args) {
    return std::make_shared<detail::FactoryWith<P, ServerFactory, std::decay_t<Args>...>>(
        std::in_place, std::forward<Args>(args)...);
}

template <class P, class... Args>
std::shared_ptr<ClientFactory> ClientFactory::forProtocol(Args&&... args) {
    return std::make_shared<detail::FactoryWith<P, ClientFactory, std::decay_t<Args>...>>(
        std::in_place, std::forward<Args>(args)...);
}

} // namespace ropewalk
