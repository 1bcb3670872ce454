#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/reactor/client_creator.hpp>
#include <support/memory_network.hpp>

using namespace std::chrono_literals;
using tcp::Peer;
using tcp::TestProducer;
using tcp::World;

namespace {

/// Uses every handle that there is; all of it does nothing.
void useAll(World& world) {
    for (tcp::Side* side : {&world.server, &world.client}) {
        for (const auto& peer : side->peers) {
            auto& transport = *peer->transport;
            const auto producer = std::make_shared<TestProducer>();
            transport.registerProducer(producer, false);
            CHECK(producer->calls == tcp::Calls{"stop"});
            transport.unregisterProducer();
            transport.write("x");
            transport.write(std::string(100000, 'x'));
            transport.setWriteLimit(1, ropewalk::WriteLimit::close);
            transport.pauseProducing();
            transport.resumeProducing();
            transport.loseWriteConnection();
            transport.loseConnection();
            transport.abortConnection();
            transport.setTcpNoDelay(true);
            CHECK_FALSE(transport.getTcpNoDelay());
            CHECK_FALSE(transport.connected());
            CHECK(transport.writeBufferSize() == 0);
            CHECK(transport.getPeer().host() == "127.0.0.1");
            static_cast<void>(transport.getHost());
        }
    }
    if (world.port) {
        CHECK(world.port->getHost().port() > 0);
        world.port->pauseProducing();
        world.port->resumeProducing();
        CHECK(world.port->stopListening().called());
        world.port->startListening();
        CHECK(world.port->stopListening().called());
    }
    if (world.connector) {
        world.connector->disconnect();
        CHECK_THROWS_AS(world.connector->stopConnecting(), ropewalk::NotConnectingError);
        CHECK(world.connector->state() == ropewalk::Connector::State::disconnected);
        world.connector->connect();
        CHECK(world.connector->state() == ropewalk::Connector::State::disconnected);
    }
}

} // namespace

TEST_CASE("a reactor that goes with everything open tells nobody, and its handles do nothing") {
    World world;
    const auto producer = std::make_shared<TestProducer>();
    bool runs = true;
    ropewalk::defer::Deferred<void> stopping = nullptr;
    SUBCASE("listening") {
        world.listen();
        runs = false;
    }
    SUBCASE("stopping to listen") {
        world.listen();
        stopping = world.port->stopListening();
        runs = false;
    }
    SUBCASE("connecting") {
        world.listenAndConnect();
        runs = false;
    }
    SUBCASE("connected") {}
    SUBCASE("with much to send, and a close pending") {
        world.client.made = [](Peer& self) {
            self.transport->write(std::string(50 << 20, 'x'));
            self.transport->loseConnection();
        };
        world.server.made = [](Peer& self) { self.transport->pauseProducing(); };
    }
    SUBCASE("with an abort pending") {
        world.client.data = [](Peer& self, std::string_view) { self.transport->abortConnection(); };
    }
    SUBCASE("with a producer, paused") {
        world.client.made = [&](Peer& self) {
            self.transport->registerProducer(producer, true);
            self.transport->write(std::string(50 << 20, 'x'));
        };
        world.server.made = [](Peer& self) { self.transport->pauseProducing(); };
    }
    SUBCASE("half-closed") {
        world.client.halfCloseable = true;
        world.client.made = [](Peer& self) { self.transport->loseWriteConnection(); };
    }
    world.endsExpected = 99;
    if (runs) {
        world.server.made = [&, made = world.server.made](Peer& self) {
            made(self);
            self.transport->write("x");
            world.reactor().callLater(2ms, [&] { world.reactor().crash(); });
        };
        world.client.data = [&, data = world.client.data](Peer& self, std::string_view bytes) {
            data(self, bytes);
            if (self.transport->disconnecting()) {
                world.reactor().crash();
            }
        };
        world.listenAndConnect();
        world.run();
    }
    const tcp::Calls before = world.calls;
    producer->calls.clear();
    world.owned.reset();
    CHECK(world.calls == before);
    CHECK(producer->calls.empty());
    CHECK(producer.use_count() == 1);
    if (stopping) {
        CHECK_FALSE(stopping.called());
    }
    useAll(world);
    CHECK(world.calls == before);
}

TEST_CASE("shutdown ends everything with ConnectionLost, and a second run begins anew") {
    World world;
    world.endsExpected = 99;
    world.server.made = [&](Peer&) { world.reactor().stop(); };
    world.listenAndConnect();
    world.run();
    CHECK(world.called("server connectionLost ConnectionLost"));
    CHECK(world.count("client connectionMade") == world.client.losses);
    CHECK(world.count("client stopFactory") == 1);
    world.server.made = [](Peer& self) { self.transport->loseConnection(); };
    world.endsExpected = 2;
    world.listenAndConnect();
    world.run();
    CHECK(world.called("client connectionLost ConnectionDone"));
}

TEST_CASE("what is opened while all is closed is closed when the reactor goes") {
    World world;
    world.endsExpected = 99;
    world.server.made = [&](Peer&) { world.reactor().stop(); };
    int again = 0;
    world.client.clientLost = [&](ropewalk::Connector& connector, const ropewalk::Failure&) {
        ++again;
        connector.connect();
    };
    world.client.failed = world.client.clientLost;
    world.listenAndConnect();
    world.run();
    CHECK(again == 1);
    CHECK(world.connector->state() == ropewalk::Connector::State::connecting);
    world.owned.reset();
    CHECK(world.connector->state() == ropewalk::Connector::State::disconnected);
    useAll(world);
    world.connector.reset();
    CHECK(world.client.factoryItself.expired());
}

TEST_CASE("destructors that use the reactor that goes") {
    struct Busy final : ropewalk::Protocol {
        explicit Busy(World& theWorld) : world(theWorld) {}
        void connectionMade() override {
            world.reactor().callLater(1ms, [&w = world] { w.reactor().crash(); });
        }
        ~Busy() override {
            ++destroyed();
            transport->write("x");
            transport->abortConnection();
            world.reactor().connectTCP("127.0.0.1", 9, world.clientFactory());
            world.reactor().listenTCP(0, world.serverFactory(), {.interface = "127.0.0.1"});
        }
        World& world;
        static int& destroyed() {
            static int count = 0;
            return count;
        }
    };
    struct BusyFactory final : ropewalk::Factory {
        explicit BusyFactory(World& theWorld) : world(theWorld) {}
        std::shared_ptr<ropewalk::Protocol> buildProtocol(const ropewalk::Address&) override {
            return std::make_shared<Busy>(world);
        }
        World& world;
    };
    World world;
    world.endsExpected = 99;
    world.port =
        world.reactor().listenTCP(0, std::make_shared<BusyFactory>(world), {.interface = "127.0.0.1"});
    world.connect();
    world.run();
    Busy::destroyed() = 0;
    delete world.owned.get();
    static_cast<void>(world.owned.release());
    CHECK(Busy::destroyed() == 1);
}

TEST_CASE("a coroutine's destructor may use the reactor that goes") {
    struct Guard {
        World& world;
        ~Guard() { world.connector = world.reactor().connectTCP("127.0.0.1", 9, world.clientFactory()); }
    };
    World world;
    world.listen();
    ropewalk::defer::Deferred<void> never;
    const auto waiting = [&]() -> ropewalk::defer::Deferred<void> {
        const Guard guard{world};
        co_await never;
    };
    ropewalk::defer::Deferred<void> waits = waiting();
    waits.addErrback([](const ropewalk::Failure&) {});
    delete world.owned.get();
    static_cast<void>(world.owned.release());
    CHECK(ropewalk::defer::flushLoggedErrors().size() == 1);
    REQUIRE(world.connector != nullptr);
    CHECK(world.connector->state() == ropewalk::Connector::State::disconnected);
    world.connector.reset();
}

TEST_CASE("a protocol lives until its hook has returned, also when its connection ends meanwhile") {
    struct Nesting final : ropewalk::Protocol, ropewalk::IHalfCloseableProtocol {
        Nesting(World& theWorld, std::weak_ptr<ropewalk::Transport>& theMade)
            : world(theWorld), made(theMade) {}
        ~Nesting() override { alive = false; }
        void nest() {
            transport->loseConnection();
            for (int i = 0; i < 4; ++i) {
                world.reactor().iterate();
            }
            CHECK_FALSE(transport->connected());
            CHECK(alive);
        }
        void readConnectionLost() override {}
        void writeConnectionLost() override { nest(); }
        void connectionMade() override { made = transport; }
        World& world;
        std::weak_ptr<ropewalk::Transport>& made;
        bool alive = true;
    };
    struct NestingFactory final : ropewalk::Factory {
        explicit NestingFactory(World& theWorld) : world(theWorld) {}
        std::shared_ptr<ropewalk::Protocol> buildProtocol(const ropewalk::Address&) override {
            return std::make_shared<Nesting>(world, transport);
        }
        World& world;
        std::weak_ptr<ropewalk::Transport> transport;
    };
    World world(std::make_unique<MemoryNetwork>());
    auto& network = static_cast<MemoryNetwork&>(world.reactor().driver());
    const auto factory = std::make_shared<NestingFactory>(world);
    factory->noisy = false;
    world.reactor().listenTCP(80, factory, {.interface = "192.0.2.1"});
    network.soon([&] { network.accept(); });
    world.reactor().iterate();
    factory->transport.lock()->loseWriteConnection();
    world.reactor().iterate();
    CHECK(network.streams[0]->closed);
    CHECK(factory->transport.expired());
}
