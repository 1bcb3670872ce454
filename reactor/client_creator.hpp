#pragma once

#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/reactor.hpp>

namespace ropewalk {

namespace detail {

/// The factory of one connection, whose Deferred fires in the turn after.
template <class P>
class InstanceFactory final : public ClientFactory {
public:
    InstanceFactory(Reactor& reactor, std::shared_ptr<P> instance) noexcept
        : reactor_(reactor), instance_(std::move(instance)) {
        noisy = false;
    }

    std::shared_ptr<Protocol> buildProtocol(const Address&) override {
        pending_ =
            reactor_.callLater(Seconds(0), [made = made, instance = instance_] { made.callback(instance); });
        made = nullptr;
        return std::exchange(instance_, nullptr);
    }
    void clientConnectionFailed(Connector&, const Failure& reason) override {
        pending_ = reactor_.callLater(Seconds(0), [made = made, reason] { made.errback(reason); });
        made = nullptr;
    }
    void cancel() {
        made = nullptr;
        if (pending_.active()) {
            pending_.cancel();
        }
    }

    defer::Deferred<std::shared_ptr<P>> made = nullptr;

private:
    Reactor& reactor_;
    std::shared_ptr<P> instance_;
    DelayedCall pending_;
};

} // namespace detail

/// Makes connections without a factory, each with a `P` of its own, made from copies of `args`
/// (`protocol.ClientCreator`).
template <class P, class... Args>
class ClientCreator {
public:
    explicit ClientCreator(Reactor& reactor, Args... args) : reactor_(reactor), args_(std::move(args)...) {}

    /// The protocol, when it is connected; else the `ConnectError`. Cancelled, it gives up, or closes the
    /// connection.
    defer::Deferred<std::shared_ptr<P>> connectTCP(std::string_view host, int port) {
        return connectTCP(host, port,
                          ConnectOptions()); // no default argument: see connect() in connection.hpp
    }
    defer::Deferred<std::shared_ptr<P>> connectTCP(std::string_view host, int port, ConnectOptions options) {
        auto factory = std::make_shared<detail::InstanceFactory<P>>(
            reactor_, std::apply([](const Args&... args) { return std::make_shared<P>(args...); }, args_));
        auto connector = std::make_shared<std::weak_ptr<Connector>>();
        defer::Deferred<std::shared_ptr<P>> made([connector, weak = std::weak_ptr(factory)] {
            const auto itself = weak.lock();
            if (const auto held = connector->lock()) {
                held->disconnect();
            }
            if (itself != nullptr) {
                itself->cancel(); // also what came of that
            }
        });
        factory->made = made;
        *connector = reactor_.connectTCP(host, port, factory, std::move(options));
        return made;
    }

private:
    Reactor& reactor_;
    std::tuple<Args...> args_;
};

/// `ClientCreator<Greeter>(reactor)`, with the types of further arguments deduced.
template <class P, class... Args>
ClientCreator<P, std::decay_t<Args>...> clientCreator(Reactor& reactor, Args&&... args) {
    return ClientCreator<P, std::decay_t<Args>...>(reactor, std::forward<Args>(args)...);
}

} // namespace ropewalk
