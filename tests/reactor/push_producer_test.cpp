#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace std::chrono_literals;
using tcp::Calls;
using tcp::Peer;
using tcp::TestProducer;
using tcp::World;

namespace {

struct Producing : World {
    std::shared_ptr<TestProducer> producer = std::make_shared<TestProducer>();

    void closeSoon(Peer& self) {
        reactor().callLater(1ms, [transport = self.transport] { transport->loseConnection(); });
    }
};

} // namespace

TEST_CASE("141.1: a push producer is paused by the byte beyond 65536") {
    Producing world;
    world.client.made = [&](Peer& self) {
        self.transport->registerProducer(world.producer, true);
        self.transport->write("x");
        self.transport->write(std::string(64999, 'x'));
        for (int i = 0; i < 536; ++i) {
            self.transport->write("y");
        }
        CHECK(self.transport->writeBufferSize() == 65536);
        CHECK(world.producer->calls.empty());
        self.transport->write("z");
        CHECK(world.producer->calls == Calls{"pause"});
        self.transport->write("more");
        self.transport->write(std::string(100000, 'w'));
        CHECK(world.producer->calls == Calls{"pause"});
        self.transport->unregisterProducer();
        self.transport->loseConnection();
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.server.peers[0]->received.size() == 165541);
}

TEST_CASE("141.2: exactly 65536 bytes, in one piece, do not pause it; one more do") {
    Producing world;
    bool more = false;
    SUBCASE("65536") {}
    SUBCASE("65537") {
        more = true;
    }
    bool moved = false;
    SUBCASE("copied") {}
    SUBCASE("moved") {
        moved = true;
    }
    world.client.made = [&](Peer& self) {
        self.transport->registerProducer(world.producer, true);
        std::string text(more ? 65537 : 65536, 'x');
        if (moved) {
            self.transport->write(std::move(text));
        } else {
            self.transport->write(text);
        }
        CHECK(world.producer->calls == (more ? Calls{"pause"} : Calls{}));
        world.closeSoon(self);
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.producer->calls == (more ? Calls{"pause", "resume", "stop"} : Calls{"stop"}));
}

TEST_CASE("141.3: it is resumed once, when all is sent, and paused again when it makes too much again") {
    Producing world;
    int rounds = 0;
    world.client.made = [&](Peer& self) {
        const auto transport = self.transport;
        world.producer->resumed = [&, transport](TestProducer&) {
            CHECK(transport->writeBufferSize() == 0);
            if (++rounds < 4) {
                transport->write(std::string(1000000, 'x'));
            } else {
                transport->unregisterProducer();
                transport->loseConnection();
            }
        };
        transport->registerProducer(world.producer, true);
        transport->write(std::string(1000000, 'x'));
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.producer->calls ==
          Calls{"pause", "resume", "pause", "resume", "pause", "resume", "pause", "resume"});
    CHECK(world.server.peers[0]->received.size() == 4000000);
    world.producer->resumed = nullptr;
}

TEST_CASE("141.4: a second producer is refused until the first one is unregistered") {
    Producing world;
    const auto second = std::make_shared<TestProducer>();
    world.client.made = [&](Peer& self) {
        self.transport->registerProducer(world.producer, true);
        for (const bool streaming : {true, false}) {
            CHECK_THROWS_AS(self.transport->registerProducer(second, streaming), ropewalk::RuntimeError);
        }
        CHECK(second->calls.empty());
        self.transport->unregisterProducer();
        self.transport->unregisterProducer();
        self.transport->registerProducer(second, true);
        self.transport->unregisterProducer();
        self.transport->loseConnection();
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.producer->calls.empty());
    CHECK(second->calls.empty());
}

TEST_CASE("141.5: to register on a closed transport stops the producer at once") {
    Producing world;
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.client.lost = [&](Peer& self) {
        for (const bool streaming : {true, false}) {
            self.transport->registerProducer(world.producer, streaming);
        }
        CHECK(world.producer->calls == Calls{"stop", "stop"});
    };
    world.listenAndConnect();
    world.run();
    world.client.peers[0]->transport->registerProducer(world.producer, true);
    CHECK(world.producer->calls == Calls{"stop", "stop", "stop"});
    CHECK(world.producer.use_count() == 1);
}

TEST_CASE("141.6: what is written after the connection was lost is ignored") {
    Producing world;
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.client.lost = [](Peer& self) {
        self.transport->write("x");
        self.transport->write(std::string(100000, 'x'));
        self.transport->writeSequence({"a", "b"});
        CHECK(self.transport->writeBufferSize() == 0);
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.server.peers[0]->received.empty());
    world.client.peers[0]->transport->write("x");
    CHECK(world.client.peers[0]->transport->writeBufferSize() == 0);
}

TEST_CASE("the end of the connection stops the producer, before the protocol is told") {
    Producing world;
    world.client.made = [&](Peer& self) {
        self.transport->registerProducer(world.producer, true);
        world.producer->stopped = [&](TestProducer&) {
            CHECK(world.client.losses == 0);
            self.transport->write("ignored");
            self.transport->unregisterProducer();
            self.transport->loseConnection();
            self.transport->abortConnection();
        };
    };
    SUBCASE("closed by the peer") {
        world.server.made = [](Peer& self) { self.transport->loseConnection(); };
    }
    SUBCASE("reset by the peer") {
        world.server.made = [](Peer& self) { self.transport->abortConnection(); };
    }
    SUBCASE("closed here") {
        world.server.made = [](Peer& self) { self.transport->write("x"); };
        world.client.data = [](Peer& self, std::string_view) { self.transport->loseConnection(); };
    }
    SUBCASE("aborted here") {
        world.server.made = [](Peer& self) { self.transport->write("x"); };
        world.client.data = [](Peer& self, std::string_view) { self.transport->abortConnection(); };
    }
    world.listenAndConnect();
    world.run();
    CHECK(world.producer->calls == Calls{"stop"});
    CHECK(world.client.losses == 1);
    CHECK(world.producer.use_count() == 1);
}

TEST_CASE("a producer that only the transport keeps may unregister itself in any of its calls") {
    Producing world;
    std::weak_ptr<TestProducer> watch = world.producer;
    bool alive = false;
    const auto unregister = [&](TestProducer& self) {
        world.client.peers[0]->transport->unregisterProducer();
        alive = !watch.expired();
        self.calls.push_back("unregistered");
    };
    bool streaming = true;
    SUBCASE("pauseProducing") {
        world.producer->paused = unregister;
    }
    SUBCASE("resumeProducing") {
        world.producer->resumed = unregister;
    }
    SUBCASE("the resumeProducing of registerProducer") {
        world.producer->resumed = unregister;
        streaming = false;
    }
    SUBCASE("stopProducing") {
        world.producer->stopped = unregister;
    }
    world.client.made = [&](Peer& self) {
        auto given = std::move(world.producer);
        self.transport->registerProducer(std::move(given), streaming);
        self.transport->write(std::string(70000, 'x'));
        self.transport->loseConnection();
    };
    world.listenAndConnect();
    world.run();
    CHECK(alive);
    CHECK(watch.expired());
    CHECK(world.server.peers[0]->received.size() == 70000);
}

TEST_CASE("a producer may write when it is paused: nothing is lost, in order") {
    Producing world;
    std::string expected(65536, 'x');
    world.client.made = [&](Peer& self) {
        const auto transport = self.transport;
        world.producer->paused = [&, transport](TestProducer&) {
            for (const char* piece : {"one ", "two ", "three ", "four "}) {
                transport->write(piece);
                expected += piece;
            }
        };
        transport->registerProducer(world.producer, true);
        transport->write(std::string(65536, 'x'));
        expected += "over ";
        transport->write("over ");
        transport->write("five ");
        expected += "five ";
        transport->loseConnection();
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.server.peers[0]->received == expected);
    world.producer->paused = nullptr;
}

TEST_CASE("what pauseProducing throws comes out of write, and what was written leaves") {
    Producing world;
    world.client.made = [&](Peer& self) {
        world.producer->paused = [](TestProducer&) { throw std::runtime_error("mine"); };
        self.transport->registerProducer(world.producer, true);
        world.reactor().callLater(1ms, [&world, transport = self.transport] {
            CHECK_THROWS_AS(transport->write(std::string(70000, 'x')), std::runtime_error);
            world.producer->paused = [](TestProducer&) {};
        });
    };
    world.producer->resumed = [&](TestProducer&) { world.client.peers[0]->transport->loseConnection(); };
    world.listenAndConnect();
    world.run();
    CHECK(world.server.peers[0]->received.size() == 70000);
    CHECK(world.producer->calls == Calls{"pause", "resume", "stop"});
}

TEST_CASE("loseConnection with a paused push producer resumes it once, and closes when it makes no more") {
    Producing world;
    world.client.made = [&](Peer& self) {
        self.transport->registerProducer(world.producer, true);
        self.transport->write(std::string(200000, 'x'));
        self.transport->loseConnection();
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.producer->calls == Calls{"pause", "resume", "stop"});
    CHECK(world.server.peers[0]->received.size() == 200000);
}

TEST_CASE("one connection's reading side is a producer for another's writing side") {
    Producing world;
    world.endsExpected = 4;
    std::shared_ptr<ropewalk::Transport> sink;
    const std::string much(2000000, 'm');
    // The first connection's client writes much; its server hands it on to the second connection's server.
    world.client.made = [&](Peer& self) {
        if (world.client.peers.size() == 1) {
            self.transport->write(much);
            self.transport->loseConnection();
        }
    };
    world.server.made = [&](Peer& self) {
        if (world.server.peers.size() == 2) {
            sink = self.transport;
            const auto first = world.server.peers[0]->transport;
            sink->registerProducer(first, true);
            first->resumeProducing();
        } else {
            self.transport->pauseProducing();
            world.connect();
        }
    };
    world.server.data = [&](Peer&, std::string_view data) { sink->write(data); };
    world.server.lost = [&](Peer&) {
        if (world.server.losses == 1) {
            sink->unregisterProducer();
            sink->loseConnection();
        }
    };
    world.listenAndConnect();
    world.run();
    REQUIRE(world.client.peers.size() == 2);
    CHECK(world.client.peers[1]->received == much);
    sink = nullptr;
}
