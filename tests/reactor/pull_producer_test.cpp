#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include <ropewalk/defer/logged_errors.hpp>

using namespace std::chrono_literals;
using tcp::Calls;
using tcp::Peer;
using tcp::TestProducer;
using tcp::World;

namespace {

struct Pulling : World {
    std::shared_ptr<TestProducer> producer = std::make_shared<TestProducer>();
    int resumed() const { return static_cast<int>(producer->calls.size()); }
};

} // namespace

TEST_CASE("146.1, 146.2: a pull producer is resumed when it registers, and whenever all is sent") {
    Pulling world;
    world.client.made = [&](Peer& self) {
        const auto transport = self.transport;
        world.producer->resumed = [&, transport](TestProducer&) {
            CHECK(transport->writeBufferSize() == 0);
            transport->write(std::string(static_cast<std::size_t>(world.resumed()) * 1000, 'x'));
            if (world.resumed() == 50) {
                transport->unregisterProducer();
                transport->loseConnection();
            }
        };
        transport->registerProducer(world.producer, false);
        CHECK(world.resumed() == 1);
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.producer->calls == Calls(50, "resume"));
    CHECK(world.server.peers[0]->received.size() == 1000 * 50 * 51 / 2);
    world.producer->resumed = nullptr;
}

TEST_CASE("146.2: one drain is one resumeProducing, however many pieces it had") {
    Pulling world;
    world.client.made = [&](Peer& self) {
        const auto transport = self.transport;
        world.producer->resumed = [&, transport](TestProducer&) {
            if (world.resumed() == 3) {
                transport->unregisterProducer();
                transport->loseConnection();
                return;
            }
            for (int i = 0; i < 100; ++i) {
                transport->write(std::string(3000, 'x'));
            }
        };
        transport->registerProducer(world.producer, false);
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.resumed() == 3);
    CHECK(world.server.peers[0]->received.size() == 600000);
    world.producer->resumed = nullptr;
}

TEST_CASE("146.3: loseConnection waits until the pull producer unregisters") {
    Pulling world;
    world.client.made = [&](Peer& self) {
        const auto transport = self.transport;
        world.producer->resumed = [&, transport](TestProducer&) {
            transport->write("piece ");
            if (world.resumed() == 4) {
                transport->unregisterProducer();
            }
        };
        transport->registerProducer(world.producer, false);
        transport->loseConnection();
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.producer->calls == Calls(4, "resume"));
    CHECK(world.server.peers[0]->received == "piece piece piece piece ");
    CHECK(world.called("client connectionLost ConnectionDone"));
    world.producer->resumed = nullptr;
}

TEST_CASE("146.3: also when it unregisters out of the blue, with nothing to send") {
    Pulling world;
    world.client.made = [&](Peer& self) {
        self.transport->registerProducer(world.producer, false);
        self.transport->loseConnection();
        world.reactor().callLater(2ms, [&world, transport = self.transport] {
            CHECK(world.client.losses == 0);
            CHECK(transport->connected());
            transport->unregisterProducer();
        });
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.called("client connectionLost ConnectionDone"));
    CHECK(world.producer->calls == Calls{"resume"});
}

TEST_CASE("a pull producer is never paused") {
    Pulling world;
    world.client.made = [&](Peer& self) {
        const auto transport = self.transport;
        world.producer->resumed = [&, transport](TestProducer&) {
            transport->write(std::string(5000000, 'x'));
            transport->unregisterProducer();
            transport->loseConnection();
        };
        transport->registerProducer(world.producer, false);
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.producer->calls == Calls{"resume"});
    CHECK(world.server.peers[0]->received.size() == 5000000);
    world.producer->resumed = nullptr;
}

TEST_CASE("what resumeProducing throws is logged and closes the connection") {
    Pulling world;
    world.client.made = [&](Peer& self) {
        const auto transport = self.transport;
        world.producer->resumed = [&, transport](TestProducer&) {
            transport->write("x");
            if (world.resumed() == 2) {
                throw std::runtime_error("mine");
            }
        };
        transport->registerProducer(world.producer, false);
    };
    world.listenAndConnect();
    world.run();
    CHECK(ropewalk::defer::flushLoggedErrors<std::runtime_error>().size() == 1);
    CHECK(world.producer->calls == Calls{"resume", "resume", "stop"});
    CHECK(world.client.losses == 1);
    world.producer->resumed = nullptr;
}

TEST_CASE("the end of the connection stops a pull producer") {
    Pulling world;
    world.server.made = [](Peer& self) { self.transport->loseConnection(); };
    world.client.made = [&](Peer& self) { self.transport->registerProducer(world.producer, false); };
    world.listenAndConnect();
    world.run();
    CHECK(world.producer->calls == Calls{"resume", "stop"});
    CHECK(world.producer.use_count() == 1);
}
