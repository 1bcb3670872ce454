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
#include <ropewalk/protocols/transport_pair.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/clock.hpp>

// A flow and its peer, of which one is slower than the other.

namespace flow = ropewalk::flow;
namespace defer = ropewalk::defer;
namespace protocols = ropewalk::protocols;
using ropewalk::Failure;
using Transport = protocols::StringTransport;

namespace {

const std::string kilobyte(1024, 'k');

/// Writes without end, a kilobyte at a time.
flow::Generator<std::string> chargen(int& made) {
    while (true) {
        ++made;
        co_yield kilobyte;
    }
}

/// Takes what there is, or doesn't.
struct Peer : ropewalk::Protocol {
    void dataReceived(std::string_view data) override { received += data.size(); }
    void connectionLost(const Failure&) override { lost = true; }
    std::size_t received = 0;
    bool lost = false;
};

/// For the flows that aren't given a clock.
struct WithReactor {
    ropewalk::Reactor reactor;
};

} // namespace

TEST_CASE_FIXTURE(
    WithReactor,
    "data that the flow doesn't take pauses the reading, until it has taken all and asks for more") {
    const defer::Deferred<void> gate;
    std::size_t read = 0;
    const auto protocol = flow::makeProtocol([&](flow::Connection& connection) -> flow::Generator<> {
        co_yield gate;
        while (auto data = co_await connection) {
            read += data->size();
        }
    })();
    const auto transport = std::make_shared<Transport>();
    protocol->makeConnection(transport);
    for (int i = 0; i < 63; ++i) {
        protocol->dataReceived(kilobyte);
    }
    CHECK(transport->producerState() == "producing");
    protocol->dataReceived(kilobyte);
    CHECK(transport->producerState() == "paused");
    protocol->dataReceived("more");
    gate.callback();
    CHECK(read == 65540);
    CHECK(transport->producerState() == "producing");
}

TEST_CASE_FIXTURE(WithReactor, "the limit of what waits is an option") {
    const defer::Deferred<void> gate;
    const auto protocol =
        flow::makeProtocol([&](flow::Connection&) -> flow::Generator<> { co_yield gate; }, {.limit = 3})();
    const auto transport = std::make_shared<Transport>();
    protocol->makeConnection(transport);
    protocol->dataReceived("ab");
    CHECK(transport->producerState() == "producing");
    protocol->dataReceived("c");
    CHECK(transport->producerState() == "paused");
    protocol->connectionLost(Failure(ropewalk::ConnectionDone()));
    gate.callback();
}

TEST_CASE_FIXTURE(WithReactor, "reading isn't paused any more once the connection closes") {
    const defer::Deferred<void> gate;
    const auto protocol =
        flow::makeProtocol([&](flow::Connection&) -> flow::Generator<> { co_yield gate; }, {.limit = 1})();
    const auto transport = std::make_shared<Transport>();
    protocol->makeConnection(transport);
    protocol->loseConnection();
    protocol->dataReceived("late"); // pausing would throw
    CHECK(transport->producerState() == "producing");
    gate.callback();
}

TEST_CASE_FIXTURE(WithReactor,
                  "a flow whose peer doesn't take what it writes pauses, and goes on when all is sent") {
    int made = 0;
    const auto server = flow::makeProtocol([&] { return chargen(made); })();
    const auto client = std::make_shared<Peer>();
    protocols::TransportPair pair(server, client);
    pair.clientTransport().pauseProducing();
    for (int i = 0; i < 10; ++i) {
        pair.pump();
    }
    const int before = made;
    CHECK(before < 200); // what the transport, the way and the peer hold
    for (int i = 0; i < 10; ++i) {
        pair.pump();
    }
    CHECK(made == before);
    pair.clientTransport().resumeProducing();
    for (int i = 0; i < 20; ++i) {
        pair.pump();
    }
    CHECK(made > before);
    CHECK(client->received > 65536);
}

TEST_CASE_FIXTURE(WithReactor, "a flow that writes by itself pauses where it asks for data") {
    std::string log;
    const auto protocol = flow::makeProtocol([&](flow::Connection& connection) -> flow::Generator<> {
        while (auto data = co_await connection) {
            log += *data;
        }
    })();
    const auto transport = std::make_shared<Transport>();
    protocol->makeConnection(transport);
    REQUIRE(transport->producer() != nullptr);
    CHECK(transport->streaming() == true);
    transport->producer()->pauseProducing();
    protocol->dataReceived("a");
    protocol->dataReceived("b");
    CHECK(log.empty());
    transport->producer()->resumeProducing();
    CHECK(log == "ab");
}

TEST_CASE_FIXTURE(WithReactor, "a flow that is woken while its peer is slow goes on later") {
    ropewalk::task::Clock clock;
    int steps = 0;
    const auto protocol = flow::makeProtocol(
        [&]() -> flow::Generator<> {
            while (steps < 3) {
                ++steps;
                co_yield flow::Cooperate(ropewalk::Seconds(1));
            }
        },
        {.clock = &clock})();
    const auto transport = std::make_shared<Transport>();
    protocol->makeConnection(transport);
    transport->producer()->pauseProducing();
    clock.advance(ropewalk::Seconds(1));
    CHECK(steps == 1);
    transport->producer()->resumeProducing();
    CHECK(steps == 2);
    clock.advance(ropewalk::Seconds(1));
    CHECK(steps == 3);
    clock.advance(ropewalk::Seconds(1));
    CHECK(transport->disconnecting());
}

TEST_CASE_FIXTURE(WithReactor, "an error after the transport's resumption comes out of that") {
    const auto protocol = flow::makeProtocol([](flow::Connection& connection) -> flow::Generator<> {
        co_await connection;
        co_await connection;
        throw ropewalk::ValueError("bad");
    })();
    const auto transport = std::make_shared<Transport>();
    protocol->makeConnection(transport);
    const auto producer = transport->producer();
    producer->pauseProducing();
    protocol->dataReceived("a");
    protocol->dataReceived("b");
    CHECK_THROWS_AS(producer->resumeProducing(), ropewalk::ValueError);
    CHECK(transport->disconnecting());
    CHECK(transport->producer() == nullptr);
}

TEST_CASE_FIXTURE(WithReactor,
                  "pausedByTransport = false leaves the place of the transport's producer to others") {
    const auto protocol =
        flow::makeProtocol([](flow::Connection& connection) -> flow::Generator<> { co_await connection; },
                           {.pausedByTransport = false})();
    const auto transport = std::make_shared<Transport>();
    protocol->makeConnection(transport);
    CHECK(transport->producer() == nullptr);
    protocol->dataReceived("x");
    CHECK(transport->disconnecting());
}

TEST_CASE_FIXTURE(WithReactor,
                  "a flow that writes on and on is closed some time after the connection was lost") {
    int made = 0;
    const auto server = flow::makeProtocol([&] { return chargen(made); })();
    const auto client = std::make_shared<Peer>();
    protocols::TransportPair pair(server, client);
    pair.clientTransport().pauseProducing();
    for (int i = 0; i < 10; ++i) {
        pair.pump();
    }
    const int before = made;
    pair.clientTransport().abortConnection();
    pair.flush();
    CHECK(made > before);
    CHECK(made <= before + 66);
}

TEST_CASE_FIXTURE(WithReactor, "a flow that writes for what it reads goes through all of it, lost or not") {
    ropewalk::task::Clock clock;
    int answered = 0;
    const auto protocol = flow::makeProtocol(
        [&](flow::Connection& connection) -> flow::Generator<std::string> {
            co_yield flow::Cooperate(ropewalk::Seconds(1));
            while (co_await connection) {
                ++answered;
                co_yield std::string(40'000, 'a');
            }
        },
        {.limit = SIZE_MAX, .clock = &clock})();
    const auto transport = std::make_shared<Transport>();
    protocol->makeConnection(transport);
    for (int i = 0; i < 100; ++i) {
        protocol->dataReceived("?");
    }
    protocol->connectionLost(Failure(ropewalk::ConnectionDone()));
    clock.advance(ropewalk::Seconds(1));
    CHECK(answered == 100);
    CHECK(transport->value().empty());
}
