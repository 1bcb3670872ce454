#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;
using tcp::Peer;
using tcp::World;

namespace {

/// A socket of the test's own.
struct Socket {
    explicit Socket(int family = AF_INET, int type = SOCK_STREAM) : number(socket(family, type, 0)) {}
    ~Socket() { close(number); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    bool isOpen() const { return fcntl(number, F_GETFD) >= 0; }
    void bindToLoopback() {
        sockaddr_in loopback = {};
        loopback.sin_family = AF_INET;
        loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(bind(number, reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0);
    }
    void connectTo(int port) {
        sockaddr_in to = {};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(port));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(connect(number, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    }
    int number;
};

} // namespace

TEST_CASE("adoptStreamPort listens on a copy of the descriptor") {
    World world;
    Socket own;
    own.bindToLoopback();
    REQUIRE(listen(own.number, 5) == 0);
    world.port = world.reactor().adoptStreamPort(own.number, AF_INET, world.serverFactory());
    CHECK(world.port->getHost().host() == "127.0.0.1");
    CHECK(world.port->getHost().port() > 0);
    CHECK(world.count("server startFactory") == 1);
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.connect();
    world.run();
    CHECK(world.server.peers.size() == 1);
    CHECK(own.isOpen());
}

TEST_CASE("an adopted port that stops and starts again listens on the same interface") {
    World world;
    auto own = std::make_unique<Socket>();
    own->bindToLoopback();
    REQUIRE(listen(own->number, 5) == 0);
    world.port = world.reactor().adoptStreamPort(own->number, AF_INET, world.serverFactory());
    own.reset();
    const ropewalk::Address before = world.port->getHost();
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.port->stopListening().addCallback([&] {
        world.port->startListening();
        CHECK(world.port->getHost() == before);
        world.connect();
    });
    world.run();
    CHECK(world.server.peers.size() == 1);
}

TEST_CASE("adoptStreamConnection makes a protocol at once, on a copy of the descriptor") {
    World world;
    world.listen();
    {
        Socket own;
        own.connectTo(world.port->getHost().port());
        world.client.made = [](Peer& self) {
            self.transport->write("adopted");
            self.transport->loseConnection();
        };
        const auto transport =
            world.reactor().adoptStreamConnection(own.number, AF_INET, world.clientFactory());
        REQUIRE(transport != nullptr);
        CHECK(world.called("client connectionMade"));
        CHECK(transport->getPeer() == world.port->getHost());
        CHECK(own.isOpen());
    }
    world.run();
    CHECK(world.server.peers[0]->received == "adopted");
    CHECK(world.called("client connectionLost ConnectionDone"));
    CHECK_FALSE(world.called("client clientConnectionLost ConnectionDone"));
}

TEST_CASE("a factory that makes no protocol for an adopted connection gives a null pointer") {
    World world;
    world.listen();
    Socket own;
    own.connectTo(world.port->getHost().port());
    world.client.refuses = true;
    CHECK(world.reactor().adoptStreamConnection(own.number, AF_INET, world.clientFactory()) == nullptr);
    CHECK(own.isOpen());
    world.client.refuses = false;
    world.client.building = [](const ropewalk::Address&) { throw std::runtime_error("mine"); };
    CHECK_THROWS_AS(world.reactor().adoptStreamConnection(own.number, AF_INET, world.clientFactory()),
                    std::runtime_error);
}

TEST_CASE("what can't be adopted") {
    World world;
    const Socket datagrams(AF_INET, SOCK_DGRAM);
    const Socket stream;
    const Socket local(AF_UNIX, SOCK_STREAM);
    auto& reactor = world.reactor();
    CHECK_THROWS_AS(reactor.adoptStreamPort(datagrams.number, AF_INET, world.serverFactory()),
                    ropewalk::UnsupportedSocketType);
    CHECK_THROWS_AS(reactor.adoptStreamPort(stream.number, AF_INET6, world.serverFactory()),
                    ropewalk::UnsupportedAddressFamily);
    CHECK_THROWS_AS(reactor.adoptStreamPort(local.number, AF_UNIX, world.serverFactory()),
                    ropewalk::UnsupportedAddressFamily);
    CHECK_THROWS_AS(reactor.adoptStreamPort(-1, AF_INET, world.serverFactory()), ropewalk::IOError);
    CHECK_THROWS_AS(reactor.adoptStreamConnection(datagrams.number, AF_INET, world.serverFactory()),
                    ropewalk::UnsupportedSocketType);
    CHECK_THROWS_AS(reactor.adoptStreamConnection(-1, AF_INET, world.serverFactory()), ropewalk::IOError);
    CHECK_THROWS_AS(reactor.adoptStreamPort(stream.number, AF_INET, nullptr), ropewalk::AssertionError);
    CHECK(world.calls.empty());
}

TEST_CASE("options reach a real socket") {
    World world;
    world.client.made = [](Peer& self) {
        CHECK_FALSE(self.transport->getTcpNoDelay());
        CHECK_FALSE(self.transport->getTcpKeepAlive());
        self.transport->setTcpNoDelay(true);
        CHECK(self.transport->getTcpNoDelay());
        CHECK_FALSE(self.transport->getTcpKeepAlive());
        self.transport->setTcpKeepAlive(true);
        self.transport->setTcpNoDelay(false);
        CHECK(self.transport->getTcpKeepAlive());
        CHECK_FALSE(self.transport->getTcpNoDelay());
        self.transport->loseConnection();
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.client.losses == 1);
}
