#include <ropewalk/reactor/connection.hpp>

#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include <ropewalk/defer/logged_errors.hpp>

using namespace std::chrono_literals;
using ropewalk::Connection;
using ropewalk::defer::Deferred;
using tcp::Peer;
using tcp::World;

namespace {

/// A server in the awaited style, against a `Peer` that is the client.
struct Serving : World {
    void serve(std::function<Deferred<void>(Connection)> program) {
        endsExpected = 1;
        port = reactor().listenTCP(0, ropewalk::serve(std::move(program)), {.interface = "127.0.0.1"});
        connect();
        run();
    }
    Deferred<void> turns(int count) {
        for (int i = 0; i < count; ++i) {
            Deferred<void> turn;
            reactor().callLater(1ms, [turn] { turn.callback(); });
            co_await turn;
        }
    }
};

} // namespace

TEST_CASE("a server's coroutine that is through closes its connection, when all is sent") {
    Serving world;
    world.serve([](Connection peer) -> Deferred<void> {
        static_cast<void>(peer.write(std::string(1000000, 'x')));
        co_return;
    });
    CHECK(world.client.peers[0]->received.size() == 1000000);
    CHECK(world.called("client connectionLost ConnectionDone"));
}

TEST_CASE("what a server throws is logged and closes its connection: from a coroutine or not") {
    Serving world;
    SUBCASE("at once") {
        world.serve([](Connection) -> Deferred<void> {
            throw std::runtime_error("mine");
            co_return;
        });
    }
    SUBCASE("later") {
        world.client.made = [](Peer& self) { self.transport->write("x"); };
        world.serve([](Connection peer) -> Deferred<void> {
            co_await peer.read();
            throw std::runtime_error("mine");
        });
    }
    SUBCASE("by a plain function") {
        world.serve([](Connection) -> Deferred<void> { throw std::runtime_error("mine"); });
    }
    SUBCASE("by an empty Deferred") {
        world.serve([](Connection) { return Deferred<void>(nullptr); });
        CHECK(ropewalk::defer::flushLoggedErrors().size() == 1);
        return;
    }
    CHECK(ropewalk::defer::flushLoggedErrors<std::runtime_error>().size() == 1);
    CHECK(world.client.losses == 1);
}

TEST_CASE("a server that loses its connection while it reads isn't an error in the log") {
    Serving world;
    std::string how;
    world.client.made = [](Peer& self) { self.transport->abortConnection(); };
    world.serve([&](Connection peer) -> Deferred<void> {
        world.endsExpected = 2;
        struct Ended {
            World& world;
            ~Ended() { world.ended(); }
        } const ended{world};
        co_await peer.read();
    });
    CHECK(world.client.losses == 1);
}

TEST_CASE("a read of a connection that breaks fails with ConnectionLost, after what had come") {
    Serving world;
    std::string got;
    bool lost = false;
    bool again = false;
    world.client.made = [&](Peer& self) {
        self.transport->write("last words");
        world.reactor().callLater(2ms, [transport = self.transport] { transport->abortConnection(); });
    };
    world.serve([&](Connection peer) -> Deferred<void> {
        world.endsExpected = 2;
        co_await world.turns(6);
        got = co_await peer.read();
        try {
            co_await peer.read();
        } catch (const ropewalk::ConnectionLost&) {
            lost = true;
        }
        try {
            co_await peer.readLine();
        } catch (const ropewalk::ConnectionLost&) {
            again = true;
        }
        world.ended();
    });
    CHECK(got == "last words");
    CHECK(lost);
    CHECK(again);
}

TEST_CASE("the last handle closes; copies are one connection") {
    Serving world;
    std::optional<Connection> kept;
    world.client.data = [&](Peer&, std::string_view) { kept.reset(); };
    world.serve([&](Connection peer) -> Deferred<void> {
        kept = peer;
        Connection copy = peer;
        static_cast<void>(copy.write("x"));
        co_return;
    });
    CHECK(world.called("client connectionLost ConnectionDone"));
}

TEST_CASE("a handle that is assigned to, or moved, is counted once") {
    Serving world;
    std::optional<Connection> first;
    world.serve([&](Connection peer) -> Deferred<void> {
        Connection other = peer;
        other = peer;
        Connection moved = std::move(other);
        other = std::move(moved);
        CHECK(other.transport()->disconnecting() == false);
        first = std::move(peer);
        first = other;
        first.reset();
        CHECK(other.transport()->disconnecting() == false);
        const std::shared_ptr<ropewalk::Transport> transport = other.transport();
        moved = std::move(other);
        CHECK(transport->disconnecting() == false);
        { const Connection last = std::move(moved); }
        CHECK(transport->disconnecting());
        co_return;
    });
}

TEST_CASE("a connection whose last handle goes in the callback that got it") {
    Serving world;
    SUBCASE("with the server function") {
        world.serve([](Connection) { return ropewalk::defer::succeed(); });
    }
    SUBCASE("with the Deferred of connect, which nobody looks at") {
        world.listen();
        world.endsExpected = 1;
        ropewalk::connect(world.reactor(), "127.0.0.1", world.port->getHost().port());
        world.run();
        CHECK(world.called("server connectionLost ConnectionDone"));
        return;
    }
    CHECK(world.called("client connectionLost ConnectionDone"));
}

TEST_CASE(
    "close sends everything and fires when the connection is closed; so do a second one and a late one") {
    Serving world;
    int fired = 0;
    world.serve([&](Connection peer) -> Deferred<void> {
        world.endsExpected = 2;
        static_cast<void>(peer.write(std::string(3000000, 'x')));
        const Deferred<void> first = peer.close();
        const Deferred<void> second = peer.close();
        CHECK_FALSE(first.called());
        co_await first;
        ++fired;
        co_await second;
        ++fired;
        CHECK_FALSE(peer.transport()->connected());
        co_await peer.close();
        ++fired;
        world.ended();
    });
    CHECK(fired == 3);
    CHECK(world.client.peers[0]->received.size() == 3000000);
}

TEST_CASE("close while a read waits: the read sees the end") {
    Serving world;
    std::string got = "nothing";
    world.serve([&](Connection peer) -> Deferred<void> {
        world.endsExpected = 2;
        const Deferred<std::string> reading = peer.read();
        co_await peer.close();
        got = co_await reading;
        world.ended();
    });
    CHECK(got.empty());
}

TEST_CASE("abort closes at once: waiting reads and writes fail with ConnectionAborted") {
    Serving world;
    world.client.made = [](Peer& self) { self.transport->pauseProducing(); };
    int failed = 0;
    world.serve([&](Connection peer) -> Deferred<void> {
        world.endsExpected = 2;
        const Deferred<std::string> reading = peer.read();
        const Deferred<void> writing = peer.write(std::string(20000000, 'x')).deferred();
        CHECK_FALSE(writing.called());
        world.reactor().callLater(5ms, [&] { world.client.peers[0]->transport->resumeProducing(); });
        peer.abort();
        try {
            co_await reading;
        } catch (const ropewalk::ConnectionAborted&) {
            ++failed;
        }
        try {
            co_await writing;
        } catch (const ropewalk::ConnectionAborted&) {
            ++failed;
        }
        world.ended();
    });
    CHECK(failed == 2);
    CHECK(world.called("client connectionLost ConnectionLost"));
    ropewalk::defer::flushLoggedErrors();
}

TEST_CASE("a write that is awaited after the loss fails") {
    Serving world;
    bool failed = false;
    world.client.made = [](Peer& self) { self.transport->loseConnection(); };
    world.serve([&](Connection peer) -> Deferred<void> {
        world.endsExpected = 2;
        const std::string end = co_await peer.read();
        CHECK(end.empty());
        co_await peer.close();
        try {
            co_await peer.write("unheard");
        } catch (const ropewalk::ConnectionDone&) {
            failed = true;
        }
        world.ended();
    });
    CHECK(failed);
}

TEST_CASE("a write that waits fails when the connection breaks") {
    Serving world;
    bool failed = false;
    world.client.made = [](Peer& self) { self.transport->pauseProducing(); };
    world.serve([&](Connection peer) -> Deferred<void> {
        world.endsExpected = 2;
        world.reactor().callLater(2ms, [&] { world.client.peers[0]->transport->abortConnection(); });
        try {
            co_await peer.write(std::string(20000000, 'x'));
        } catch (const ropewalk::ConnectionLost&) {
            failed = true;
        }
        world.ended();
    });
    CHECK(failed);
}

TEST_CASE("stop while coroutines wait on connections fails them, and nothing is left") {
    Serving world;
    int ended = 0;
    world.client.made = [&](Peer&) { world.reactor().callLater(2ms, [&] { world.reactor().stop(); }); };
    world.serve([&](Connection peer) -> Deferred<void> {
        try {
            co_await peer.read();
        } catch (const ropewalk::ConnectionLost&) {
            ++ended;
        }
    });
    CHECK(ended == 1);
}

TEST_CASE("handles outlive their reactor and do nothing") {
    auto world = std::make_unique<Serving>();
    std::optional<Connection> kept;
    world->client.made = [&](Peer&) { world->reactor().callLater(2ms, [&] { world->reactor().crash(); }); };
    world->serve([&](Connection peer) -> Deferred<void> {
        kept = peer;
        co_await peer.read();
    });
    REQUIRE(kept.has_value());
    world->owned.reset();
    ropewalk::defer::flushLoggedErrors();
    static_cast<void>(kept->write("x"));
    kept->endWriting();
    kept->abort();
    CHECK_FALSE(kept->transport()->connected());
    static_cast<void>(kept->getHost());
    CHECK(kept->getPeer().host() == "127.0.0.1");
    kept.reset();
}

TEST_CASE("a write that nobody awaits doesn't tell of a loss, before or afterwards") {
    Serving world;
    bool lost = false;
    bool callbackFailed = false;
    world.client.made = [](Peer& self) { self.transport->pauseProducing(); };
    world.serve([&](Connection peer) -> Deferred<void> {
        world.endsExpected = 2;
        world.reactor().callLater(2ms, [&] { world.client.peers[0]->transport->abortConnection(); });
        peer.write(std::string(20000000, 'x'));
        peer.write("and more");
        peer.write("wanted").addErrback([&](const ropewalk::Failure&) { callbackFailed = true; });
        try {
            co_await peer.read();
        } catch (const ropewalk::ConnectionLost&) {
            lost = true;
        }
        peer.write("too late");
        world.ended();
    });
    CHECK(lost);
    CHECK(callbackFailed);
    CHECK(ropewalk::defer::flushLoggedErrors().empty());
}

TEST_CASE(
    "a server's function lives as long as its coroutines, though connection, port and factory are gone") {
    Serving world;
    Deferred<void> later;
    std::string said;
    world.client.made = [](Peer& self) {
        self.transport->write("x");
        self.transport->loseConnection();
    };
    world.serve([&later, &said, mine = std::string(100, 's')](Connection peer) -> Deferred<void> {
        static_cast<void>(co_await peer.read());
        peer.abort();
        co_await later;
        said = mine;
    });
    world.port->stopListening();
    world.port = nullptr;
    world.connector = nullptr;
    for (int i = 0; i < 5; ++i) {
        world.reactor().iterate();
    }
    later.callback();
    CHECK(said == std::string(100, 's'));
}
