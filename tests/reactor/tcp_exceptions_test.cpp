#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <stdexcept>

#include "child_process.hpp"
#include <ropewalk/defer/logged_errors.hpp>

using namespace std::chrono_literals;
using ropewalk::defer::flushLoggedErrors;
using tcp::Peer;
using tcp::World;

namespace {

struct Mine : std::runtime_error {
    Mine() : std::runtime_error("mine") {}
};

auto throwing() {
    return [](auto&&...) { throw Mine(); };
}

std::size_t flushed() {
    return flushLoggedErrors<Mine>().size();
}

} // namespace

TEST_CASE(
    "139.1, 139.2, 139.3: what dataReceived throws is logged and is the reason on protocol and factory") {
    World world;
    world.server.made = [](Peer& self) { self.transport->write("x"); };
    world.client.data = throwing();
    world.listenAndConnect();
    world.run();
    CHECK(flushed() == 1);
    CHECK(world.count("client connectionLost Mine") == 1);
    CHECK(world.count("client clientConnectionLost Mine") == 1);
    CHECK(world.client.reason->check<Mine>() == world.client.peers[0]->reason->check<Mine>());
    CHECK(world.server.losses == 1);
}

TEST_CASE("139.2: on a server's side the protocol is told") {
    World world;
    world.client.made = [](Peer& self) { self.transport->write("x"); };
    world.server.data = throwing();
    world.listenAndConnect();
    world.run();
    CHECK(flushed() == 1);
    CHECK(world.count("server connectionLost Mine") == 1);
}

TEST_CASE("what connectionMade throws ends that connection only") {
    World world;
    bool ofServer = false;
    SUBCASE("on the server's side") {
        ofServer = true;
        world.server.made = throwing();
    }
    SUBCASE("on the client's side") {
        world.client.made = throwing();
    }
    world.listenAndConnect();
    world.run();
    CHECK(flushed() == 1);
    CHECK(world.count(ofServer ? "server connectionLost Mine" : "client connectionLost Mine") == 1);
}

TEST_CASE("what connectionLost throws is logged, and the rest of the end takes place") {
    World world;
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.client.lost = throwing();
    world.server.lost = throwing();
    world.listenAndConnect();
    world.run();
    CHECK(flushed() == 2);
    CHECK(world.count("client clientConnectionLost ConnectionDone") == 1);
    CHECK(world.count("client stopFactory") == 1);
}

TEST_CASE("what buildProtocol throws is logged, and closes that connection") {
    World world;
    SUBCASE("on the server's side") {
        world.server.building = throwing();
        world.endsExpected = 1;
        world.listenAndConnect();
        world.run();
        CHECK(world.called("client connectionLost ConnectionDone"));
        CHECK(world.server.losses == 0);
    }
    SUBCASE("on the client's side") {
        world.client.building = throwing();
        world.endsExpected = 1;
        world.listenAndConnect();
        world.run();
        CHECK(world.called("client clientConnectionLost Mine"));
        CHECK(world.server.losses == 1);
        CHECK(world.count("client stopFactory") == 1);
    }
    CHECK(flushed() == 1);
}

TEST_CASE("what clientConnectionLost throws is logged") {
    World world;
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.client.clientLost = throwing();
    world.listenAndConnect();
    world.run();
    CHECK(flushed() == 1);
    CHECK(world.count("client stopFactory") == 1);
}

TEST_CASE("what clientConnectionFailed throws is logged") {
    World world;
    world.listen();
    world.port->stopListening();
    world.client.failed = [&](auto&&...) {
        world.stopAfter(2);
        throw Mine();
    };
    world.reactor().callLater(1ms, [&] { world.connect(); });
    world.run();
    CHECK(flushed() == 1);
    CHECK(world.count("client stopFactory") == 1);
}

TEST_CASE("what startFactory throws comes out of listenTCP, and nothing listens") {
    World world;
    world.server.starting = throwing();
    CHECK_THROWS_AS(world.listen(), Mine);
    CHECK(world.server.factoryItself.expired());
}

TEST_CASE("what startFactory throws comes out of connectTCP, and nothing connects") {
    World world;
    world.listen();
    world.client.starting = throwing();
    CHECK_THROWS_AS(world.connect(), Mine);
    CHECK(world.client.factoryItself.expired());
    world.stopAfter(5);
    world.run();
    CHECK_FALSE(world.called("client clientConnectionFailed ConnectError"));
    CHECK_FALSE(world.called("server connectionMade"));
}

TEST_CASE("what startFactory throws leaves a connector as it was: it may connect later") {
    World world;
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    int times = 0;
    std::weak_ptr<ropewalk::Connector> seen;
    world.client.clientLost = [&](ropewalk::Connector& connector, const ropewalk::Failure&) {
        seen = connector.weak_from_this();
    };
    world.listenAndConnect();
    world.endsExpected = 4;
    world.client.starting = [&] {
        if (++times == 1) {
            throw Mine();
        }
    };
    world.server.lost = [&](Peer&) {
        if (times > 0) {
            return;
        }
        world.reactor().callLater(1ms, [&] {
            CHECK_THROWS_AS(world.connector->connect(), Mine);
            CHECK(world.connector->state() == ropewalk::Connector::State::disconnected);
            world.connector->connect();
        });
    };
    world.run();
    CHECK(world.count("client connectionMade") == 2);
    CHECK(world.count("client stopFactory") == 2);
}

TEST_CASE("what startedConnecting throws comes out of connectTCP, while the attempt goes on") {
    World world;
    world.client.connecting = throwing();
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.listen();
    CHECK_THROWS_AS(world.connect(), Mine);
    world.run();
    CHECK(world.count("client clientConnectionLost ConnectionDone") == 1);
}

TEST_CASE("what stopFactory throws is logged: of a connection that was made") {
    World world;
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.client.stopping = throwing();
    world.listenAndConnect();
    world.run();
    CHECK(flushed() == 1);
}

TEST_CASE("what stopFactory throws is logged: of one that was refused, beside clientConnectionFailed's") {
    World world;
    world.listen();
    world.port->stopListening();
    world.client.failed = throwing();
    world.client.stopping = [&] {
        world.stopAfter(2);
        throw Mine();
    };
    world.reactor().callLater(1ms, [&] { world.connect(); });
    world.run();
    CHECK(flushed() == 2);
}

TEST_CASE("what clientConnectionLost and stopFactory throw is logged both") {
    World world;
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.client.clientLost = throwing();
    world.client.stopping = throwing();
    world.listenAndConnect();
    world.run();
    CHECK(flushed() == 2);
}

TEST_CASE("what stopFactory throws is the result of stopListening") {
    World world;
    world.listen();
    world.server.stopping = throwing();
    bool failed = false;
    world.port->stopListening().addErrback([&](const ropewalk::Failure& failure) {
        failure.trap<Mine>();
        failed = true;
        world.reactor().stop();
    });
    world.run();
    CHECK(failed);
}

TEST_CASE("what stopFactory throws at shutdown is logged") {
    World world;
    world.listen();
    world.server.stopping = throwing();
    world.stopAfter(1);
    world.run();
    CHECK(flushed() == 1);
}

TEST_CASE("a protocol whose destructor throws ends the program") {
    const Ended ended = inChild([] {
        struct Thrower : ropewalk::Protocol {
            void connectionMade() override { transport->abortConnection(); }
            ~Thrower() override { throwing()(); }
        };
        std::set_terminate([] { std::_Exit(77); });
        World world;
        world.port = world.reactor().listenTCP(0, ropewalk::Factory::forProtocol<Thrower>(),
                                               {.interface = "127.0.0.1"});
        world.connect();
        world.run();
        return 0;
    });
    CHECK(ended.exitCode == 77);
}
