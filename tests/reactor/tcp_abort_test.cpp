#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using tcp::Peer;
using tcp::World;

TEST_CASE("137.1, 137.2: abortConnection returns first, and tells the protocol in the next turn") {
    World world;
    bool returned = false;
    bool laterTurn = false;
    world.client.made = [&](Peer& self) {
        world.reactor().callLater(0s, [&, transport = self.transport] {
            transport->abortConnection();
            CHECK(world.client.losses == 0);
            CHECK(transport->connected());
            returned = true;
            world.reactor().callLater(0s, [&] { laterTurn = true; });
        });
    };
    world.client.lost = [&](Peer&) {
        CHECK(returned);
        CHECK_FALSE(laterTurn);
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.called("client connectionLost ConnectionAborted"));
    CHECK(world.called("client clientConnectionLost ConnectionAborted"));
}

TEST_CASE("137.3: the peer of an aborted connection sees ConnectionLost, with the system's error") {
    World world;
    world.server.made = [](Peer& self) { self.transport->abortConnection(); };
    world.listenAndConnect();
    world.run();
    CHECK(world.called("server connectionLost ConnectionAborted"));
    CHECK(world.called("client connectionLost ConnectionLost"));
    const auto* lost = world.client.reason->check<ropewalk::ConnectionLost>();
    REQUIRE(lost != nullptr);
    CHECK(lost->code() == std::errc::connection_reset);
}

TEST_CASE("137.3: also when what was sent before the abort is read together with the reset") {
    World world;
    world.client.made = [&](Peer& self) {
        self.transport->pauseProducing();
        self.transport->write("go");
    };
    world.server.data = [](Peer& self, std::string_view) {
        self.transport->write("last words");
        self.side.world.reactor().callLater(1ms, [transport = self.transport] {
            // They have left.
            CHECK(transport->writeBufferSize() == 0);
            transport->abortConnection();
        });
    };
    world.server.lost = [&](Peer&) {
        world.reactor().callLater(0s, [&] { world.client.peers[0]->transport->resumeProducing(); });
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.called("client connectionLost ConnectionLost"));
    CHECK(world.client.peers[0]->received == "last words");
}

TEST_CASE("abortConnection does not send what waits, and ends one that nobody reads") {
    World world;
    world.server.made = [](Peer& self) { self.transport->pauseProducing(); };
    world.client.made = [&](Peer& self) {
        self.transport->write(std::string(20 << 20, 'x'));
        self.transport->loseConnection();
        world.reactor().callLater(0s, [&world, transport = self.transport] {
            CHECK(transport->writeBufferSize() > 0);
            transport->abortConnection();
            transport->abortConnection();
            transport->write("nothing comes of it");
            world.reactor().callLater(1ms, [&world] { world.server.peers[0]->transport->resumeProducing(); });
        });
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.count("client connectionLost ConnectionAborted") == 1);
    CHECK(world.called("server connectionLost ConnectionLost"));
    CHECK(world.server.peers[0]->received.size() < (20u << 20));
}

TEST_CASE("both ends may abort at once") {
    World world;
    for (tcp::Side* side : {&world.server, &world.client}) {
        side->data = [](Peer& self, std::string_view) { self.transport->abortConnection(); };
        side->made = [](Peer& self) { self.transport->write("x"); };
    }
    world.listenAndConnect();
    world.run();
    CHECK(world.server.losses == 1);
    CHECK(world.client.losses == 1);
}

TEST_CASE("nothing is read after abortConnection") {
    World world;
    world.server.made = [](Peer& self) { self.transport->write(std::string(1000000, 'x')); };
    world.client.data = [](Peer& self, std::string_view) {
        self.transport->abortConnection();
        self.transport->resumeProducing();
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.client.peers[0]->reads.size() == 1);
}

TEST_CASE("stop in the turn of an abort still tells the protocol once") {
    World world;
    world.client.made = [&](Peer& self) {
        self.transport->abortConnection();
        world.reactor().stop();
    };
    world.endsExpected = 99;
    world.listenAndConnect();
    world.run();
    CHECK(world.client.losses == 1);
    CHECK(world.count("client stopFactory") == 1);
}
