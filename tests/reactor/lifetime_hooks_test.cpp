#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using tcp::Peer;
using tcp::TestProducer;
using tcp::World;

namespace {

using Act = std::function<void(World&, const std::shared_ptr<ropewalk::Transport>&)>;

struct Named {
    const char* name;
    Act act;
};

/// What a program may do to a connection, or to all of them.
const std::vector<Named> acts{
    {"loseConnection", [](World&, const auto& transport) { transport->loseConnection(); }},
    {"abortConnection", [](World&, const auto& transport) { transport->abortConnection(); }},
    {"both",
     [](World&, const auto& transport) {
         transport->loseConnection();
         transport->abortConnection();
         transport->loseConnection();
     }},
    {"write and close",
     [](World&, const auto& transport) {
         transport->write(std::string(300000, 'x'));
         transport->write("y");
         transport->loseConnection();
     }},
    {"write and abort",
     [](World&, const auto& transport) {
         transport->write(std::string(300000, 'x'));
         transport->abortConnection();
     }},
    {"end of writing, and abort",
     [](World&, const auto& transport) {
         transport->loseWriteConnection();
         transport->abortConnection();
     }},
    {"stop",
     [](World& world, const auto&) {
         world.stopAfter(0);
         world.endsExpected = 99;
     }},
    {"disconnect",
     [](World& world, const auto& transport) {
         transport->loseConnection();
         world.connector->disconnect();
     }},
};

/// Where it does that.
struct Hook {
    const char* name;
    std::function<void(World&, std::function<void(Peer&)>)> set;
};

const std::vector<Hook> hooks{
    {"connectionMade", [](World& world, auto act) { world.client.made = act; }},
    {"dataReceived",
     [](World& world, auto act) { world.client.data = [act](Peer& self, std::string_view) { act(self); }; }},
    {"connectionLost",
     [](World& world, auto act) {
         world.client.data = [](Peer& self, std::string_view) { self.transport->loseConnection(); };
         world.client.lost = act;
     }},
    {"connectionLost, of a reset",
     [](World& world, auto act) {
         world.server.data = [](Peer& self, std::string_view) { self.transport->abortConnection(); };
         world.client.lost = act;
     }},
    {"readConnectionLost",
     [](World& world, auto act) {
         world.client.halfCloseable = true;
         world.server.data = [](Peer& self, std::string_view) { self.transport->loseConnection(); };
         world.client.readLost = act;
     }},
    {"writeConnectionLost",
     [](World& world, auto act) {
         world.client.halfCloseable = true;
         world.client.data = [](Peer& self, std::string_view) { self.transport->loseWriteConnection(); };
         world.client.writeLost = act;
     }},
    {"clientConnectionLost",
     [](World& world, auto act) {
         world.client.data = [](Peer& self, std::string_view) { self.transport->loseConnection(); };
         world.client.clientLost = [&world, act](auto&&...) { act(*world.client.peers[0]); };
     }},
};

/// A producer's hooks, to push and to pull.
const std::vector<Hook> producerHooks{
    {"pauseProducing",
     [](World& world, auto act) {
         world.client.data = [act](Peer& self, std::string_view) {
             const auto producer = std::make_shared<TestProducer>();
             producer->paused = [act, &self](TestProducer&) { act(self); };
             self.transport->registerProducer(producer, true);
             self.transport->write(std::string(70000, 'x'));
             self.transport->loseConnection();
         };
     }},
    {"resumeProducing",
     [](World& world, auto act) {
         world.client.data = [act](Peer& self, std::string_view) {
             const auto producer = std::make_shared<TestProducer>();
             producer->resumed = [act, &self](TestProducer&) { act(self); };
             self.transport->registerProducer(producer, true);
             self.transport->write(std::string(70000, 'x'));
         };
     }},
    {"resumeProducing of a pull producer",
     [](World& world, auto act) {
         world.client.data = [act](Peer& self, std::string_view) {
             const auto producer = std::make_shared<TestProducer>();
             producer->resumed = [act, &self](TestProducer& itself) {
                 if (itself.calls.size() == 3) {
                     self.transport->unregisterProducer();
                     act(self);
                 } else {
                     self.transport->write("more");
                 }
             };
             self.transport->registerProducer(producer, false);
         };
     }},
    {"stopProducing",
     [](World& world, auto act) {
         world.client.data = [act](Peer& self, std::string_view) {
             const auto producer = std::make_shared<TestProducer>();
             producer->stopped = [act, &self](TestProducer&) { act(self); };
             self.transport->registerProducer(producer, true);
             self.transport->loseConnection();
         };
     }},
};

void runAll(const std::vector<Hook>& all) {
    for (const Hook& hook : all) {
        for (const Named& act : acts) {
            CAPTURE(hook.name);
            CAPTURE(act.name);
            World world;
            int acted = 0;
            world.server.made = [](Peer& self) { self.transport->write("hello"); };
            world.client.made = [](Peer& self) { self.transport->write("hello"); };
            hook.set(world, [&](Peer& self) {
                if (acted++ == 0) {
                    act.act(world, self.transport);
                }
            });
            world.listenAndConnect();
            world.run(10s);
            CHECK(acted > 0);
            CHECK(world.client.losses == 1);
            CHECK(world.server.losses == 1);
            CHECK(world.count("client stopFactory") == 1);
            CHECK_FALSE(world.client.peers[0]->transport->connected());
        }
    }
}

} // namespace

TEST_CASE("whatever a protocol does in any of its hooks, it is told of one end, and so is the peer") {
    runAll(hooks);
}

TEST_CASE("whatever a producer does in any of its hooks, both ends are told of one end") {
    runAll(producerHooks);
}

TEST_CASE("stop from within the hooks of a factory") {
    World world;
    world.endsExpected = 99;
    const auto stop = [&](auto&&...) { world.reactor().stop(); };
    bool connects = true;
    SUBCASE("startedConnecting") {
        world.reactor().callWhenRunning([&] {
            world.client.connecting = stop;
            world.connect();
        });
        connects = false;
    }
    SUBCASE("buildProtocol of the client") {
        world.client.building = stop;
    }
    SUBCASE("buildProtocol of the server") {
        world.server.building = stop;
    }
    SUBCASE("clientConnectionLost") {
        world.client.made = [](Peer& self) { self.transport->loseConnection(); };
        world.client.clientLost = stop;
    }
    SUBCASE("stopFactory") {
        world.client.made = [](Peer& self) { self.transport->loseConnection(); };
        world.client.stopping = stop;
    }
    world.listen();
    if (connects) {
        world.connect();
    }
    world.run(10s);
    CHECK(world.count("client connectionMade") == world.client.losses);
    CHECK(world.count("server connectionMade") == world.server.losses);
    CHECK(world.count("client stopFactory") == 1);
    CHECK(world.count("server stopFactory") == 1);
}

TEST_CASE("handles are released with the connection: protocols, factories, connectors, transports") {
    std::weak_ptr<ropewalk::Transport> transport;
    std::weak_ptr<Peer> peer;
    std::weak_ptr<ropewalk::Connector> connector;
    World world;
    world.client.made = [&](Peer& self) {
        transport = self.transport;
        peer = self.weak_from_this();
        self.transport->loseConnection();
    };
    world.client.clientLost = [&](ropewalk::Connector&, const ropewalk::Failure&) {
        world.client.peers.clear();
    };
    world.client.stopping = [&] { CHECK_FALSE(connector.expired()); };
    world.listenAndConnect();
    connector = world.connector;
    world.connector.reset();
    world.run();
    CHECK(peer.expired());
    CHECK(transport.expired());
    CHECK(connector.expired());
    CHECK(world.client.factoryItself.expired());
}

TEST_CASE("a protocol may drop its own transport in every hook") {
    World world;
    bool inMade = false;
    SUBCASE("connectionMade") {
        inMade = true;
    }
    SUBCASE("dataReceived and connectionLost") {}
    const auto drop = [](Peer& self) {
        self.transport->loseConnection();
        self.transport.reset();
    };
    world.server.made = [](Peer& self) { self.transport->write("x"); };
    if (inMade) {
        world.client.made = drop;
    } else {
        world.client.data = [&](Peer& self, std::string_view) { drop(self); };
    }
    world.listenAndConnect();
    world.run();
    CHECK(world.client.losses == 1);
}
