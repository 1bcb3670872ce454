#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <ropewalk/defer/log.hpp>
#include <support/memory_network.hpp>

using namespace std::chrono_literals;
using ropewalk::WriteLimit;
using ropewalk::log::LogEvent;
using ropewalk::log::LogLevel;
using tcp::Peer;
using tcp::World;

namespace {

constexpr std::size_t mebibyte = 1 << 20;

/// A server's connection whose peer takes nothing until it is told to.
struct Stuck : World {
    Stuck() : World(std::make_unique<MemoryNetwork>()) {
        endsExpected = 99;
        port = reactor().listenTCP(80, serverFactory(), {.interface = "192.0.2.1"});
        event([this] { network().accept(); });
        stream().room = 0;
    }
    MemoryNetwork& network() { return static_cast<MemoryNetwork&>(reactor().driver()); }
    MemoryStream& stream() { return *network().streams.front(); }
    ropewalk::Transport& transport() { return *server.peers.front()->transport; }
    void event(std::function<void()> happens) {
        network().soon(std::move(happens));
        reactor().iterate();
        reactor().iterate();
    }
    void takeAll() {
        reactor().iterate();
        stream().room = MemoryStream::all;
        event([this] { stream().take(MemoryStream::all); });
        stream().room = 0;
    }

    std::vector<std::string> warnings;
    ropewalk::log::ScopedObserver<std::function<void(const LogEvent&)>> watch{[this](const LogEvent& event) {
        if (event.level == LogLevel::warn) {
            warnings.emplace_back(event.text);
        }
    }};
};

} // namespace

TEST_CASE("more than 16 MiB that wait are reported once, and sent all the same") {
    Stuck world;
    const std::string block(mebibyte, 'x');
    for (int i = 0; i < 16; ++i) {
        world.transport().write(std::string(block));
    }
    CHECK(world.transport().writeBufferSize() == 16 * mebibyte);
    CHECK(world.warnings.empty());
    world.transport().write("x");
    REQUIRE(world.warnings.size() == 1);
    CHECK(world.warnings[0].find("192.0.2.2") != std::string::npos);
    CHECK(world.warnings[0].find("16777216") != std::string::npos);
    for (int i = 0; i < 5; ++i) {
        world.transport().write(block);
        world.transport().write("y");
    }
    CHECK(world.warnings.size() == 1);
    CHECK(world.stream().reading);
    world.takeAll();
    CHECK(world.stream().sent.size() == 21 * mebibyte + 6);
    CHECK(world.transport().connected());
    world.transport().write(std::string(17 * mebibyte, 'z'));
    CHECK(world.warnings.size() == 2);
}

TEST_CASE("small writes are counted, too") {
    Stuck world;
    world.transport().setWriteLimit(1000, WriteLimit::report);
    for (int i = 0; i < 100; ++i) {
        world.transport().write("0123456789");
    }
    CHECK(world.warnings.empty());
    world.transport().write("!");
    CHECK(world.warnings.size() == 1);
    CHECK(world.transport().writeBufferSize() == 1001);
}

TEST_CASE("the policy pauseReading pauses until all is sent") {
    Stuck world;
    world.transport().setWriteLimit(100, WriteLimit::pauseReading);
    world.transport().write(std::string(100, 'x'));
    CHECK(world.stream().reading);
    world.transport().write("x");
    CHECK_FALSE(world.stream().reading);
    CHECK(world.warnings.empty());
    world.transport().resumeProducing();
    CHECK_FALSE(world.stream().reading);
    world.reactor().iterate();
    world.event([&] { world.stream().take(50); });
    CHECK_FALSE(world.stream().reading);
    world.takeAll();
    CHECK(world.stream().reading);
    world.transport().pauseProducing();
    world.transport().write(std::string(200, 'x'));
    world.takeAll();
    CHECK_FALSE(world.stream().reading);
    world.transport().resumeProducing();
    CHECK(world.stream().reading);
}

TEST_CASE("the policy close aborts, after the write") {
    Stuck world;
    world.transport().setWriteLimit(100, WriteLimit::close);
    world.transport().write(std::string(100, 'x'));
    CHECK_FALSE(world.transport().disconnecting());
    world.transport().write("x");
    world.transport().write("y");
    CHECK(world.transport().disconnecting());
    CHECK(world.server.losses == 0);
    world.reactor().iterate();
    CHECK(world.called("server connectionLost ConnectionAborted"));
    CHECK(world.stream().reset);
}

TEST_CASE("setWriteLimit looks at what waits already") {
    Stuck world;
    world.transport().write(std::string(1000, 'x'));
    SUBCASE("report") {
        world.transport().setWriteLimit(999, WriteLimit::report);
        CHECK(world.warnings.size() == 1);
    }
    SUBCASE("pauseReading, and back") {
        world.transport().setWriteLimit(999, WriteLimit::pauseReading);
        CHECK_FALSE(world.stream().reading);
        world.transport().setWriteLimit(1000, WriteLimit::pauseReading);
        CHECK(world.stream().reading);
        world.transport().setWriteLimit(999, WriteLimit::pauseReading);
        world.transport().setWriteLimit(999, WriteLimit::report);
        CHECK(world.stream().reading);
    }
    SUBCASE("close") {
        world.transport().setWriteLimit(999, WriteLimit::close);
        CHECK(world.transport().disconnecting());
    }
}

TEST_CASE("a transport with a producer has no limit but the producer's") {
    Stuck world;
    const auto producer = std::make_shared<tcp::TestProducer>();
    world.transport().setWriteLimit(100, WriteLimit::close);
    world.transport().registerProducer(producer, true);
    world.transport().write(std::string(70000, 'x'));
    CHECK(producer->calls == tcp::Calls{"pause"});
    CHECK_FALSE(world.transport().disconnecting());
}

TEST_CASE("an observer of the warning may write: nothing is lost") {
    Stuck world;
    world.transport().setWriteLimit(10, WriteLimit::report);
    const ropewalk::log::ScopedObserver writes([&](const LogEvent& event) {
        if (event.level == LogLevel::warn) {
            for (const char* piece : {"a", "b", "c", "d"}) {
                world.transport().write(piece);
            }
        }
    });
    world.transport().write("01234");
    world.transport().write("56789!");
    world.transport().write("e");
    CHECK(world.transport().writeBufferSize() == 16);
    world.takeAll();
    CHECK(world.stream().sent == "0123456789!abcde");
}

TEST_CASE("a peer on a real socket that never reads: the limit closes it") {
    World world;
    world.server.made = [](Peer& self) { self.transport->pauseProducing(); };
    int writes = 0;
    world.client.made = [&](Peer& self) {
        self.transport->setWriteLimit(4 * mebibyte, WriteLimit::close);
        const auto more = std::make_shared<std::function<void()>>();
        *more = [&, transport = self.transport, weak = std::weak_ptr(more)] {
            if (transport->connected()) {
                ++writes;
                transport->write(std::string(mebibyte, 'x'));
                if (const auto again = weak.lock()) {
                    world.reactor().callLater(0s, [again] { (*again)(); });
                }
            }
        };
        (*more)();
    };
    world.client.lost = [&](Peer&) { world.server.peers[0]->transport->resumeProducing(); };
    world.listenAndConnect();
    world.run();
    CHECK(world.called("client connectionLost ConnectionAborted"));
    CHECK(writes >= 5);
    CHECK(writes < 100);
}
