#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

using namespace std::chrono_literals;
using tcp::Peer;
using tcp::World;

TEST_CASE("138.1: nobody listens: ConnectionRefusedError, with the system's code and Twisted's words") {
    World world;
    world.listen();
    const int number = world.port->getHost().port();
    world.port->stopListening();
    world.client.failed = [&](ropewalk::Connector& connector, const ropewalk::Failure& reason) {
        CHECK(connector.state() == ropewalk::Connector::State::disconnected);
        const auto* error = reason.check<ropewalk::ConnectionRefusedError>();
        REQUIRE(error != nullptr);
        CHECK(error->code().value() == ECONNREFUSED);
        CHECK(std::string(error->what()) == "Connection was refused by other side: 111: Connection refused.");
        world.reactor().stop();
    };
    world.reactor().callLater(1ms, [&] {
        world.connector = world.reactor().connectTCP("127.0.0.1", number, world.clientFactory());
    });
    world.run();
    CHECK(world.client.reason.has_value());
    CHECK(world.called("client stopFactory"));
}

TEST_CASE("138.2: stopConnecting tells the factory at once") {
    World world;
    world.listen();
    world.connect();
    world.connector->stopConnecting();
    CHECK(world.called("client clientConnectionFailed UserError"));
    CHECK_THROWS_AS(world.connector->stopConnecting(), ropewalk::NotConnectingError);
    world.stopAfter(3);
    world.run();
    CHECK_FALSE(world.called("client connectionMade"));
}

TEST_CASE("138.3: a listener whose queue is full lets the attempt time out") {
    World world;
    world.port =
        world.reactor().listenTCP(0, world.serverFactory(), {.backlog = 0, .interface = "127.0.0.1"});
    world.port->pauseProducing();
    world.client.made = [](Peer&) {};
    int failures = 0;
    world.client.failed = [&](ropewalk::Connector&, const ropewalk::Failure& reason) {
        if (++failures == 1) {
            CHECK(reason.check<ropewalk::TimeoutError>() != nullptr);
            world.reactor().stop();
        }
    };
    world.endsExpected = 99;
    for (int i = 0; i < 5; ++i) {
        world.connect({.timeout = 100ms});
    }
    world.run();
    CHECK(failures >= 1);
}

TEST_CASE("bindAddress: where to connect from, and an address that can't be had") {
    World world;
    world.listen();
    SUBCASE("one's own") {
        world.client.made = [](Peer& self) {
            CHECK(self.transport->getHost().host() == "127.0.0.2");
            self.transport->loseConnection();
        };
        world.connect({.bindAddress = ropewalk::IPv4Address{"TCP", "127.0.0.2", 0}});
        world.run();
        CHECK(world.server.peers[0]->transport->getPeer().host() == "127.0.0.2");
    }
    SUBCASE("another's") {
        world.client.failed = [&](ropewalk::Connector&, const ropewalk::Failure&) { world.reactor().stop(); };
        world.connect({.bindAddress = ropewalk::IPv4Address{"TCP", "192.0.2.55", 0}});
        world.run();
        CHECK(world.called("client clientConnectionFailed ConnectBindError"));
        CHECK(world.client.reason->check<ropewalk::ConnectBindError>()->code() ==
              std::errc::address_not_available);
    }
    SUBCASE("one that is taken") {
        world.client.failed = [&](ropewalk::Connector&, const ropewalk::Failure&) { world.reactor().stop(); };
        world.connect({.bindAddress = world.port->getHost()});
        world.run();
        CHECK(world.called("client clientConnectionFailed ConnectBindError"));
    }
}

TEST_CASE("a name that isn't one is told to the factory") {
    World world;
    world.client.failed = [&](ropewalk::Connector&, const ropewalk::Failure&) { world.reactor().stop(); };
    world.connector = world.reactor().connectTCP("no such name.invalid", 1, world.clientFactory());
    CHECK(world.calls.back() == "client startedConnecting");
    world.run();
    CHECK(world.called("client clientConnectionFailed DNSLookupError"));
}

TEST_CASE("localhost is looked up") {
    World world;
    world.listen();
    world.client.made = [](Peer& self) {
        CHECK(self.transport->getPeer().host() == "127.0.0.1");
        self.transport->loseConnection();
    };
    world.reactor().connectTCP("localhost", world.port->getHost().port(), world.clientFactory());
    world.run();
    CHECK(world.server.peers.size() == 1);
}
