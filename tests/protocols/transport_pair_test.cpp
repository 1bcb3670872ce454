#include <ropewalk/protocols/transport_pair.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/protocols/accumulating_protocol.hpp>
#include <ropewalk/protocols/line_receiver.hpp>
#include <ropewalk/reactor/connection_errors.hpp>

using namespace std::chrono_literals;
using ropewalk::ConnectionAborted;
using ropewalk::ConnectionDone;
using ropewalk::ConnectionLost;
using ropewalk::Failure;
using ropewalk::IHalfCloseableProtocol;
using ropewalk::Producer;
using ropewalk::Protocol;
using ropewalk::protocols::AccumulatingProtocol;
using ropewalk::protocols::LineReceiver;
using ropewalk::protocols::TransportPair;

namespace {

struct Side : AccumulatingProtocol {
    void dataReceived(std::string_view received) override {
        AccumulatingProtocol::dataReceived(received);
        pieces.push_back(received.size());
        if (onData) onData(received);
    }
    void connectionLost(const Failure& reason) override {
        AccumulatingProtocol::connectionLost(reason);
        ++lost;
        if (onLost) onLost();
    }
    template <class Error>
    bool lostBy() const {
        return closed && closedReason->type() == typeid(Error);
    }
    std::vector<std::size_t> pieces;
    std::function<void(std::string_view)> onData;
    std::function<void()> onLost;
    int lost = 0;
};

struct HalfSide : Side, IHalfCloseableProtocol {
    void readConnectionLost() override { ++readLost; }
    void writeConnectionLost() override { ++writeLost; }
    int readLost = 0;
    int writeLost = 0;
};

struct Recorded final : Producer {
    void resumeProducing() override {
        calls += 'r';
        if (onResume) onResume();
    }
    void pauseProducing() override { calls += 'p'; }
    void stopProducing() override { calls += 's'; }
    std::string calls;
    std::function<void()> onResume;
};

template <class A = Side, class B = Side>
struct World {
    explicit World(TransportPair::Options options = {}) : pair(server, client, options) {}
    std::shared_ptr<A> server = std::make_shared<A>();
    std::shared_ptr<B> client = std::make_shared<B>();
    TransportPair pair;
};

} // namespace

TEST_CASE("a pair connects two protocols, and moves what they write when it is told to") {
    World world;
    CHECK(world.server->made);
    CHECK(world.client->made);
    CHECK(world.client->transport->getPeer() == world.server->transport->getHost());
    CHECK(world.server->transport->getPeer() == world.client->transport->getHost());
    CHECK_FALSE(world.pair.pump());
    world.client->transport->write("he");
    world.client->transport->write("llo");
    CHECK(world.server->data.empty());
    CHECK(world.client->transport->writeBufferSize() == 5);
    CHECK(world.pair.pump());
    CHECK(world.server->data == "hello");
    CHECK(world.server->pieces.size() == 1);
    CHECK_FALSE(world.pair.flush());
}

TEST_CASE("a step moves what was written before it; flush goes on until nothing moves") {
    World world;
    world.server->onData = [&](std::string_view data) {
        if (data.size() < 5) world.server->transport->write(std::string(data) + "x");
    };
    world.client->onData = [&](std::string_view data) { world.client->transport->write(data); };
    world.client->transport->write("1");
    world.pair.pump();
    CHECK(world.client->data.empty());
    CHECK(world.pair.flush());
    CHECK(world.client->data == "1x1xx1xxx1xxxx");
}

TEST_CASE("traffic without an end is an error of the test") {
    World world;
    world.server->onData = [&](std::string_view data) { world.server->transport->write(data); };
    world.client->onData = [&](std::string_view data) { world.client->transport->write(data); };
    world.client->transport->write("ping");
    CHECK_THROWS_AS(world.pair.flush(50), ropewalk::AssertionError);
}

TEST_CASE("data comes in pieces of the size that was asked for") {
    World world({.pieceSize = 2});
    world.client->transport->write("hello");
    world.pair.flush();
    CHECK(world.server->data == "hello");
    CHECK(world.server->pieces == std::vector<std::size_t>{2, 2, 1});
    CHECK_THROWS_AS(World({.pieceSize = 0}), ropewalk::ValueError);
}

TEST_CASE("loseConnection sends what was written first, and both sides are done") {
    World world;
    const std::string text(3'000'000, 'x');
    world.server->transport->write(text);
    world.server->transport->loseConnection();
    CHECK(world.server->transport->disconnecting());
    CHECK_FALSE(world.server->closed);
    world.pair.flush();
    CHECK(world.client->data == text);
    CHECK(world.client->lostBy<ConnectionDone>());
    CHECK(world.server->lostBy<ConnectionDone>());
    CHECK(world.client->lost + world.server->lost == 2);
    CHECK_FALSE(world.server->transport->connected());
    world.server->transport->write("more");
    world.server->transport->loseConnection();
    world.client->transport->abortConnection();
    CHECK_FALSE(world.pair.flush());
    CHECK(world.client->lost + world.server->lost == 2);
}

TEST_CASE("who has called loseConnection receives nothing more") {
    World world;
    world.client->transport->write("before");
    world.server->transport->loseConnection();
    world.pair.flush();
    CHECK(world.server->data.empty());
    CHECK(world.client->lostBy<ConnectionDone>());
}

TEST_CASE("loseConnection in the middle of the pieces ends them") {
    World world({.pieceSize = 1});
    world.server->onData = [&](std::string_view data) {
        if (data == "q") world.server->transport->loseConnection();
    };
    world.client->transport->write("abqcd");
    world.pair.flush();
    CHECK(world.server->data == "abq");
}

TEST_CASE("abortConnection drops what was written; the peer sees a loss") {
    World world;
    world.server->transport->write("never");
    world.server->transport->abortConnection();
    CHECK_FALSE(world.server->closed);
    world.pair.flush();
    CHECK(world.client->data.empty());
    CHECK(world.server->lostBy<ConnectionAborted>());
    CHECK(world.client->lostBy<ConnectionLost>());
}

TEST_CASE("loseWriteConnection sends what was written and tells both sides, which may go on the other way") {
    World<HalfSide, HalfSide> world;
    world.client->transport->write("question");
    world.client->transport->loseWriteConnection();
    world.client->transport->write("ignored");
    world.pair.flush();
    CHECK(world.server->data == "question");
    CHECK(world.client->writeLost == 1);
    CHECK(world.client->readLost == 0);
    CHECK(world.server->readLost == 1);
    CHECK_FALSE(world.server->closed);
    world.server->transport->write("answer");
    world.server->transport->loseWriteConnection();
    world.pair.flush();
    CHECK(world.client->data == "answer");
    CHECK(world.client->readLost == 1);
    CHECK(world.server->writeLost == 1);
    CHECK(world.server->lostBy<ConnectionDone>());
    CHECK(world.client->lostBy<ConnectionDone>());
}

TEST_CASE("a side that can't be half closed closes at the end of the peer's data") {
    World<Side, HalfSide> world;
    world.client->transport->write("question");
    world.client->transport->loseWriteConnection();
    world.pair.flush();
    CHECK(world.server->data == "question");
    CHECK(world.server->lostBy<ConnectionDone>());
    CHECK(world.client->lostBy<ConnectionDone>());
    CHECK(world.client->writeLost == 1);
}

TEST_CASE("writing to a peer that has closed loses the connection") {
    World<HalfSide, Side> world;
    world.client->transport->loseConnection();
    world.pair.flush();
    CHECK(world.server->readLost == 1);
    CHECK_FALSE(world.server->closed);
    world.server->transport->write("anyone there?");
    world.pair.flush();
    CHECK(world.server->lostBy<ConnectionLost>());
}

TEST_CASE("a side that is paused gets nothing, not even the end, and all of it later") {
    World world;
    world.server->transport->pauseProducing();
    world.client->transport->write("hello");
    world.client->transport->loseConnection();
    world.pair.flush();
    CHECK(world.server->data.empty());
    CHECK_FALSE(world.server->closed);
    CHECK(world.client->closed);
    world.server->transport->resumeProducing();
    world.pair.flush();
    CHECK(world.server->data == "hello");
    CHECK(world.server->lostBy<ConnectionDone>());
}

TEST_CASE("a side that pauses in the middle of the pieces gets the others later") {
    World world({.pieceSize = 1});
    world.server->onData = [&](std::string_view) { world.server->transport->pauseProducing(); };
    world.client->transport->write("abc");
    for (const std::string_view expected : {"a", "ab", "abc"}) {
        world.pair.flush();
        CHECK(world.server->data == expected);
        world.server->transport->resumeProducing();
    }
}

TEST_CASE(
    "of a connection in memory: a push producer is paused above 65536 bytes, and resumed when they are sent") {
    World world;
    const auto producer = std::make_shared<Recorded>();
    world.client->transport->registerProducer(producer, true);
    CHECK_THROWS_AS(world.client->transport->registerProducer(producer, true), ropewalk::RuntimeError);
    world.client->transport->write(std::string(65536, 'x'));
    CHECK(producer->calls.empty());
    world.client->transport->write("y");
    CHECK(producer->calls == "p");
    world.pair.flush();
    CHECK(producer->calls == "pr");
    world.client->transport->unregisterProducer();
    world.client->transport->unregisterProducer();
}

TEST_CASE("a push producer stays paused while the peer doesn't read") {
    World world;
    const auto producer = std::make_shared<Recorded>();
    world.server->transport->pauseProducing();
    world.client->transport->registerProducer(producer, true);
    world.client->transport->write(std::string(200000, 'x'));
    world.pair.flush();
    CHECK(producer->calls == "p");
    CHECK(world.client->transport->writeBufferSize() == 200000 - 65536);
    world.server->transport->resumeProducing();
    world.pair.flush();
    CHECK(producer->calls == "pr");
    CHECK(world.server->data.size() == 200000);
}

TEST_CASE("a pull producer is resumed at once and for each piece that is sent; closing waits for it") {
    World world;
    const auto producer = std::make_shared<Recorded>();
    int left = 3;
    producer->onResume = [&] {
        world.client->transport->write("x");
        if (--left == 0) world.client->transport->unregisterProducer();
    };
    world.client->transport->registerProducer(producer, false);
    CHECK(producer->calls == "r");
    world.client->transport->loseConnection();
    world.pair.flush();
    CHECK(producer->calls == "rrr");
    CHECK(world.server->data == "xxx");
    CHECK(world.client->lostBy<ConnectionDone>());
}

TEST_CASE("a producer is told to stop when the connection goes, and at once when it is gone") {
    World world;
    const auto producer = std::make_shared<Recorded>();
    world.client->transport->registerProducer(producer, true);
    world.server->transport->loseConnection();
    world.pair.flush();
    CHECK(producer->calls == "s");
    world.client->transport->registerProducer(producer, true);
    CHECK(producer->calls == "ss");
}

TEST_CASE("an exception out of dataReceived is logged and closes that connection") {
    World world;
    world.server->onData = [](std::string_view) { throw std::runtime_error("oops"); };
    world.client->transport->write("a");
    world.pair.flush();
    CHECK(world.server->lostBy<std::runtime_error>());
    CHECK(world.client->lostBy<ConnectionDone>());
    CHECK(ropewalk::defer::flushLoggedErrors<std::runtime_error>().size() == 1);
}

TEST_CASE("an exception out of connectionLost is logged") {
    World world;
    world.server->onLost = [] { throw std::runtime_error("oops"); };
    world.server->transport->abortConnection();
    world.pair.flush();
    CHECK(world.server->lost == 1);
    CHECK(ropewalk::defer::flushLoggedErrors<std::runtime_error>().size() == 1);
}

TEST_CASE("an exception out of connectionMade closes the connection") {
    struct Bad final : Side {
        void connectionMade() override { throw std::runtime_error("oops"); }
    };
    World<Bad, Side> world;
    world.pair.flush();
    CHECK(world.server->lostBy<std::runtime_error>());
    CHECK(world.client->lostBy<ConnectionDone>());
    CHECK(ropewalk::defer::flushLoggedErrors<std::runtime_error>().size() == 1);
}

TEST_CASE("the pair turns a clock, if it has one") {
    ropewalk::task::Clock clock;
    World world({.clock = &clock});
    clock.callLater(1s, [&] { world.client->transport->write("late"); });
    world.pair.flush();
    CHECK(world.server->data.empty());
    CHECK(world.pair.advance(1s));
    CHECK(world.server->data == "late");
    clock.callLater(0s, [&] { world.client->transport->write("r"); });
    world.pair.pump();
    CHECK(world.server->data == "later");
    World without;
    CHECK_THROWS_AS(without.pair.advance(1s), ropewalk::AssertionError);
}

TEST_CASE("the pair lets its protocols go, which may keep their transports") {
    const auto client = std::make_shared<Side>();
    std::weak_ptr<Side> watch;
    {
        World world;
        TransportPair other(world.server, client);
        watch = client;
    }
    CHECK(watch.use_count() == 1);
    CHECK_FALSE(client->closed);
    CHECK_FALSE(client->transport->connected());
    client->transport->write("into the void");
    client->transport->loseConnection();
}

TEST_CASE("a pair may be destroyed by what it calls") {
    ropewalk::task::Clock clock;
    auto pair = std::make_unique<TransportPair>(std::make_shared<Side>(), std::make_shared<Side>());
    const auto renew = [&](TransportPair::Options options) {
        const auto server = std::make_shared<Side>();
        server->onData = [&pair, name = std::string("kept by its protocol alone")](std::string_view) {
            pair.reset();
            CHECK(name == "kept by its protocol alone");
        };
        pair = std::make_unique<TransportPair>(server, std::make_shared<Side>(), options);
        pair->clientTransport().write("data");
        pair->serverTransport().write("more");
    };
    renew({.pieceSize = 1});
    CHECK(pair->flush());
    CHECK(pair == nullptr);
    renew({});
    CHECK(pair->pump());
    CHECK(pair == nullptr);
    renew({.clock = &clock});
    clock.callLater(1s, [&] { pair.reset(); });
    CHECK(pair->advance(1s));
    CHECK(pair == nullptr);
}

TEST_CASE("line receivers talk over a pair, whatever the pieces") {
    struct Upper final : LineReceiver {
        void lineReceived(std::string_view line) override {
            if (line == "quit") {
                transport->loseConnection();
                return;
            }
            std::string answer(line);
            for (char& c : answer) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
            sendLine(answer);
        }
    };
    struct Asking final : LineReceiver {
        void connectionMade() override {
            for (const char* line : {"one", "", "three", "quit", "late"}) sendLine(line);
        }
        void lineReceived(std::string_view line) override { answers.emplace_back(line); }
        void connectionLost(const Failure&) override { lost = true; }
        std::vector<std::string> answers;
        bool lost = false;
    };
    for (std::size_t pieceSize = 1; pieceSize < 12; ++pieceSize) {
        const auto client = std::make_shared<Asking>();
        TransportPair pair(std::make_shared<Upper>(), client, {.pieceSize = pieceSize});
        pair.flush();
        CHECK(client->answers == std::vector<std::string>{"ONE", "", "THREE"});
        CHECK(client->lost);
    }
}
