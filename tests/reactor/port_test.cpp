#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;
using ropewalk::CannotListenError;
using tcp::Peer;
using tcp::World;

TEST_CASE("port 0 is any free one, which getHost tells") {
    World world;
    world.listen();
    const ropewalk::Address host = world.port->getHost();
    REQUIRE(host.as<ropewalk::IPv4Address>() != nullptr);
    CHECK(host.host() == "127.0.0.1");
    CHECK(host.port() > 0);
    CHECK(world.port->factory() == world.server.factoryItself.lock());
}

TEST_CASE("without an interface it listens on all of IPv4") {
    World world;
    world.port = world.reactor().listenTCP(0, world.serverFactory());
    CHECK(world.port->getHost().host() == "0.0.0.0");
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.connect();
    world.run();
    CHECK(world.called("server connectionMade"));
}

TEST_CASE("138.4: a port in use: CannotListenError out of listenTCP, with Twisted's words and the code") {
    World world;
    world.listen();
    const int taken = world.port->getHost().port();
    try {
        world.reactor().listenTCP(taken, world.clientFactory(), {.interface = "127.0.0.1"});
        FAIL("it is in use");
    } catch (const CannotListenError& error) {
        CHECK(std::string(error.what()) == "Couldn't listen on 127.0.0.1:" + std::to_string(taken) +
                                               ": [Errno 98] Address already in use.");
        CHECK(error.code() == std::errc::address_in_use);
        CHECK(error.socketError() == std::errc::address_in_use);
        CHECK(error.interface() == "127.0.0.1");
        CHECK(error.port() == taken);
    }
    CHECK_FALSE(world.called("client startFactory"));
    try {
        world.reactor().listenTCP(taken, world.clientFactory());
        FAIL("it is in use");
    } catch (const CannotListenError& error) {
        CHECK(std::string(error.what()).starts_with("Couldn't listen on any:"));
    }
}

TEST_CASE("an interface that isn't there, or none at all") {
    World world;
    for (const char* bad : {"192.0.2.77", "no address", "localhost"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(world.reactor().listenTCP(0, world.serverFactory(), {.interface = bad}),
                        CannotListenError);
    }
}

TEST_CASE("ports that there can't be are refused") {
    World world;
    for (const int bad : {-1, 65536}) {
        CHECK_THROWS_AS(world.reactor().listenTCP(bad, world.serverFactory()), ropewalk::ValueError);
        CHECK_THROWS_AS(world.reactor().connectTCP("127.0.0.1", bad, world.clientFactory()),
                        ropewalk::ValueError);
    }
    CHECK_THROWS_AS(world.reactor().listenTCP(0, nullptr), ropewalk::AssertionError);
    CHECK_THROWS_AS(world.reactor().connectTCP("127.0.0.1", 1, nullptr), ropewalk::AssertionError);
    CHECK(world.calls.empty());
}

TEST_CASE("IPv6, with addresses of both ends") {
    World world;
    const int probe = socket(AF_INET6, SOCK_STREAM, 0);
    sockaddr_in6 loopback = {};
    loopback.sin6_family = AF_INET6;
    loopback.sin6_addr = in6addr_loopback;
    const bool there =
        probe >= 0 && bind(probe, reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0;
    close(probe);
    if (!there) {
        MESSAGE("skipped: this machine has no ::1");
        return;
    }
    std::string interface = "::1";
    SUBCASE("plain") {}
    SUBCASE("with a scope") {
        interface = "::1%lo";
    }
    SUBCASE("all of them, IPv4 too") {
        interface = "::";
    }
    world.port = world.reactor().listenTCP(0, world.serverFactory(), {.interface = interface});
    const ropewalk::Address address = world.port->getHost();
    const auto* host = address.as<ropewalk::IPv6Address>();
    REQUIRE(host != nullptr);
    CHECK(host->host == (interface == "::" ? "::" : "::1"));
    world.client.made = [&](Peer& self) {
        const ropewalk::Address peerAddress = self.transport->getPeer();
        const auto* peer = peerAddress.as<ropewalk::IPv6Address>();
        REQUIRE(peer != nullptr);
        CHECK(peer->host == "::1");
        CHECK(peer->port == world.port->getHost().port());
        CHECK(self.transport->getHost().host() == "::1");
        self.transport->loseConnection();
    };
    world.reactor().connectTCP("::1", host->port, world.clientFactory());
    world.run();
    CHECK(world.server.peers.size() == 1);
}

TEST_CASE("stopListening: the socket is closed and the factory told when its Deferred fires") {
    World world;
    world.listen();
    const int number = world.port->getHost().port();
    bool fired = false;
    auto stopped = world.port->stopListening();
    CHECK_FALSE(stopped.called());
    CHECK_FALSE(world.called("server stopFactory"));
    stopped.addCallback([&] {
        fired = true;
        CHECK(world.called("server stopFactory"));
        CHECK_NOTHROW(world.reactor().listenTCP(number, world.clientFactory(), {.interface = "127.0.0.1"}));
        world.reactor().stop();
    });
    world.run();
    CHECK(fired);
    CHECK(world.port->getHost().port() == number);
}

TEST_CASE("stopListening twice is one, and on a port that doesn't listen fires at once") {
    World world;
    world.listen();
    auto first = world.port->stopListening();
    auto second = world.port->stopListening();
    CHECK(first == second);
    first.addCallback([&] {
        CHECK(world.port->stopListening().called());
        world.reactor().stop();
    });
    world.run();
    CHECK(world.count("server stopFactory") == 1);
}

TEST_CASE("connections that were made stay when the port stops") {
    World world;
    world.server.made = [&](Peer&) {
        world.port->stopListening().addCallback([&] { world.client.peers[0]->transport->write("still"); });
    };
    world.client.made = [](Peer&) {};
    world.server.data = [](Peer& self, std::string_view) {
        self.transport->write("here");
        self.transport->loseConnection();
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.server.peers[0]->received == "still");
    CHECK(world.client.peers[0]->received == "here");
}

TEST_CASE("startListening listens again, on the same port") {
    World world;
    world.listen();
    const int number = world.port->getHost().port();
    world.port->startListening();
    CHECK(world.count("server startFactory") == 1);
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.port->stopListening().addCallback([&] {
        world.port->startListening();
        CHECK(world.port->getHost().port() == number);
        CHECK(world.count("server startFactory") == 2);
        world.connect();
    });
    world.run();
    CHECK(world.server.peers.size() == 1);
}

TEST_CASE("a stopListening that the reactor's end overtook doesn't close what listens again") {
    World world;
    world.listen();
    world.reactor().callWhenRunning([&] {
        world.reactor().stop();
        world.reactor().addSystemEventTrigger("before", "shutdown", [&] { world.port->stopListening(); });
    });
    world.run();
    CHECK(world.count("server stopFactory") == 1);
    world.port->startListening();
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.reactor().callLater(5ms, [&] { world.connect(); });
    world.run();
    CHECK(world.server.peers.size() == 1);
}

TEST_CASE("the shutdown closes ports, and the next run doesn't have them") {
    World world;
    world.listen();
    world.stopAfter(1);
    world.run();
    CHECK(world.count("server stopFactory") == 1);
    CHECK(world.port->stopListening().called());
    world.connect();
    world.client.failed = [&](auto&&...) { world.reactor().stop(); };
    world.run();
    CHECK(world.called("client clientConnectionFailed ConnectionRefusedError"));
}

TEST_CASE("a paused port accepts when it resumes; connections wait in the backlog") {
    World world;
    world.listen();
    world.port->pauseProducing();
    world.connect();
    world.client.made = [&](Peer& self) {
        self.transport->write("hello");
        world.reactor().callLater(5ms, [&] {
            CHECK(world.server.peers.empty());
            world.port->resumeProducing();
        });
    };
    world.server.data = [](Peer& self, std::string_view) { self.transport->loseConnection(); };
    world.run();
    CHECK(world.server.peers[0]->received == "hello");
}

TEST_CASE("several ports share a number if all of them say so") {
    World world;
    world.port =
        world.reactor().listenTCP(0, world.serverFactory(), {.interface = "127.0.0.1", .reusePort = true});
    const int number = world.port->getHost().port();
    std::shared_ptr<ropewalk::Port> second;
    CHECK_NOTHROW(second = world.reactor().listenTCP(number, world.serverFactory(),
                                                     {.interface = "127.0.0.1", .reusePort = true}));
    CHECK_THROWS_AS(world.reactor().listenTCP(number, world.serverFactory(), {.interface = "127.0.0.1"}),
                    CannotListenError);
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.connect();
    world.run();
    CHECK(world.server.peers.size() == 1);
}

TEST_CASE("a port, its factory and its reactor: who keeps whom") {
    World world;
    world.listen();
    const std::weak_ptr<ropewalk::Port> watch = world.port;
    world.port.reset();
    REQUIRE_FALSE(watch.expired());
    CHECK_FALSE(world.server.factoryItself.expired());
    watch.lock()->stopListening();
    world.stopAfter(2);
    world.run();
    CHECK(watch.expired());
    CHECK(world.server.factoryItself.expired());
}

TEST_CASE("stopListening and stop from within buildProtocol and connectionMade") {
    World world;
    SUBCASE("stopListening in buildProtocol") {
        world.server.building = [&](const ropewalk::Address&) { world.port->stopListening(); };
        world.server.made = [](Peer& self) { self.transport->loseConnection(); };
    }
    SUBCASE("stopListening in connectionMade") {
        world.server.made = [&](Peer& self) {
            world.port->stopListening();
            self.transport->loseConnection();
        };
    }
    SUBCASE("stop in buildProtocol") {
        world.server.building = [&](const ropewalk::Address&) { world.reactor().stop(); };
        world.endsExpected = 99;
    }
    world.listenAndConnect();
    world.run();
    CHECK(world.server.losses == 1);
    CHECK(world.count("server stopFactory") == 1);
}
