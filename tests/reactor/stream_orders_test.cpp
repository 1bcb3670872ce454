#include <support/memory_network.hpp>
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

/// A server whose one connection has the test at its other end.
struct Memory : World {
    Memory() : World(std::make_unique<MemoryNetwork>()) {
        server.halfCloseable = true;
        port = reactor().listenTCP(80, serverFactory(), {.interface = "192.0.2.1"});
    }
    MemoryNetwork& network() { return static_cast<MemoryNetwork&>(reactor().driver()); }
    MemoryStream& stream() { return *network().streams.front(); }
    Peer& peer() { return *server.peers.front(); }
    /// Lets something happen as an event, and then some turns.
    void event(std::function<void()> happens, int turns = 3) {
        network().soon(std::move(happens));
        for (int i = 0; i < turns; ++i) {
            reactor().iterate();
        }
    }
    void accept() {
        event([this] { network().accept(); });
    }
    void checkEnd(const std::string& how) {
        CHECK(server.losses == 1);
        CHECK(count("server connectionLost " + how) == 1);
        CHECK(stream().closed);
        CHECK_FALSE(stream().misused);
        CHECK_FALSE(peer().transport->connected());
        CHECK(peer().transport->writeBufferSize() == 0);
    }
};

std::string text(std::size_t size) {
    std::string made(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        made[i] = static_cast<char>('a' + i % 26);
    }
    return made;
}

} // namespace

TEST_CASE("a partial write at every byte: all arrives, in order") {
    const std::string all = text(4500);
    for (std::size_t first = 0; first <= all.size(); first += first < 10 ? 1 : 97) {
        Memory world;
        world.server.made = [&](Peer& self) {
            self.transport->write(all.substr(0, 10));
            self.transport->write(all.substr(10, 2500));
            self.transport->write(all.substr(2510, 1));
            self.transport->write(std::string_view(all).substr(2511));
            self.transport->loseConnection();
        };
        world.network().soon([&] {
            world.network().accept();
            world.stream().room = first;
        });
        world.reactor().iterate();
        world.reactor().iterate();
        CHECK(world.stream().sent.size() == first);
        while (world.stream().writing()) {
            world.event([&] { world.stream().take(first % 7 + 1 + first); });
        }
        CHECK((world.stream().sent == all));
        world.checkEnd("ConnectionDone");
    }
}

TEST_CASE("tryWrite that takes a byte or two at a time") {
    for (const std::size_t most : {1U, 2U, 1000U}) {
        Memory world;
        const std::string all = text(5000);
        world.server.made = [&](Peer& self) {
            self.transport->write(std::string_view(all).substr(0, 3000));
            self.transport->write(std::string_view(all).substr(3000));
            self.transport->loseConnection();
        };
        world.network().soon([&] {
            world.network().accept();
            world.stream().most = most;
        });
        for (int i = 0; i < 4; ++i) {
            world.reactor().iterate();
        }
        while (world.stream().writing()) {
            world.event([&] { world.stream().take(MemoryStream::all); });
        }
        CHECK((world.stream().sent == all));
        world.checkEnd("ConnectionDone");
    }
}

TEST_CASE("what is written while a write is under way follows it") {
    Memory world;
    world.accept();
    world.stream().room = 3;
    world.peer().transport->write("abcdef");
    world.reactor().iterate();
    REQUIRE(world.stream().writing());
    world.peer().transport->write("ghi");
    world.peer().transport->write("jkl");
    world.peer().transport->write(std::string(20000, 'm'));
    world.reactor().iterate();
    CHECK(world.stream().sent == "abc");
    CHECK(world.peer().transport->writeBufferSize() == 20009);
    world.stream().room = MemoryStream::all;
    world.event([&] { world.stream().take(MemoryStream::all); });
    CHECK(world.stream().sent == "abcdefghijkl" + std::string(20000, 'm'));
    CHECK(world.peer().transport->writeBufferSize() == 0);
    CHECK_FALSE(world.stream().misused);
    CHECK(world.stream().writes == 1);
}

TEST_CASE("an error at tryWrite ends the connection once, not under the writer's feet") {
    for (const std::size_t size : {1U, 100000U}) {
        Memory world;
        world.accept();
        world.stream().brokenAtTry = std::make_error_code(std::errc::broken_pipe);
        world.peer().transport->write(std::string_view(text(size)));
        world.peer().transport->write("more");
        world.peer().transport->write("more");
        CHECK(world.server.losses == 0);
        CHECK(world.peer().transport->connected());
        for (int i = 0; i < 3; ++i) {
            world.reactor().iterate();
        }
        world.checkEnd("ConnectionLost");
        CHECK(world.peer().reason->check<ropewalk::ConnectionLost>()->code() == std::errc::broken_pipe);
    }
}

TEST_CASE("an error of a write, or one that can't begin, ends the connection") {
    Memory world;
    world.accept();
    world.stream().room = 0;
    SUBCASE("it fails") {
        world.peer().transport->write("abc");
        world.reactor().iterate();
        world.peer().transport->write("def");
        world.event([&] { world.stream().failWrite(std::errc::connection_reset); });
        CHECK(world.peer().reason->check<ropewalk::ConnectionLost>()->code() == std::errc::connection_reset);
    }
    SUBCASE("it throws") {
        world.stream().refusesWrite = true;
        world.peer().transport->write("abc");
        world.reactor().iterate();
        world.reactor().iterate();
    }
    SUBCASE("it fails after loseConnection") {
        world.peer().transport->write("abc");
        world.peer().transport->loseConnection();
        world.reactor().iterate();
        world.event([&] { world.stream().failWrite(std::errc::connection_reset); });
    }
    world.checkEnd("ConnectionLost");
}

TEST_CASE("the end of what the peer sends, during a flush") {
    Memory world;
    world.accept();
    world.stream().room = 0;
    world.peer().transport->write("abc");
    SUBCASE("a half-closeable protocol goes on to send") {
        world.reactor().iterate();
        world.event([&] { world.stream().end(); });
        CHECK(world.count("server readConnectionLost") == 1);
        world.peer().transport->loseConnection();
        world.event([&] { world.stream().take(MemoryStream::all); });
        CHECK(world.stream().sent == "abc");
        world.checkEnd("ConnectionDone");
    }
    SUBCASE("the same with loseWriteConnection") {
        world.peer().transport->loseWriteConnection();
        world.reactor().iterate();
        world.event([&] { world.stream().end(); });
        CHECK_FALSE(world.stream().shutDown);
        world.event([&] { world.stream().take(MemoryStream::all); });
        CHECK(world.stream().shutDown);
        CHECK(world.count("server writeConnectionLost") == 1);
        world.checkEnd("ConnectionDone");
    }
    SUBCASE("an error and the end of a write in one turn") {
        world.reactor().iterate();
        world.event([&] {
            MemoryStream& stream = world.stream();
            stream.end(std::make_error_code(std::errc::connection_reset));
            CHECK(stream.listener == nullptr);
        });
        world.checkEnd("ConnectionLost");
    }
}

TEST_CASE("data, end and a failing write between two turns") {
    Memory world;
    world.accept();
    world.stream().room = 0;
    world.peer().transport->write("abc");
    world.reactor().iterate();
    world.event([&] {
        world.stream().read("x");
        world.stream().end();
        world.stream().failWrite(std::errc::broken_pipe);
    });
    CHECK(world.peer().received == "x");
    CHECK(world.count("server readConnectionLost") == 1);
    world.checkEnd("ConnectionLost");
}

TEST_CASE("abortConnection while a write is under way, or broken, is told as an abort") {
    Memory world;
    world.accept();
    world.stream().room = 0;
    world.peer().transport->write("abc");
    world.reactor().iterate();
    SUBCASE("the write goes on") {
        world.peer().transport->abortConnection();
    }
    SUBCASE("the write ends meanwhile") {
        world.event([&] {
            world.peer().transport->abortConnection();
            world.stream().take(MemoryStream::all);
        });
    }
    SUBCASE("the write fails meanwhile") {
        world.event([&] {
            world.peer().transport->abortConnection();
            world.stream().failWrite(std::errc::broken_pipe);
        });
    }
    for (int i = 0; i < 3; ++i) {
        world.reactor().iterate();
    }
    world.checkEnd("ConnectionAborted");
    CHECK(world.stream().reset);
}

TEST_CASE("a reset that comes between abortConnection and its turn is told once") {
    Memory world;
    world.accept();
    world.event([&] {
        world.peer().transport->abortConnection();
        world.stream().end(std::make_error_code(std::errc::connection_reset));
    });
    CHECK(world.server.losses == 1);
    CHECK(world.stream().closed);
}

TEST_CASE("a pull producer is resumed when the write is done, not before") {
    Memory world;
    world.accept();
    world.stream().room = 2;
    const auto producer = std::make_shared<TestProducer>();
    producer->resumed = [&](TestProducer&) { world.peer().transport->write("abcd"); };
    world.peer().transport->registerProducer(producer, false);
    for (int i = 0; i < 3; ++i) {
        world.reactor().iterate();
    }
    CHECK(producer->calls == Calls{"resume"});
    world.event([&] { world.stream().take(1); }, 1);
    CHECK(producer->calls == Calls{"resume"});
    world.event([&] { world.stream().take(1); }, 1);
    CHECK(producer->calls == Calls{"resume", "resume"});
    CHECK(world.stream().sent == "abcd");
    world.peer().transport->unregisterProducer();
    world.peer().transport->abortConnection();
    world.reactor().iterate();
    world.checkEnd("ConnectionAborted");
}

TEST_CASE("pauseProducing and resumeProducing of a transport start and stop its stream") {
    Memory world;
    world.accept();
    CHECK(world.stream().reading);
    const auto transport = world.peer().transport;
    transport->pauseProducing();
    transport->pauseProducing();
    CHECK_FALSE(world.stream().reading);
    transport->resumeProducing();
    CHECK(world.stream().reading);
    transport->loseConnection();
    CHECK_FALSE(world.stream().reading);
    transport->resumeProducing();
    CHECK_FALSE(world.stream().reading);
    world.reactor().iterate();
    world.checkEnd("ConnectionDone");
}

TEST_CASE("options reach the stream, and a closed transport has none") {
    Memory world;
    world.accept();
    const auto transport = world.peer().transport;
    CHECK_FALSE(transport->getTcpNoDelay());
    CHECK_FALSE(transport->getTcpKeepAlive());
    transport->setTcpNoDelay(true);
    CHECK(transport->getTcpNoDelay());
    CHECK_FALSE(transport->getTcpKeepAlive());
    transport->setTcpKeepAlive(true);
    CHECK(transport->getTcpKeepAlive());
    transport->loseConnection();
    world.reactor().iterate();
    transport->setTcpNoDelay(false);
    CHECK_FALSE(transport->getTcpNoDelay());
}
