#include <ropewalk/reactor/connection.hpp>

#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>

using namespace std::chrono_literals;
using ropewalk::Connection;
using ropewalk::defer::Deferred;
using tcp::Peer;
using tcp::World;

namespace {

using Served = std::function<Deferred<void>(Connection)>;

/// A connection in the awaited style, against a `Peer` that is the server.
struct Awaiting : World {
    Awaiting() { listen(); }
    /// Runs `client` on a connection, until it is through and the server has lost its own.
    void serve(Served program) {
        run_ = std::move(program);
        const Deferred<void> through = begin();
        run();
        CHECK(through.called());
    }
    Deferred<Connection> dial() { return ropewalk::connect(reactor(), "127.0.0.1", port->getHost().port()); }

private:
    Deferred<void> begin() {
        struct Through {
            World& world;
            ~Through() { world.ended(); }
        } const through{*this};
        Connection connection = co_await dial();
        co_await run_(std::move(connection));
    }
    Served run_;
};

std::string lines() {
    return "one\r\ntwo\r\n\r\nlast";
}

} // namespace

TEST_CASE("read gives what came, what comes, and an empty string at the end") {
    Awaiting world;
    world.server.made = [](Peer& self) {
        self.transport->write("hello");
        self.transport->loseConnection();
    };
    std::vector<std::string> got;
    world.serve([&](Connection peer) -> Deferred<void> {
        for (int i = 0; i < 4; ++i) {
            got.push_back(co_await peer.read());
        }
    });
    CHECK(got == std::vector<std::string>{"hello", "", "", ""});
}

TEST_CASE("readLine gives lines, then what is left over, then nothing") {
    Awaiting world;
    std::size_t piece = 1;
    SUBCASE("in single bytes") {}
    SUBCASE("in one") {
        piece = 100;
    }
    std::string toSend = lines();
    world.server.data = [&](Peer& self, std::string_view) {
        self.transport->write(toSend.substr(0, piece));
        toSend.erase(0, piece);
        if (toSend.empty()) {
            self.transport->loseConnection();
        }
    };
    std::vector<std::string> got;
    std::string rest;
    bool failed = false;
    bool nothing = false;
    world.serve([&](Connection peer) -> Deferred<void> {
        const auto ticking = [](Connection one) -> Deferred<void> {
            // Each answer of the server's asks for the next one.
            for (int i = 0; i < 40; ++i) {
                co_await one.write("?");
                Deferred<void> turn;
                ropewalk::reactor().callLater(1ms, [turn] { turn.callback(); });
                co_await turn;
            }
        };
        const Deferred<void> asking = ticking(peer);
        for (int i = 0; i < 3; ++i) {
            const std::optional<std::string> line = co_await peer.readLine();
            got.push_back(line.value_or("none"));
        }
        try {
            co_await peer.readLine();
        } catch (const ropewalk::ConnectionDone&) {
            failed = true;
        }
        rest = co_await peer.read();
        const std::optional<std::string> last = co_await peer.readLine();
        nothing = !last.has_value();
        asking.cancel();
    });
    ropewalk::defer::flushLoggedErrors();
    CHECK(got == std::vector<std::string>{"one", "two", ""});
    CHECK(failed);
    CHECK(rest == "last");
    CHECK(nothing);
}

TEST_CASE("a line that is too long is a ValueError, and stays to be read") {
    Awaiting world;
    world.server.made = [](Peer& self) {
        self.transport->write("12345\n123456\n1234567");
        self.transport->loseConnection();
    };
    std::string seen;
    world.serve([&](Connection peer) -> Deferred<void> {
        const auto first = co_await peer.readLine("\n", 5);
        seen += *first;
        bool refused = false;
        try {
            co_await peer.readLine("\n", 5);
        } catch (const ropewalk::ValueError&) {
            refused = true;
        }
        seen += refused ? "!" : "?";
        const auto second = co_await peer.readLine("\n", 6);
        seen += *second;
        refused = false;
        try {
            co_await peer.readLine("\n", 5);
        } catch (const ropewalk::ValueError&) {
            refused = true;
        }
        seen += refused ? "!" : "?";
        seen += co_await peer.read();
    });
    CHECK(seen == "12345!123456!1234567");
}

TEST_CASE("readExactly gives so many bytes, and fails when the data ends before") {
    Awaiting world;
    world.server.made = [](Peer& self) {
        self.transport->write("abcdefgh");
        self.transport->loseConnection();
    };
    std::string seen;
    world.serve([&](Connection peer) -> Deferred<void> {
        seen += co_await peer.readExactly(3) + "|";
        seen += co_await peer.readExactly(0) + "|";
        seen += co_await peer.readExactly(1) + "|";
        bool failed = false;
        try {
            co_await peer.readExactly(5);
        } catch (const ropewalk::ConnectionDone&) {
            failed = true;
        }
        seen += failed ? "failed|" : "|";
        seen += co_await peer.readExactly(4);
    });
    CHECK(seen == "abc||d|failed|efgh");
}

TEST_CASE("readExactly takes more than is kept for a reader to come") {
    Awaiting world;
    const std::string much(1000000, 'm');
    world.server.made = [&](Peer& self) { self.transport->write(much); };
    bool same = false;
    world.serve([&](Connection peer) -> Deferred<void> {
        const std::string got = co_await peer.readExactly(much.size());
        same = got == much;
    });
    CHECK(same);
}

TEST_CASE("while nobody reads, a bounded amount is kept and the peer waits") {
    Awaiting world;
    world.server.made = [](Peer& self) {
        self.transport->write(std::string(30 << 20, 'x'));
        self.transport->loseConnection();
    };
    std::size_t kept = 0;
    std::size_t sum = 0;
    world.serve([&](Connection peer) -> Deferred<void> {
        Deferred<void> later;
        world.reactor().callLater(50ms, [later] { later.callback(); });
        co_await later;
        CHECK(world.server.peers[0]->transport->writeBufferSize() > (10u << 20));
        std::string got = co_await peer.read();
        kept = got.size();
        for (; !got.empty(); got = co_await peer.read()) {
            sum += got.size();
        }
    });
    CHECK(kept >= 65536);
    CHECK(kept < 2 * 65536);
    CHECK(sum == (30u << 20));
    ropewalk::defer::flushLoggedErrors();
}

TEST_CASE("a second read throws, and does the first one no harm") {
    Awaiting world;
    world.server.data = [](Peer& self, std::string_view) { self.transport->write("answer"); };
    std::string got;
    world.serve([&](Connection peer) -> Deferred<void> {
        const Deferred<std::string> first = peer.read();
        CHECK_THROWS_AS(peer.read(), ropewalk::RuntimeError);
        CHECK_THROWS_AS(peer.readLine(), ropewalk::RuntimeError);
        CHECK_THROWS_AS(peer.readExactly(1), ropewalk::RuntimeError);
        co_await peer.write("?");
        got = co_await first;
        CHECK_THROWS_AS(peer.readLine(""), ropewalk::ValueError);
    });
    CHECK(got == "answer");
}

TEST_CASE("a cancelled read loses nothing") {
    Awaiting world;
    world.server.data = [](Peer& self, std::string_view) {
        self.transport->write("line one\r\nline two\r\n");
    };
    std::vector<std::string> got;
    world.serve([&](Connection peer) -> Deferred<void> {
        for (int kind = 0; kind < 3; ++kind) {
            int cancelled = 0;
            const auto count = [&](const ropewalk::Failure& failure) {
                failure.trap<ropewalk::defer::CancelledError>();
                ++cancelled;
            };
            if (kind == 0) {
                auto waiting = peer.read();
                waiting.addErrback([&](const ropewalk::Failure& f) { return count(f), std::string(); });
                waiting.cancel();
            } else if (kind == 1) {
                auto waiting = peer.readLine();
                waiting.addErrback([&](const ropewalk::Failure& f) { count(f); });
                waiting.cancel();
            } else {
                auto waiting = peer.readExactly(1000);
                waiting.addErrback([&](const ropewalk::Failure& f) { return count(f), std::string(); });
                co_await peer.write("?");
                Deferred<void> later;
                world.reactor().callLater(5ms, [later] { later.callback(); });
                co_await later;
                waiting.cancel();
            }
            CHECK(cancelled == 1);
        }
        for (int i = 0; i < 2; ++i) {
            const auto line = co_await peer.readLine();
            got.push_back(line.value_or("none"));
        }
    });
    CHECK(got == std::vector<std::string>{"line one", "line two"});
}

TEST_CASE("write waits at the limit until all is sent, and is in order") {
    Awaiting world;
    world.server.made = [](Peer& self) { self.transport->pauseProducing(); };
    const std::string block(50000, 'b');
    int waited = 0;
    std::size_t most = 0;
    world.serve([&](Connection peer) -> Deferred<void> {
        world.reactor().callLater(20ms, [&] { world.server.peers[0]->transport->resumeProducing(); });
        for (int i = 0; i < 300; ++i) {
            auto written = peer.write(std::string(block));
            waited += written ? 1 : 0;
            most = std::max(most, peer.transport()->writeBufferSize());
            co_await std::move(written).deferred();
        }
        co_await peer.close();
    });
    CHECK(waited > 0);
    CHECK(most <= 65536 + block.size());
    CHECK(world.server.peers[0]->received.size() == 300 * block.size());
}

TEST_CASE("endWriting ends our data, also with much to send, and the peer may answer") {
    Awaiting world;
    world.server.halfCloseable = true;
    world.server.readLost = [](Peer& self) {
        self.transport->write("got " + std::to_string(self.received.size()));
        self.transport->loseConnection();
    };
    std::size_t size = 10;
    SUBCASE("little") {}
    SUBCASE("much, which isn't waited for") {
        size = 5000000;
    }
    std::string answer;
    world.serve([&](Connection peer) -> Deferred<void> {
        static_cast<void>(peer.write(std::string(size, 'x')));
        peer.endWriting();
        for (std::string got = co_await peer.read(); !got.empty(); got = co_await peer.read()) {
            answer += got;
        }
    });
    CHECK(answer == "got " + std::to_string(size));
}

TEST_CASE("a write after endWriting fails, and is not sent") {
    Awaiting world;
    world.server.halfCloseable = true;
    std::string received;
    world.server.readLost = [&](Peer& self) {
        received = self.received;
        self.transport->loseConnection();
    };
    world.serve([&](Connection peer) -> Deferred<void> {
        static_cast<void>(peer.write(std::string(3000000, 'x')));
        peer.endWriting();
        const auto late = co_await peer.write("late").result();
        CHECK(late.error().check<ropewalk::RuntimeError>() != nullptr);
        const auto moved = co_await peer.write(std::string(3000, 'y')).result();
        CHECK(moved.error().check<ropewalk::RuntimeError>() != nullptr);
        static_cast<void>(co_await peer.read());
    });
    CHECK(received == std::string(3000000, 'x'));
}

TEST_CASE("what is read is what came, whatever was read before") {
    Awaiting world;
    world.server.writesBack = true;
    world.serve([&](Connection peer) -> Deferred<void> {
        for (std::size_t size = 1; size < 5000; size += size / 2 + 1) {
            const std::string sent(size, static_cast<char>('a' + size % 26));
            co_await peer.write(sent);
            std::string got;
            while (got.size() < size) {
                got += co_await peer.read();
            }
            CHECK(got == sent);
        }
        co_await peer.close();
    });
}

TEST_CASE("connect gives addresses, and a ConnectError when there is no connection") {
    Awaiting world;
    const int number = world.port->getHost().port();
    world.serve([&](Connection peer) -> Deferred<void> {
        CHECK(peer.getPeer().port() == number);
        CHECK(peer.getHost().host() == "127.0.0.1");
        co_await world.port->stopListening();
        bool refused = false;
        try {
            co_await world.dial();
        } catch (const ropewalk::ConnectError& error) {
            refused = error.code() == std::errc::connection_refused;
        }
        CHECK(refused);
    });
}

TEST_CASE("a cancelled connect gives up") {
    Awaiting world;
    std::string how;
    auto connecting = world.dial();
    connecting.addErrback([&](const ropewalk::Failure& failure) { how = tcp::kindOf(failure); });
    connecting.cancel();
    CHECK(how == "CancelledError");
    world.stopAfter(3);
    world.run();
}
