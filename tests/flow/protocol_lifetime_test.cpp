#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/concurrent.hpp>
#include <ropewalk/flow/protocol.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/protocols/string_transport.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/clock.hpp>
#include <support/memory_network.hpp>

// Who goes first: the connection, its flow, what the flow waits for, or the reactor.

namespace flow = ropewalk::flow;
namespace defer = ropewalk::defer;
using ropewalk::Failure;
using ropewalk::Seconds;
using Transport = ropewalk::protocols::StringTransport;

namespace {

struct Mark {
    Mark(std::string& theText, std::string theWord) : text(theText), word(std::move(theWord)) {}
    Mark(const Mark&) = delete;
    Mark& operator=(const Mark&) = delete;
    ~Mark() { text += word; }
    std::string& text;
    std::string word;
};

struct At {
    template <class Maker>
    explicit At(const Maker& maker)
        : protocol(maker()), weak(protocol), transport(std::make_shared<Transport>()) {
        protocol->makeConnection(transport);
    }
    std::shared_ptr<flow::Protocol> protocol;
    std::weak_ptr<flow::Protocol> weak;
    std::shared_ptr<Transport> transport;
};

const Failure done{ropewalk::ConnectionDone()};

/// For the flows that aren't given a clock.
struct WithReactor {
    ropewalk::Reactor reactor;
};

} // namespace

TEST_CASE_FIXTURE(
    WithReactor,
    "the flow goes on to its end when the connection was lost, and keeps the protocol meanwhile") {
    ropewalk::task::Clock clock;
    std::string log;
    At at(flow::makeProtocol(
        [&log](flow::Connection& connection) -> flow::Generator<> {
            const Mark closed(log, "closed");
            co_yield flow::Cooperate(Seconds(1));
            while (auto data = co_await connection) {
                log += *data + " ";
            }
            connection.write("nobody hears it");
            co_yield flow::Cooperate(Seconds(1));
            log += "end ";
        },
        {.clock = &clock}));
    at.protocol->dataReceived("data");
    at.protocol->connectionLost(done);
    at.protocol.reset();
    CHECK_FALSE(at.weak.expired());
    clock.advance(Seconds(1));
    CHECK(log == "data ");
    clock.advance(Seconds(1));
    CHECK(log == "data end closed");
    CHECK(at.weak.expired());
}

TEST_CASE_FIXTURE(WithReactor,
                  "a flow that waits for a Deferred when the connection is lost learns of it later") {
    const defer::Deferred<void> gate;
    std::string log;
    At at(flow::makeProtocol([&](flow::Connection& connection) -> flow::Generator<> {
        co_yield gate;
        log += co_await connection ? "data" : "end";
    }));
    at.protocol->connectionLost(done);
    at.protocol.reset();
    CHECK(log.empty());
    gate.callback();
    CHECK(log == "end");
    CHECK(at.weak.expired());
}

TEST_CASE_FIXTURE(WithReactor, "a protocol that goes without a word closes the flow that waits for it") {
    std::string log;
    At at(flow::makeProtocol([&log](flow::Connection& connection) -> flow::Generator<> {
        const Mark closed(log, "closed");
        auto& data = flow::wrap(connection);
        co_yield data;
    }));
    at.protocol.reset();
    CHECK(log == "closed");
}

TEST_CASE_FIXTURE(WithReactor, "and one whose flow waits for something else goes when that has come") {
    ropewalk::task::Clock clock;
    std::string log;
    At at(flow::makeProtocol(
        [&log](flow::Connection& connection) -> flow::Generator<> {
            const Mark closed(log, "closed");
            co_yield flow::Cooperate(Seconds(1));
            log += "later ";
            co_yield connection;
        },
        {.clock = &clock}));
    at.protocol.reset();
    CHECK_FALSE(at.weak.expired());
    clock.advance(Seconds(1));
    CHECK(log == "later closed");
    CHECK(at.weak.expired());
}

TEST_CASE_FIXTURE(WithReactor, "a protocol that isn't shared closes its flow, whatever that waits for") {
    ropewalk::task::Clock clock;
    struct Waiting : flow::Protocol {
        flow::Generator<std::string> controller() override {
            co_yield gate;
            co_yield "more";
        }
        defer::Deferred<void> gate;
    };
    const auto transport = std::make_shared<Transport>();
    defer::Deferred<void> gate = nullptr;
    {
        Waiting protocol;
        gate = protocol.gate;
        protocol.makeConnection(transport);
    }
    CHECK(transport->producer() == nullptr);
    CHECK(gate.called()); // it was cancelled
    CHECK(transport->value().empty());
}

TEST_CASE_FIXTURE(WithReactor,
                  "when nothing can wake the flow any more, the connection is closed, and that is reported") {
    std::string log;
    auto gate = std::make_unique<defer::Deferred<void>>();
    At at(flow::makeProtocol([&](flow::Connection&) -> flow::Generator<> {
        const Mark closed(log, "closed");
        defer::Deferred<void> waitedFor = std::move(*gate);
        co_yield std::move(waitedFor);
    }));
    CHECK(log == "closed");
    CHECK(at.transport->disconnecting());
    CHECK(defer::flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
}

TEST_CASE_FIXTURE(WithReactor, "what is merged with the connection wakes the flow as well") {
    flow::Callback<std::string> other;
    At at(flow::makeProtocol(
        [&other](flow::Connection& connection) { return flow::Merge(connection, other); }));
    other.result("a");
    at.protocol->dataReceived("b");
    other.result("c");
    CHECK(at.transport->value() == "abc");
    other.finish();
    CHECK_FALSE(at.transport->disconnecting());
    at.protocol->connectionLost(done);
    at.protocol.reset();
    CHECK(at.weak.expired());
}

TEST_CASE_FIXTURE(WithReactor, "a flow that has ended doesn't hear of the connection any more") {
    At at(flow::makeProtocol([]() -> flow::Generator<> { co_return; }));
    CHECK(at.transport->disconnecting());
    at.protocol->dataReceived("late");
    at.protocol->connectionLost(done);
    at.protocol.reset();
    CHECK(at.weak.expired());
}

TEST_CASE_FIXTURE(WithReactor, "a transport that tells of the loss at once") {
    const auto protocol =
        flow::makeProtocol([](flow::Connection& connection) -> flow::Generator<std::string> {
            co_await connection;
            co_yield "bye";
        })();
    const auto transport = std::make_shared<ropewalk::protocols::StringTransportWithDisconnection>();
    transport->protocol = protocol;
    protocol->makeConnection(transport);
    protocol->dataReceived("x");
    CHECK(transport->value() == "bye");
    CHECK(protocol->results.empty());
}

TEST_CASE("connections of a reactor") {
    auto owned = std::make_unique<MemoryNetwork>();
    MemoryNetwork& network = *owned;
    std::string log;
    auto reactor = std::make_unique<ropewalk::Reactor>(std::move(owned));
    const auto serve = [&](auto controller) {
        reactor->listenTCP(1, flow::makeProtocol(controller));
        network.soon([&] { network.accept(); });
        reactor->iterate();
        reactor->iterate();
        return network.streams.back().get();
    };

    SUBCASE("stopped: the flow ends, and the reactor's turns are over") {
        MemoryStream* const stream = serve([&log](flow::Connection& connection) -> flow::Generator<> {
            const Mark closed(log, "closed");
            connection.write("hello");
            while (co_await connection) {}
            log += "end ";
        });
        CHECK(stream->sent == "hello");
        reactor->callWhenRunning([&] { reactor->stop(); });
        reactor->run();
        CHECK(log == "end closed");
    }
    SUBCASE("stopped, while the flow waits for something else") {
        serve([&log](flow::Connection& connection) -> flow::Generator<> {
            const Mark closed(log, "closed");
            co_yield flow::Cooperate(Seconds(1000));
            co_yield connection;
        });
        reactor->callWhenRunning([&] { reactor->stop(); });
        reactor->run();
        CHECK(log.empty());
        reactor.reset();
        CHECK(log == "closed");
        CHECK(defer::flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
    }
    SUBCASE("gone, without a shutdown") {
        serve([&log](flow::Connection& connection) -> flow::Generator<> {
            const Mark closed(log, "closed");
            co_yield connection;
        });
        reactor.reset();
        CHECK(log == "closed");
        CHECK(defer::flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
    }
    SUBCASE("an error is the reason of the connection's end, and logged") {
        struct Told : flow::Protocol {
            explicit Told(std::string& theLog) : words(theLog) {}
            flow::Generator<std::string> controller() override {
                co_await *this;
                throw ropewalk::ValueError("bad");
            }
            void connectionLost(const Failure& reason) override {
                flow::Protocol::connectionLost(reason);
                words += reason.getErrorMessage();
            }
            std::string& words;
        };
        reactor->listenTCP(1, ropewalk::Factory::forProtocol<Told>(std::ref(log)));
        network.soon([&] { network.accept(); });
        reactor->iterate();
        network.soon([&] { network.streams.back()->read("x"); });
        reactor->iterate();
        reactor->iterate();
        CHECK(log == "bad");
        CHECK(network.streams.back()->closed);
        CHECK(defer::flushLoggedErrors<ropewalk::ValueError>().size() == 1);
    }
    SUBCASE("what is read while the flow is busy waits in the system") {
        const defer::Deferred<void> gate;
        MemoryStream* const stream = serve([&](flow::Connection& connection) -> flow::Generator<> {
            co_yield gate;
            while (auto data = co_await connection) {
                log += data->substr(0, 1);
            }
        });
        CHECK(stream->reading);
        network.soon([&] { stream->read(std::string(65536, 'r')); });
        reactor->iterate();
        reactor->iterate();
        CHECK_FALSE(stream->reading);
        gate.callback();
        CHECK(stream->reading);
        CHECK(log == "r");
        network.soon([&] { stream->end(); });
        reactor->iterate();
        reactor->iterate();
        CHECK(stream->closed);
    }
}
