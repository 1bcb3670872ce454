#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <ropewalk/defer/log.hpp>
#include <ropewalk/protocols/portforward.hpp>
#include <ropewalk/protocols/string_transport.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>

namespace {

using namespace std::chrono_literals;
using namespace ropewalk;
using protocols::Proxy;
using protocols::ProxyClient;
using protocols::ProxyFactory;
using protocols::ProxyServer;
using protocols::StringTransport;

/// What is logged while it lives, one text after another.
struct Logged : log::LogObserver {
    Logged() { log::addObserver(*this); }
    ~Logged() override { log::removeObserver(*this); }
    void operator()(const log::LogEvent& event) override { text.append(event.text).append("\n"); }
    std::string text;
};

/// The other end of a connection: does what the test says, and keeps what comes.
struct End : Protocol {
    void connectionMade() override {
        if (onMade) {
            onMade(*this);
        }
    }
    void dataReceived(std::string_view data) override {
        received += data;
        if (onData) {
            onData(*this);
        }
    }
    void connectionLost(const Failure& reason) override {
        lost = reason.getErrorMessage();
        if (onLost) {
            onLost(*this);
        }
    }

    std::string received;
    std::string lost;
    std::function<void(End&)> onMade;
    std::function<void(End&)> onData;
    std::function<void(End&)> onLost;
};

/// Gives its one protocol to each connection.
struct Gives : ClientFactory {
    explicit Gives(std::shared_ptr<End> theEnd) : end(std::move(theEnd)) {}
    std::shared_ptr<Protocol> buildProtocol(const Address&) override { return end; }
    std::shared_ptr<End> end;
};

/// A client that is connected to a server by way of a forwarder, all in one reactor, for ten seconds at most.
struct Forwarded {
    void run() {
        const ListenOptions here{.interface = "127.0.0.1"};
        const auto last = reactor.listenTCP(0, std::make_shared<Gives>(server), here);
        if (!serves) {
            last->stopListening();
        }
        const auto factory = std::make_shared<ProxyFactory>("127.0.0.1", last->getHost().port(), reactor);
        const auto first = reactor.listenTCP(0, factory, here);
        reactor.connectTCP("127.0.0.1", first->getHost().port(), std::make_shared<Gives>(client));
        reactor.callLater(10s, [this] {
            late = true;
            reactor.stop();
        });
        reactor.run();
        CHECK_FALSE(late);
    }

    Reactor reactor;
    std::shared_ptr<End> client = std::make_shared<End>();
    std::shared_ptr<End> server = std::make_shared<End>();
    bool serves = true;
    bool late = false;
};

TEST_CASE("a forwarder passes on what either side sends, and closes the other side when one closes") {
    Forwarded all;
    const std::string request("question\0with a zero", 20);
    all.client->onMade = [&](End& end) { end.transport->write(request); };
    all.server->onData = [&](End& end) {
        if (end.received.size() == request.size()) {
            end.transport->write("answer");
        }
    };
    all.client->onData = [](End& end) {
        if (end.received == "answer") {
            end.transport->loseConnection();
        }
    };
    all.server->onLost = [&](End&) { all.reactor.stop(); };
    all.run();
    CHECK(all.server->received == request);
    CHECK(all.client->received == "answer");
    CHECK(all.server->lost == "Connection was closed cleanly.");
    CHECK(all.client->lost == "Connection was closed cleanly.");
}

TEST_CASE("all that was sent before a close arrives, at a reader that is slow") {
    Forwarded all;
    const std::string much(20'000'000, 'x');
    all.server->onMade = [&](End& end) {
        end.transport->setWriteLimit(2 * much.size(), WriteLimit::report);
        end.transport->write(much);
        end.transport->loseConnection();
    };
    all.client->onMade = [&](End& end) {
        end.transport->pauseProducing();
        all.reactor.callLater(200ms, [&end] { end.transport->resumeProducing(); });
    };
    all.client->onLost = [&](End&) { all.reactor.stop(); };
    all.run();
    CHECK(all.client->received.size() == much.size());
    CHECK(all.client->lost == "Connection was closed cleanly.");
}

TEST_CASE("a client is disconnected when the other host can't be reached") {
    Forwarded all;
    all.serves = false;
    all.client->onLost = [&](End&) { all.reactor.stop(); };
    Logged logged;
    all.run();
    CHECK(all.client->lost == "Connection was closed cleanly.");
    CHECK(logged.text.contains("Unable to connect to peer: "));
}

/// Both sides, on transports that keep what is written.
struct BothSides {
    BothSides() {
        server.side->transport = server.wire; // as after its connectionMade, which connects
        server.wire->pauseProducing();
        client.side->setPeer(server.side);
        client.side->makeConnection(client.wire);
    }
    ~BothSides() {
        server.wire->unregisterProducerIfAny();
        client.wire->unregisterProducerIfAny();
        server.side->setPeer(nullptr);
        client.side->setPeer(nullptr);
    }

    struct Wire : StringTransport {
        using StringTransport::StringTransport;
        void unregisterProducerIfAny() {
            if (producer() != nullptr) {
                unregisterProducer();
            }
        }
    };
    template <class Side>
    struct At {
        std::shared_ptr<Side> side = std::make_shared<Side>();
        std::shared_ptr<Wire> wire = std::make_shared<Wire>(StringTransport::Options{.lenient = true});
    };
    At<ProxyServer> server;
    At<ProxyClient> client;
};

TEST_CASE("when the second side is there, each is the push producer of the other, and the first one reads") {
    BothSides both;
    CHECK(both.client.wire->producer() == both.server.wire);
    CHECK(both.client.wire->streaming() == true);
    CHECK(both.server.wire->producer() == both.client.wire);
    CHECK(both.server.wire->streaming() == true);
    CHECK(both.server.wire->producerState() == "producing");
    CHECK(both.server.side->peer() == both.client.side);

    both.server.side->dataReceived("to the host");
    CHECK(both.client.wire->value() == "to the host");
    both.client.side->dataReceived("and back");
    CHECK(both.server.wire->value() == "and back");
}

TEST_CASE("a side that is lost leaves the other one without a producer, closing") {
    BothSides both;
    both.client.side->connectionLost(Failure(ConnectionLost()));
    CHECK(both.client.side->peer() == nullptr);
    CHECK(both.server.wire->producer() == nullptr);
    CHECK(both.server.wire->disconnecting());
    CHECK_FALSE(both.client.wire->disconnecting());
}

TEST_CASE("a side that is lost before there is another one is told of, unless it is to be quiet") {
    Logged logged;
    const auto side = std::make_shared<Proxy>();
    side->connectionLost(Failure(ConnectionDone()));
    CHECK(logged.text.contains("Unable to connect to peer: "));
    CHECK(logged.text.contains("Connection was closed cleanly."));

    logged.text.clear();
    side->noisy = false;
    side->connectionLost(Failure(ConnectionDone()));
    CHECK(logged.text == "");
}

} // namespace
