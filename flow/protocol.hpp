#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/flow/callback.hpp>
#include <ropewalk/flow/connection_flow.hpp>
#include <ropewalk/flow/generator.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/protocol.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/reactor/transport.hpp>

/// Connections as stages: `twisted.flow.protocol`.
namespace ropewalk::flow {

namespace detail {

struct NotShared {};
template <class Base, class Self>
using SharedItself = std::conditional_t<requires(Base& base) { base.shared_from_this(); }, NotShared,
                                        std::enable_shared_from_this<Self>>;

[[noreturn]] void throwNoController();

} // namespace detail

/// A protocol that is a stage, too, and runs a flow while it is connected: what comes is what the flow finds in the stage,
/// what the flow yields is written, and at its end the connection is closed. `Base` is any protocol; derive from this, let
/// its callback call `result`, and write `controller`:
///
///     struct Shouting : flow::ProtocolOf<protocols::LineReceiver> {
///         void lineReceived(std::string_view line) override { result(line); }
///         flow::Generator<std::string> controller() override {
///             while (auto line = co_await *this) { co_yield upper(*line) + "\r\n"; }
///         }
///     };
///
/// When the connection is lost, the stage ends (`finish`) or fails (`errback`), after what was received; the flow goes on to
/// its end, and keeps the protocol meanwhile. What it yields then is dropped; one that yields on and on and doesn't read is
/// closed after 64 KiB. An error of the flow closes the connection: it is the reason, if it came up in a call of the
/// transport, otherwise it is logged. (Of a lost connection that isn't an error worth a line in the log.)
///
/// Neither side can flood the other. 64 KiB that the flow has not taken pause the reading; a flow whose peer doesn't take
/// what is sent goes on, at its next step, when all is sent.
///
/// A protocol that goes without having been told of its connection's end closes its flow.
template <class Base = ropewalk::Protocol, class T = std::string>
class ProtocolOf : public Base,
                   public Callback<T>,
                   public detail::SharedItself<Base, ProtocolOf<Base, T>>,
                   protected detail::Conversation {
    static_assert(std::derived_from<Base, ropewalk::Protocol>);

public:
    ProtocolOf() = default;
    /// With what `Base` is made of.
    template <class... Args>
        requires(sizeof...(Args) > 0)
    explicit ProtocolOf(Args&&... args) : Base(std::forward<Args>(args)...) {}
    ~ProtocolOf() override {
        this->endFlow();
        this->unregisterProducer();
    }

    /// Whether a `ConnectionLost` ends the stage as a `ConnectionDone` does, or is what it fails with.
    bool finishOnConnectionLost = true;
    /// Whether the transport pauses the flow: then the flow is its producer, and there can't be another one. Counts when the
    /// connection is made.
    bool pausedByTransport = true;

    /// Sends it. Nothing happens once the connection is lost.
    void write(std::string_view data) { this->transport->write(data); }
    template <std::same_as<std::string> String>
    void write(String&& data) {
        this->transport->write(std::forward<String>(data));
    }
    void write(const char* data) { write(std::string_view(data)); }
    void loseConnection() { this->transport->loseConnection(); }

    // For the transport and the flow.

    void connectionMade() override {
        Base::connectionMade();
        this->gainLink(this->transport, pausedByTransport);
        this->registerProducer(this->reading(), true);
        this->withinCall([this] { this->beginFlow(makeFlow()); });
    }
    void dataReceived(std::string_view data) override {
        this->withinCall([this, data] { Base::dataReceived(data); });
    }
    void connectionLost(const Failure& reason) override {
        const std::shared_ptr<void> kept = keep();
        this->unregisterProducer();
        this->loseLink();
        Base::connectionLost(reason);
        if (!this->failure) {
            if (reason.check<ConnectionDone>() != nullptr ||
                (finishOnConnectionLost && reason.check<ConnectionLost>() != nullptr)) {
                this->finish();
            } else {
                this->errback(reason);
            }
        }
        this->wakeWriter();
    }
    detail::Progress step(detail::Run& run) override {
        this->flowReads();
        return this->isFull() ? detail::Progress{nullptr, &this->drained()} : Callback<T>::step(run);
    }

protected:
    /// The flow, asked for when the connection is made. One that isn't overridden throws `UnsupportedError`.
    virtual Generator<std::string> controller() { detail::throwNoController(); }

    // For those that make flows otherwise.
    virtual task::detail::Ref<detail::ConnectionFlow> makeFlow() {
        return this->flowOf(controller(), reactor(), std::source_location::current());
    }

private:
    std::shared_ptr<void> keep() noexcept override { return this->weak_from_this().lock(); }
    const Instruction& waitsForData() const noexcept override { return this->ownPause(); }
};

/// A connection whose data, as it comes, are the results: `flow.Protocol`.
class Protocol : public ProtocolOf<ropewalk::Protocol, std::string> {
public:
    void dataReceived(std::string_view data) override {
        withinCall([this, data] { result(data); });
    }
};

/// What the flow of a connection is given.
using Connection = Protocol;

struct ProtocolOptions {
    /// As the protocol's members of these names.
    bool finishOnConnectionLost = true;
    bool pausedByTransport = true;
    /// So many bytes that the flow has not taken pause the reading.
    std::size_t limit = 65536;
    /// What the flow's pauses are timed with; null: the reactor of the thread in which connections are made.
    ReactorTime* clock = nullptr;
};

namespace detail {

/// A function that makes a connection's flow, and all connections share.
template <class F>
struct Controller {
    F function;
    ProtocolOptions options;
    std::source_location where;

    decltype(auto) operator()(Connection& connection) {
        if constexpr (std::invocable<F&, Connection&>) {
            return std::invoke(function, connection);
        } else {
            static_assert(
                std::invocable<F&>,
                "ropewalk: the flow of a connection is made by a function of a flow::Connection&, or "
                "of nothing");
            return std::invoke(function);
        }
    }
};

template <class F>
class MadeProtocol final : public Protocol {
public:
    explicit MadeProtocol(std::shared_ptr<Controller<F>> controller) : controller_(std::move(controller)) {
        finishOnConnectionLost = controller_->options.finishOnConnectionLost;
        pausedByTransport = controller_->options.pausedByTransport;
        setLimit(controller_->options.limit);
    }
    ~MadeProtocol() override { endFlow(); }

private:
    task::detail::Ref<ConnectionFlow> makeFlow() override {
        ReactorTime* clock = controller_->options.clock;
        return flowOf((*controller_)(*this), clock != nullptr ? *clock : reactor(), controller_->where);
    }

    std::shared_ptr<Controller<F>> controller_;
};

template <class F, class Base>
class MadeFactory final : public Base {
public:
    template <class... Args>
    explicit MadeFactory(std::shared_ptr<Controller<F>> controller, Args&&... args)
        : Base(std::forward<Args>(args)...), controller_(std::move(controller)) {}

    std::shared_ptr<ropewalk::Protocol> buildProtocol(const Address&) override {
        return std::make_shared<MadeProtocol<F>>(controller_);
    }

private:
    std::shared_ptr<Controller<F>> controller_;
};

} // namespace detail

/// What `makeProtocol` returns: makes protocols, each with a flow of its own. It converts to whatever factory is wanted.
template <class F>
class ProtocolMaker {
public:
    explicit ProtocolMaker(detail::Controller<F> controller)
        : controller_(std::make_shared<detail::Controller<F>>(std::move(controller))) {}

    operator std::shared_ptr<Factory>() const { return factory<Factory>(); }
    operator std::shared_ptr<ServerFactory>() const { return factory<ServerFactory>(); }
    operator std::shared_ptr<ClientFactory>() const { return factory<ClientFactory>(); }

    /// A factory of that kind, made of `args`, whose `buildProtocol` makes such protocols.
    template <std::derived_from<Factory> Base = Factory, class... Args>
    std::shared_ptr<Base> factory(Args&&... args) const {
        return std::make_shared<detail::MadeFactory<F, Base>>(controller_, std::forward<Args>(args)...);
    }
    /// One protocol.
    std::shared_ptr<Protocol> operator()() const {
        return std::make_shared<detail::MadeProtocol<F>>(controller_);
    }

private:
    std::shared_ptr<detail::Controller<F>> controller_;
};

/// Protocols that are written as flows: `flow.makeProtocol`. For each connection `controller` is called, with a reference to
/// it, or without arguments; what it returns is anything that `wrap` takes. What `ProtocolOf` says is true of them.
///
///     flow::Generator<> echoServer(flow::Connection& connection) {
///         co_yield connection;
///         for (std::string& data : connection) {
///             connection.write(std::move(data));
///             co_yield connection;
///         }
///     }
///     reactor.listenTCP(8392, flow::makeProtocol(echoServer));
///
/// What the function holds lives as long as any of the connections' flows.
template <class F>
ProtocolMaker<std::decay_t<F>> makeProtocol(F&& controller, const ProtocolOptions& options = {},
                                            std::source_location where = std::source_location::current()) {
    return ProtocolMaker<std::decay_t<F>>({std::forward<F>(controller), options, where});
}

} // namespace ropewalk::flow
