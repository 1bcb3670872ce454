#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include <ropewalk/defer/logged_errors.hpp>
#include <support/memory_network.hpp>

using namespace std::chrono_literals;
using ropewalk::Connector;
using ropewalk::Failure;
using ropewalk::NotConnectingError;
using tcp::Calls;
using tcp::Peer;
using tcp::World;

namespace {

/// A client in a world in memory.
struct Memory : World {
    Memory() : World(std::make_unique<MemoryNetwork>()) { endsExpected = 99; }
    MemoryNetwork& network() { return static_cast<MemoryNetwork&>(reactor().driver()); }
    MemoryStream& stream() { return *network().streams.back(); }
    void connectTo(const char* host = "192.0.2.9", ropewalk::ConnectOptions options = {}) {
        connector = reactor().connectTCP(host, 7, clientFactory(), options);
    }
    void event(std::function<void()> happens) {
        network().soon(std::move(happens));
        reactor().iterate();
        reactor().iterate();
    }
    void connected() {
        event([this] { stream().listener->streamConnected({}); });
    }
    void refused(std::errc error = std::errc::connection_refused) {
        event([this, error] { stream().listener->streamConnected(std::make_error_code(error)); });
    }
};

} // namespace

TEST_CASE("138.3: after its time an attempt fails with TimeoutError, on the reactor's clock") {
    Memory world;
    world.connectTo("192.0.2.9", {.timeout = 10s});
    world.network().time = 9'999 * MemoryDriver::millisecond;
    world.reactor().iterate();
    CHECK(world.connector->state() == Connector::State::connecting);
    world.network().time = 10'000 * MemoryDriver::millisecond;
    world.reactor().iterate();
    CHECK(world.called("client clientConnectionFailed TimeoutError"));
    CHECK(world.client.reason->check<ropewalk::TimeoutError>() != nullptr);
    CHECK(world.client.reason->check<ropewalk::ConnectError>() != nullptr);
    CHECK(world.stream().closed);
    CHECK(world.called("client stopFactory"));
    CHECK(world.reactor().getDelayedCalls().empty());
}

TEST_CASE("the time-out is 30 seconds unless it is said, and 0 is none") {
    Memory world;
    world.connectTo();
    REQUIRE(world.reactor().getDelayedCalls().size() == 1);
    CHECK(world.reactor().getDelayedCalls()[0].getTime() == ropewalk::Seconds(30));
    world.connector->stopConnecting();
    world.connectTo("192.0.2.9", {.timeout = 0s});
    CHECK(world.reactor().getDelayedCalls().empty());
    world.connector->stopConnecting();
}

TEST_CASE("a connection that is made has no time-out any more") {
    Memory world;
    world.connectTo();
    world.connected();
    CHECK(world.called("client connectionMade"));
    CHECK(world.reactor().getDelayedCalls().empty());
}

TEST_CASE("138.2: stopConnecting fails at once with UserError; a second one throws NotConnectingError") {
    Memory world;
    world.connectTo();
    world.connector->stopConnecting();
    CHECK(world.called("client clientConnectionFailed UserError"));
    CHECK(world.called("client stopFactory"));
    CHECK(world.stream().closed);
    CHECK(world.connector->state() == Connector::State::disconnected);
    CHECK_THROWS_AS(world.connector->stopConnecting(), NotConnectingError);
    CHECK(world.reactor().getDelayedCalls().empty());
}

TEST_CASE("138.1: a refused connection fails with ConnectionRefusedError and its code") {
    Memory world;
    world.connectTo();
    world.refused();
    CHECK(world.called("client clientConnectionFailed ConnectionRefusedError"));
    CHECK(world.client.reason->check<ropewalk::ConnectionRefusedError>()->code() ==
          std::errc::connection_refused);
}

TEST_CASE("stopConnecting from within every hook of the factory") {
    Memory world;
    SUBCASE("startedConnecting") {
        world.client.connecting = [](Connector& connector) { connector.stopConnecting(); };
        world.connectTo();
        CHECK(world.calls == Calls{"client startFactory", "client startedConnecting",
                                   "client clientConnectionFailed UserError", "client stopFactory"});
    }
    SUBCASE("buildProtocol") {
        world.client.building = [&](const ropewalk::Address&) {
            CHECK_THROWS_AS(world.connector->stopConnecting(), NotConnectingError);
        };
        world.connectTo();
        world.connected();
        CHECK(world.called("client connectionMade"));
    }
    SUBCASE("connectionMade and connectionLost") {
        world.client.made = world.client.lost = [&](Peer& self) {
            CHECK_THROWS_AS(world.connector->stopConnecting(), NotConnectingError);
            self.transport->loseConnection();
        };
        world.connectTo();
        world.connected();
        CHECK(world.called("client connectionLost ConnectionDone"));
    }
    SUBCASE("clientConnectionFailed") {
        world.client.failed = [&](Connector& connector, const Failure&) {
            CHECK_THROWS_AS(connector.stopConnecting(), NotConnectingError);
        };
        world.connectTo();
        world.refused();
        CHECK(world.called("client stopFactory"));
    }
    SUBCASE("clientConnectionFailed, of a new attempt") {
        int attempts = 0;
        world.client.failed = [&](Connector& connector, const Failure&) {
            if (++attempts < 5) {
                connector.connect();
                connector.stopConnecting();
            }
        };
        world.connectTo();
        world.refused();
        CHECK(attempts == 5);
        CHECK(world.count("client stopFactory") == 1);
    }
    SUBCASE("startFactory, of a second attempt") {
        world.connectTo();
        world.refused();
        bool stopped = false;
        world.client.starting = [&] {
            world.connector->stopConnecting();
            stopped = true;
        };
        world.connector->connect();
        CHECK(stopped);
        CHECK(world.connector->state() == Connector::State::disconnected);
        CHECK(world.network().connects.size() == 1);
        CHECK(world.connector->factory()->numPorts == 0);
        CHECK(world.count("client clientConnectionFailed UserError") == 1);
    }
}

TEST_CASE("connect throws unless the connector is disconnected") {
    Memory world;
    const auto refuse = [&] { CHECK_THROWS_AS(world.connector->connect(), ropewalk::RuntimeError); };
    world.client.made = [&](Peer&) { refuse(); };
    world.client.lost = [&](Peer&) { refuse(); };
    world.connectTo();
    refuse();
    world.connected();
    refuse();
    CHECK(world.connector->state() == Connector::State::connected);
    world.connector->disconnect();
    world.reactor().iterate();
    CHECK(world.called("client clientConnectionLost ConnectionDone"));
    world.connector->connect();
    CHECK(world.connector->state() == Connector::State::connecting);
    CHECK(world.count("client startFactory") == 2);
    world.connector->disconnect();
    CHECK(world.called("client clientConnectionFailed UserError"));
    world.connector->disconnect();
    CHECK(world.count("client stopFactory") == 2);
}

TEST_CASE("connect from within clientConnectionFailed and clientConnectionLost") {
    Memory world;
    int rounds = 0;
    world.client.failed = world.client.clientLost = [&](Connector& connector, const Failure&) {
        if (++rounds < 6) {
            connector.connect();
        }
    };
    world.connectTo();
    for (int i = 0; i < 3; ++i) {
        world.refused();
        world.connected();
        world.event([&] { world.stream().end(); });
    }
    CHECK(rounds == 6);
    CHECK(world.count("client startFactory") == 1);
    CHECK(world.count("client stopFactory") == 1);
    CHECK(world.count("client connectionMade") == 3);
    CHECK(world.connector->state() == Connector::State::disconnected);
}

TEST_CASE("what the driver throws is told to the factory, after connectTCP has returned") {
    Memory world;
    world.network().onConnect = [] {
        throw ropewalk::ConnectBindError(std::make_error_code(std::errc::address_in_use));
    };
    world.connectTo();
    CHECK_FALSE(world.called("client clientConnectionFailed ConnectBindError"));
    CHECK(world.called("client startedConnecting"));
    world.reactor().iterate();
    CHECK(world.called("client clientConnectionFailed ConnectBindError"));
    CHECK(world.called("client stopFactory"));
}

TEST_CASE("the connector is kept while it connects and while it is connected") {
    Memory world;
    world.connectTo();
    const std::weak_ptr<Connector> watch = world.connector;
    world.connector.reset();
    world.reactor().iterate();
    CHECK_FALSE(watch.expired());
    world.connected();
    CHECK_FALSE(watch.expired());
    world.event([&] { world.stream().end(); });
    CHECK(world.called("client clientConnectionLost ConnectionDone"));
    CHECK(watch.expired());
    CHECK(world.client.factoryItself.expired());
}

TEST_CASE("shutdown while connecting fails with a ConnectError, and stops the factory") {
    Memory world;
    world.connectTo();
    world.stopAfter(1);
    world.run();
    CHECK(world.called("client clientConnectionFailed ConnectError"));
    CHECK(world.called("client stopFactory"));
}

TEST_CASE("getDestination is what was given") {
    Memory world;
    world.connectTo();
    CHECK(str(world.connector->getDestination()) == "IPv4Address(type='TCP', host='192.0.2.9', port=7)");
    world.connector->stopConnecting();
    world.connectTo("2001:db8::1");
    CHECK(world.connector->getDestination().as<ropewalk::IPv6Address>() != nullptr);
    world.connector->stopConnecting();
}
