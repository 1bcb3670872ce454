#include <support/memory_network.hpp>
#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>

#include <ropewalk/reactor/write_queue.hpp>

using namespace std::chrono_literals;
using tcp::Peer;
using tcp::World;

namespace {

struct Memory : World {
    Memory() : World(std::make_unique<MemoryNetwork>()) {
        port = reactor().listenTCP(80, serverFactory(), {.interface = "192.0.2.1"});
        network().soon([this] { network().accept(); });
        turn();
        turn();
    }
    MemoryNetwork& network() { return static_cast<MemoryNetwork&>(reactor().driver()); }
    MemoryStream& stream() { return *network().streams.front(); }
    ropewalk::Transport& transport() { return *server.peers.front()->transport; }
    void turn() { reactor().iterate(); }
};

} // namespace

TEST_CASE("the small writes of one turn leave in one system call, in order") {
    Memory world;
    std::string expected;
    for (int i = 0; i < 1000; ++i) {
        const std::string piece = std::to_string(i) + ",";
        expected += piece;
        world.transport().write(piece);
    }
    CHECK(world.stream().tryWrites == 0);
    CHECK(world.transport().writeBufferSize() == expected.size());
    world.turn();
    CHECK(world.stream().sent == expected);
    CHECK(world.stream().tryWrites == 1);
    CHECK(world.stream().writes == 0);
    CHECK(world.transport().writeBufferSize() == 0);
    world.turn();
    CHECK(world.stream().tryWrites == 1);
}

TEST_CASE("a single small write is one system call, as are those of the next turn") {
    Memory world;
    world.transport().write("a");
    world.turn();
    CHECK(world.stream().tryWrites == 1);
    world.transport().writeSequence({"b", "c", "d"});
    world.transport().write(std::string(5000, 'e'));
    world.turn();
    CHECK(world.stream().tryWrites == 2);
    CHECK(world.stream().sent == "abcd" + std::string(5000, 'e'));
}

TEST_CASE("a large string that is moved in is sent from where it is, together with what is around it") {
    Memory world;
    std::string large(100000, 'l');
    const char* const where = large.data();
    world.transport().write("before ");
    world.transport().write(std::move(large));
    world.transport().write(" after");
    world.turn();
    CHECK(world.stream().tryWrites == 1);
    CHECK(world.stream().mostParts == 3);
    CHECK(world.stream().addresses.at(1) == where);
    CHECK(world.stream().sent == "before " + std::string(100000, 'l') + " after");
}

TEST_CASE("of strings that are moved in, the first is sent from where it is, the rest is put together") {
    Memory world;
    std::string expected;
    const char* where = nullptr;
    for (int i = 0; i < 60; ++i) {
        std::string piece(300, static_cast<char>('a' + i % 26));
        expected += piece;
        where = i == 0 ? piece.data() : where;
        world.transport().write(std::move(piece));
    }
    world.turn();
    CHECK(world.stream().tryWrites == 1);
    CHECK(world.stream().addresses.at(0) == where);
    CHECK((world.stream().sent == expected));
}

TEST_CASE("the memory of a string that was sent is for a later writer") {
    Memory world;
    std::string first(1000, 'a');
    const char* const where = first.data();
    world.transport().write(std::move(first));
    world.turn();
    std::string second(1000, 'b');
    world.transport().write(std::move(second));
    second.resize(1000, 'c'); // NOLINT(bugprone-use-after-move): it is valid, and empty
    CHECK(second == std::string(1000, 'c'));
    CHECK(second.data() == where);
    world.turn();
    CHECK(world.stream().sent == std::string(1000, 'a') + std::string(1000, 'b'));
}

TEST_CASE("a large view is not copied as long as the system takes it") {
    Memory world;
    const std::string large(100000, 'l');
    world.transport().write(large);
    CHECK(world.stream().tryWrites == 1);
    CHECK(world.stream().addresses.at(0) == large.data());
    CHECK(world.transport().writeBufferSize() == 0);
    world.stream().room = 99000;
    world.transport().write(large);
    CHECK(world.transport().writeBufferSize() == 1000);
    world.turn();
    CHECK(world.stream().writing());
    world.network().soon([&] { world.stream().take(MemoryStream::all); });
    world.turn();
    CHECK(world.stream().sent == std::string(200000, 'l'));
}

TEST_CASE("a large view doesn't overtake what was written before it") {
    Memory world;
    world.transport().write("first ");
    world.transport().write(std::string_view(std::string(50000, 'x')));
    world.turn();
    CHECK(world.stream().sent == "first " + std::string(50000, 'x'));
}

TEST_CASE("more pieces than fit into one system call leave in a few") {
    Memory world;
    std::string expected;
    for (int i = 0; i < 100; ++i) {
        std::string piece(3000, static_cast<char>('a' + i % 26));
        expected += piece;
        world.transport().write(std::move(piece));
    }
    world.turn();
    CHECK((world.stream().sent == expected));
    CHECK(world.stream().tryWrites == 7);
    CHECK(world.stream().writes == 0);
}

TEST_CASE("when the system takes no more, the rest is one write, and what follows is collected") {
    Memory world;
    world.stream().room = 0;
    world.transport().write("abc");
    world.turn();
    CHECK(world.stream().writes == 1);
    const int tries = world.stream().tryWrites;
    for (int i = 0; i < 10; ++i) {
        world.transport().write("def");
        world.turn();
    }
    CHECK(world.stream().writes == 1);
    CHECK(world.stream().tryWrites == tries);
    world.stream().room = MemoryStream::all;
    world.network().soon([&] { world.stream().take(MemoryStream::all); });
    world.turn();
    CHECK(world.stream().tryWrites == tries + 1);
    CHECK(world.stream().sent == "abcdefdefdefdefdefdefdefdefdefdef");
}

TEST_CASE("what is written while sending is told leaves in the next turn") {
    Memory world;
    const auto producer = std::make_shared<tcp::TestProducer>();
    int left = 3;
    producer->resumed = [&](tcp::TestProducer&) {
        if (left-- > 0) {
            world.transport().write("x");
        }
    };
    world.transport().registerProducer(producer, false);
    for (int i = 0; i < 5; ++i) {
        world.turn();
    }
    CHECK(world.stream().sent == "xxx");
    CHECK(world.stream().tryWrites == 3);
    world.transport().unregisterProducer();
}

TEST_CASE("a queue's parts and sizes stay true whatever is taken away") {
    ropewalk::detail::WriteBlocks blocks;
    for (std::size_t step = 1; step < 9000; step = step * 2 + 1) {
        ropewalk::detail::WriteQueue queue(blocks);
        std::string expected;
        for (const std::size_t size : {1U, 1983U, 1U, 0U, 1984U, 1985U, 4000U, 3U, 2000U, 7U}) {
            const std::string piece(size, static_cast<char>('a' + size % 26));
            expected += piece;
            if (size % 2 == 0) {
                queue.append(std::string_view(piece));
            } else {
                queue.append(std::string(piece));
            }
        }
        std::string seen;
        while (queue.size() != 0) {
            CHECK(queue.size() == expected.size() - seen.size());
            std::string_view parts[2];
            const std::size_t count = queue.front(parts);
            REQUIRE(count > 0);
            std::string joined;
            for (std::size_t i = 0; i < count; ++i) {
                CHECK_FALSE(parts[i].empty());
                joined += parts[i];
            }
            const std::size_t now = std::min(step, joined.size());
            seen += joined.substr(0, now);
            queue.remove(now);
        }
        CHECK((seen == expected));
    }
}
