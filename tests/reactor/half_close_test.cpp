#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include <ropewalk/defer/logged_errors.hpp>

using namespace std::chrono_literals;
using tcp::Peer;
using tcp::World;

namespace {

struct HalfWorld : World {
    HalfWorld() { server.halfCloseable = client.halfCloseable = true; }
};

} // namespace

TEST_CASE("140.1, 140.2, 140.3: loseWriteConnection sends everything, then tells both sides") {
    HalfWorld world;
    const std::string much(3000000, 'x');
    world.client.made = [&](Peer& self) {
        self.transport->write(much);
        self.transport->loseWriteConnection();
        self.transport->loseWriteConnection();
        CHECK_FALSE(self.transport->disconnecting());
    };
    world.client.writeLost = [](Peer& self) {
        CHECK(self.transport->writeBufferSize() == 0);
        CHECK(self.transport->connected());
    };
    world.server.readLost = [&](Peer& self) {
        CHECK(self.received == much);
        self.transport->write("and good bye");
        self.transport->loseConnection();
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.count("client writeConnectionLost") == 1);
    CHECK(world.count("server readConnectionLost") == 1);
    CHECK(world.client.peers[0]->received == "and good bye");
    CHECK(world.called("client connectionLost ConnectionDone"));
    CHECK(world.called("server connectionLost ConnectionDone"));
}

TEST_CASE("140.4: a peer that is no IHalfCloseableProtocol loses the connection") {
    HalfWorld world;
    world.server.halfCloseable = false;
    world.client.made = [](Peer& self) {
        self.transport->write("x");
        self.transport->loseWriteConnection();
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.count("client writeConnectionLost") == 1);
    CHECK(world.called("server connectionLost ConnectionDone"));
    CHECK(world.called("client connectionLost ConnectionDone"));
}

TEST_CASE("140.2: one that is no IHalfCloseableProtocol isn't told of its own loseWriteConnection") {
    HalfWorld world;
    world.client.halfCloseable = false;
    world.client.made = [](Peer& self) { self.transport->loseWriteConnection(); };
    world.server.readLost = [](Peer& self) {
        self.transport->write("answer");
        self.transport->loseConnection();
    };
    world.server.writeLost = [](Peer&) { FAIL("nobody asked for that"); };
    world.listenAndConnect();
    world.run();
    CHECK(world.client.peers[0]->received == "answer");
    CHECK_FALSE(world.called("client writeConnectionLost"));
    CHECK(world.count("server readConnectionLost") == 1);
}

TEST_CASE("when both directions have ended, the connection has") {
    HalfWorld world;
    SUBCASE("at the same time") {
        world.server.made = world.client.made = [](Peer& self) { self.transport->loseWriteConnection(); };
    }
    SUBCASE("one after the other") {
        world.client.made = [](Peer& self) { self.transport->loseWriteConnection(); };
        world.server.readLost = [](Peer& self) {
            self.transport->write("last");
            self.transport->loseWriteConnection();
        };
    }
    world.listenAndConnect();
    world.run();
    for (const char* call :
         {"client writeConnectionLost", "client readConnectionLost", "server writeConnectionLost",
          "server readConnectionLost", "client connectionLost ConnectionDone",
          "server connectionLost ConnectionDone"}) {
        CAPTURE(call);
        CHECK(world.count(call) == 1);
    }
}

TEST_CASE("nothing can be written after loseWriteConnection") {
    HalfWorld world;
    world.client.made = [](Peer& self) {
        self.transport->write("heard");
        self.transport->write("heard");
        self.transport->loseWriteConnection();
        self.transport->write("unheard");
        self.transport->write(std::string(100000, 'u'));
    };
    world.client.writeLost = [](Peer& self) { self.transport->write("unheard"); };
    world.server.readLost = [](Peer& self) { self.transport->loseConnection(); };
    world.listenAndConnect();
    world.run();
    CHECK(world.server.peers[0]->received == "heardheard");
}

TEST_CASE("loseConnection ends a half-closed connection") {
    HalfWorld world;
    world.client.made = [](Peer& self) { self.transport->loseWriteConnection(); };
    world.client.writeLost = [](Peer& self) { self.transport->loseConnection(); };
    world.listenAndConnect();
    world.endsExpected = 1;
    world.run();
    CHECK(world.called("client connectionLost ConnectionDone"));
}

TEST_CASE("loseWriteConnection and loseConnection in one go are a close") {
    HalfWorld world;
    world.server.halfCloseable = false;
    world.client.made = [](Peer& self) {
        self.transport->write("x");
        self.transport->loseWriteConnection();
        self.transport->loseConnection();
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.server.peers[0]->received == "x");
    CHECK(world.called("client connectionLost ConnectionDone"));
}

TEST_CASE("abortConnection ends a half-closed connection with a reset") {
    HalfWorld world;
    world.client.made = [](Peer& self) {
        self.transport->write("x");
        self.transport->loseWriteConnection();
    };
    world.server.data = [](Peer& self, std::string_view) {
        self.side.world.reactor().callLater(1ms, [t = self.transport] { t->abortConnection(); });
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.called("server connectionLost ConnectionAborted"));
    CHECK(world.called("client connectionLost ConnectionLost"));
}

TEST_CASE("exceptions of the two are logged, and end the connection") {
    HalfWorld world;
    std::string who;
    SUBCASE("readConnectionLost") {
        who = "server";
        world.server.readLost = [](Peer&) { throw std::runtime_error("mine"); };
    }
    SUBCASE("writeConnectionLost") {
        who = "client";
        world.client.writeLost = [](Peer&) { throw std::runtime_error("mine"); };
        world.server.readLost = [](Peer& self) { self.transport->loseConnection(); };
    }
    world.client.made = [](Peer& self) { self.transport->loseWriteConnection(); };
    world.listenAndConnect();
    world.run();
    CHECK(ropewalk::defer::flushLoggedErrors<std::runtime_error>().size() == 1);
    CHECK(world.count(who + " connectionLost std::runtime_error") +
              world.count(who + " connectionLost runtime_error") ==
          1);
}

TEST_CASE("a paused reader sees the end of data when it resumes") {
    HalfWorld world;
    world.server.made = [](Peer& self) { self.transport->pauseProducing(); };
    world.client.made = [](Peer& self) {
        self.transport->write("x");
        self.transport->loseWriteConnection();
    };
    world.client.writeLost = [&](Peer&) {
        world.reactor().callLater(1ms, [&] {
            CHECK_FALSE(world.called("server readConnectionLost"));
            world.server.peers[0]->transport->resumeProducing();
        });
    };
    world.server.readLost = [](Peer& self) { self.transport->loseConnection(); };
    world.listenAndConnect();
    world.run();
    CHECK(world.server.peers[0]->received == "x");
    CHECK(world.count("server readConnectionLost") == 1);
}

TEST_CASE("a push producer that is paused doesn't keep loseWriteConnection from its end") {
    HalfWorld world;
    const auto producer = std::make_shared<tcp::TestProducer>();
    world.client.made = [&](Peer& self) {
        self.transport->registerProducer(producer, true);
        self.transport->write(std::string(100000, 'x'));
        CHECK(producer->calls == tcp::Calls{"pause"});
        self.transport->loseWriteConnection();
    };
    world.server.readLost = [](Peer& self) { self.transport->loseConnection(); };
    world.listenAndConnect();
    world.run();
    CHECK(world.server.peers[0]->received.size() == 100000);
    CHECK(world.count("client writeConnectionLost") == 1);
    CHECK(producer->calls == tcp::Calls{"pause", "resume", "stop"});
}

TEST_CASE("loseWriteConnection waits until a pull producer is through") {
    HalfWorld world;
    const auto producer = std::make_shared<tcp::TestProducer>();
    world.client.made = [&](Peer& self) {
        producer->resumed = [transport = self.transport, left = 5](tcp::TestProducer&) mutable {
            transport->write("piece ");
            if (--left == 0) {
                transport->unregisterProducer();
                transport->write("unheard");
            }
        };
        self.transport->registerProducer(producer, false);
        self.transport->loseWriteConnection();
    };
    world.server.readLost = [](Peer& self) { self.transport->loseConnection(); };
    world.listenAndConnect();
    world.run();
    CHECK(world.server.peers[0]->received == "piece piece piece piece piece ");
    producer->resumed = nullptr;
}
