#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace std::chrono_literals;
using tcp::Peer;
using tcp::World;

namespace {

std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        text[i] = static_cast<char>(i * 31 + i / 256);
    }
    return text;
}

} // namespace

TEST_CASE("142.1, 142.2: 3 MB and a close arrive complete, in reads of 65536 bytes at most") {
    World world;
    const std::string much = pattern(3000000);
    SUBCASE("copied") {
        world.client.made = [&](Peer& self) {
            self.transport->write(much);
            self.transport->loseConnection();
        };
    }
    SUBCASE("moved") {
        world.client.made = [&](Peer& self) {
            self.transport->write(std::string(much));
            self.transport->loseConnection();
        };
    }
    SUBCASE("in many pieces of all sizes") {
        world.client.made = [&](Peer& self) {
            std::size_t at = 0;
            for (std::size_t size = 1; at < much.size(); size = size * 3 % 40009) {
                std::string piece = much.substr(at, size);
                at += piece.size();
                if (size % 2 == 0) {
                    self.transport->write(std::move(piece));
                } else {
                    self.transport->write(piece);
                }
            }
            self.transport->loseConnection();
        };
    }
    SUBCASE("from the server") {
        world.server.made = [&](Peer& self) {
            self.transport->writeSequence(
                {std::string_view(much).substr(0, 10), std::string_view(much).substr(10)});
            self.transport->loseConnection();
        };
    }
    world.listenAndConnect();
    world.run();
    const bool toClient = !world.client.peers[0]->received.empty();
    const Peer& reader = toClient ? *world.client.peers[0] : *world.server.peers[0];
    CHECK(reader.received.size() == much.size());
    CHECK((reader.received == much));
    CHECK(*std::ranges::max_element(reader.reads) <= 65536);
    CHECK(world.called("client connectionLost ConnectionDone"));
    CHECK(world.called("server connectionLost ConnectionDone"));
}

TEST_CASE("both directions at once, 20 MB each, back and forth") {
    World world;
    const std::string much = pattern(20000000);
    for (tcp::Side* side : {&world.server, &world.client}) {
        side->made = [&](Peer& self) {
            self.transport->setWriteLimit(much.size(), ropewalk::WriteLimit::report);
            self.transport->write(much);
        };
        side->data = [&](Peer& self, std::string_view) {
            if (self.received.size() == much.size()) {
                self.transport->write("!");
            } else if (self.received.size() == much.size() + 1) {
                self.transport->loseConnection();
            }
        };
    }
    world.listenAndConnect();
    world.run();
    CHECK((world.server.peers[0]->received.substr(0, much.size()) == much));
    CHECK((world.client.peers[0]->received.substr(0, much.size()) == much));
}

TEST_CASE("a connection that floods doesn't starve another") {
    World world;
    world.endsExpected = 4;
    int answered = 0;
    std::size_t flooded = 0;
    // The first client floods, the second one plays ping-pong.
    world.client.made = [&](Peer& self) {
        if (&self == world.client.peers[0].get()) {
            self.transport->write(std::string(65536, 'f'));
        } else {
            self.transport->write("p");
        }
    };
    world.server.data = [&](Peer& self, std::string_view data) {
        if (data[0] == 'f') {
            flooded += data.size();
            if (world.client.losses == 0) {
                world.client.peers[0]->transport->write(std::string(200000, 'f'));
            }
        } else {
            self.transport->write("q");
        }
    };
    world.client.data = [&](Peer& self, std::string_view) {
        if (++answered < 200) {
            self.transport->write("p");
        } else {
            self.transport->loseConnection();
            world.client.peers[0]->transport->abortConnection();
        }
    };
    world.listen();
    world.connect();
    world.connect();
    world.run();
    CHECK(answered == 200);
    CHECK(flooded < 200u * 1000 * 1000);
}

TEST_CASE("writeSequence takes ranges of anything that is a string") {
    World world;
    world.client.made = [](Peer& self) {
        self.transport->writeSequence(std::vector<std::string>{"a", "", "b"});
        self.transport->writeSequence({"c", "d"});
        const char* const plain[] = {"e", "f"};
        self.transport->writeSequence(plain);
        self.transport->writeSequence(std::vector<std::string_view>{});
        self.transport->write("");
        self.transport->write(std::string());
        self.transport->write(std::string_view());
        self.transport->write(std::string_view("g\0h", 3));
        self.transport->loseConnection();
    };
    world.listenAndConnect();
    world.run();
    CHECK(world.server.peers[0]->received == std::string("abcdefg\0h", 9));
}

TEST_CASE("a peer that closes while much waits to be sent loses us the rest") {
    World world;
    world.client.made = [](Peer& self) { self.transport->write(std::string(10000000, 'x')); };
    world.server.data = [](Peer& self, std::string_view) { self.transport->loseConnection(); };
    world.listenAndConnect();
    world.run();
    CHECK(world.client.losses == 1);
    CHECK(world.client.peers[0]->transport->writeBufferSize() == 0);
    CHECK(world.client.peers[0]->reason->check<ropewalk::ConnectionClosed>() != nullptr);
}

TEST_CASE("of two connections that both have much to be read, each is read in turn") {
    World world;
    world.endsExpected = 4;
    std::string order;
    world.client.made = [](Peer& self) { self.transport->pauseProducing(); };
    world.server.made = [](Peer& self) {
        self.transport->write(std::string(1000000, 'x'));
        self.transport->loseConnection();
    };
    world.client.data = [&](Peer& self, std::string_view) {
        order += &self == world.client.peers[0].get() ? 'a' : 'b';
    };
    world.listen();
    world.connect();
    world.connect();
    world.reactor().callLater(20ms, [&] {
        REQUIRE(world.client.peers.size() == 2);
        for (const auto& peer : world.client.peers) {
            peer->transport->resumeProducing();
        }
    });
    world.run();
    REQUIRE(order.size() > 8);
    CHECK(order.substr(0, 8).find("aaa") == std::string::npos);
    CHECK(order.substr(0, 8).find("bbb") == std::string::npos);
    CHECK(world.client.peers[0]->received.size() + world.client.peers[1]->received.size() == 2000000);
}
