#include <support/memory_network.hpp>
#include <support/tcp_world.hpp>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <memory>
#include <string>

using tcp::Peer;
using tcp::TestProducer;
using tcp::World;

namespace {

/// Two servers' connections whose streams are joined by a network that the test moves by hand.
struct Joined : World {
    Joined() : World(std::make_unique<MemoryNetwork>()) {
        server.halfCloseable = *rc::gen::arbitrary<bool>();
        port = reactor().listenTCP(80, serverFactory(), {.interface = "192.0.2.1"});
        event([this] { network().accept(); });
        event([this] { network().accept(); });
        for (auto& end : ends) {
            end.producer = std::make_shared<TestProducer>();
        }
    }
    MemoryNetwork& network() { return static_cast<MemoryNetwork&>(reactor().driver()); }
    MemoryStream& stream(std::size_t i) { return *network().streams[i]; }
    Peer& peer(std::size_t i) { return *server.peers[i]; }
    void event(std::function<void()> happens) {
        network().soon(std::move(happens));
        reactor().iterate();
        reactor().iterate();
    }

    struct End {
        std::string written;     // what the transport should send
        std::size_t arrived = 0; // of what its stream sent, at the other one
        bool endArrived = false;
        bool writeEnded = false; // loseWriteConnection was called
        bool closing = false;
        bool aborted = false;
        bool failed = false; // the network broke it
        bool registered = false;
        std::shared_ptr<TestProducer> producer;
    };

    void write(std::size_t i, std::string text, int how) {
        End& end = ends[i];
        auto& transport = *peer(i).transport;
        if (transport.connected() && !end.aborted && !end.failed && !stream(i).shutDown &&
            (!end.writeEnded || end.registered)) {
            end.written += text;
        }
        switch (how) {
            case 0:
                transport.write(text);
                break;
            case 1:
                transport.write(std::move(text));
                break;
            default:
                transport.writeSequence({std::string_view(text).substr(0, text.size() / 3),
                                         std::string_view(text).substr(text.size() / 3)});
        }
    }

    /// Brings some bytes, or the end, from one stream to the other.
    void deliver(std::size_t from, std::size_t most) {
        MemoryStream& source = stream(from);
        MemoryStream& sink = stream(1 - from);
        End& end = ends[from];
        if (sink.closed || !sink.reading) {
            return;
        }
        if (source.closed && source.reset) {
            end.endArrived = true;
            ends[1 - from].failed = true;
            sink.end(std::make_error_code(std::errc::connection_reset));
        } else if (end.arrived < source.sent.size()) {
            const std::string piece = source.sent.substr(end.arrived, std::min<std::size_t>(most, 65536));
            end.arrived += piece.size();
            sink.read(piece);
        } else if ((source.closed || source.shutDown) && !end.endArrived) {
            end.endArrived = true;
            sink.end();
        }
    }

    End ends[2];
};

void step(Joined& world) {
    const auto i = static_cast<std::size_t>(*rc::gen::inRange(0, 2));
    Joined::End& end = world.ends[i];
    auto& transport = *world.peer(i).transport;
    switch (*rc::gen::inRange(0, 26)) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4:
        case 5:
        case 6:
        case 7: {
            const int size = *rc::gen::weightedOneOf<int>({{6, rc::gen::inRange(0, 40)},
                                                           {3, rc::gen::inRange(1900, 2100)},
                                                           {2, rc::gen::inRange(15000, 70000)}});
            std::string text(static_cast<std::size_t>(size), '\0');
            for (std::size_t k = 0; k < text.size(); ++k) {
                text[k] = static_cast<char>(end.written.size() + k * 7);
            }
            world.write(i, std::move(text), *rc::gen::inRange(0, 3));
            break;
        }
        case 8:
        case 9:
        case 10:
        case 11:
        case 12: {
            const auto most = static_cast<std::size_t>(*rc::gen::inRange(1, 70000));
            world.event([&] { world.deliver(i, most); });
            break;
        }
        case 13:
            world.stream(i).room = static_cast<std::size_t>(*rc::gen::inRange(0, 5000));
            break;
        case 14:
            world.stream(i).room = MemoryStream::all;
            break;
        case 15:
        case 16:
            if (world.stream(i).writing()) {
                const auto most = static_cast<std::size_t>(*rc::gen::inRange(1, 70000));
                world.event([&] { world.stream(i).take(most); });
            }
            break;
        case 17:
            transport.pauseProducing();
            break;
        case 18:
        case 19:
            transport.resumeProducing();
            break;
        case 20:
            if (!end.registered) {
                const bool streaming = *rc::gen::arbitrary<bool>();
                end.registered = transport.connected();
                transport.registerProducer(end.producer, streaming);
            }
            break;
        case 21:
            end.registered = false;
            transport.unregisterProducer();
            break;
        case 22:
            world.reactor().iterate();
            break;
        case 23:
            end.writeEnded = end.writeEnded || transport.connected();
            transport.loseWriteConnection();
            break;
        case 24:
            if (*rc::gen::inRange(0, 4) == 0) {
                end.closing = true;
                transport.loseConnection();
            }
            break;
        default:
            if (*rc::gen::inRange(0, 12) == 0) {
                end.aborted = true;
                transport.abortConnection();
            }
    }
}

void check(Joined& world) {
    for (std::size_t i : {0u, 1u}) {
        const Joined::End& from = world.ends[i];
        RC_ASSERT(!world.stream(i).misused);
        RC_ASSERT(from.written.compare(0, world.stream(i).sent.size(), world.stream(i).sent) == 0);
        RC_ASSERT(world.peer(1 - i).received.size() == from.arrived);
        RC_ASSERT(from.written.compare(0, from.arrived, world.peer(1 - i).received) == 0);
        if (world.peer(i).transport->connected() && !from.aborted && !from.failed) {
            RC_ASSERT(world.peer(i).transport->writeBufferSize() + world.stream(i).sent.size() >=
                      from.written.size());
        }
    }
}

} // namespace

TEST_CASE("whatever both ends do: bytes in order, one connectionLost each, and nothing after it") {
    const bool holds = rc::check([] {
        Joined world;
        world.endsExpected = 1000;
        const int steps = *rc::gen::inRange(0, 60);
        for (int k = 0; k < steps; ++k) {
            step(world);
            check(world);
        }
        bool cutShort = false;
        for (std::size_t i : {0u, 1u}) {
            Joined::End& end = world.ends[i];
            auto& transport = *world.peer(i).transport;
            cutShort = cutShort || end.aborted || !transport.connected();
            transport.resumeProducing();
            transport.unregisterProducer();
            end.registered = false;
            world.stream(i).room = MemoryStream::all;
        }
        // All that was written arrives, if nobody closes before.
        for (int k = 0; k < 60; ++k) {
            for (std::size_t i : {0u, 1u}) {
                if (world.stream(i).writing()) {
                    world.event([&] { world.stream(i).take(MemoryStream::all); });
                }
                if (!world.stream(i).closed || world.stream(i).sent.size() > world.ends[i].arrived) {
                    world.event([&] { world.deliver(i, MemoryStream::all); });
                }
            }
        }
        check(world);
        const bool closing = world.ends[0].closing || world.ends[1].closing;
        const bool halfOnly =
            !world.server.halfCloseable && (world.ends[0].writeEnded || world.ends[1].writeEnded);
        if (!cutShort && !closing && !halfOnly) {
            for (std::size_t i : {0u, 1u}) {
                RC_ASSERT(world.ends[i].arrived == world.ends[i].written.size());
                RC_ASSERT((world.stream(i).shutDown == world.ends[i].writeEnded || world.stream(i).closed));
            }
        }
        for (std::size_t i : {0u, 1u}) {
            world.peer(i).transport->loseConnection();
        }
        for (int k = 0; k < 5; ++k) {
            for (std::size_t i : {0u, 1u}) {
                if (world.stream(i).writing()) {
                    world.event([&] { world.stream(i).take(MemoryStream::all); });
                }
            }
            world.reactor().iterate();
        }
        RC_ASSERT(world.server.losses == 2);
        RC_ASSERT((world.stream(0).closed && world.stream(1).closed));
        check(world);
        for (std::size_t i : {0u, 1u}) {
            world.event([&] {
                world.peer(i).transport->write("late");
                world.peer(i).transport->abortConnection();
            });
            const auto& calls = world.ends[i].producer->calls;
            RC_ASSERT((calls.empty() || calls.back() != "pause" || !world.ends[i].registered));
        }
        RC_ASSERT(world.server.losses == 2);
    });
    CHECK(holds);
}
