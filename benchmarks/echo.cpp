// Echo over loopback, both ends in one reactor: each message is written, read, written back and read again.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <ropewalk/reactor/connection.hpp>
#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>

namespace {

using ropewalk::Connection;
using ropewalk::defer::Deferred;

struct Echo : ropewalk::Protocol {
    void dataReceived(std::string_view data) override { transport->write(data); }
};

Deferred<void> echo(Connection peer) {
    for (auto data = co_await peer.read(); !data.empty(); data = co_await peer.read()) {
        co_await peer.write(std::move(data));
    }
}

struct Rounds {
    std::string message = {};
    std::size_t left = 0;
    int open = 0;
};

/// Sends the message, waits for all of it, and so on while rounds are left.
struct Sender : ropewalk::Protocol {
    explicit Sender(Rounds* theRounds) : rounds(theRounds) {}

    void connectionMade() override {
        ++rounds->open;
        send();
    }
    void dataReceived(std::string_view data) override {
        missing -= data.size();
        if (missing == 0) {
            send();
        }
    }
    void connectionLost(const ropewalk::Failure&) override {
        if (--rounds->open == 0) {
            ropewalk::reactor().stop();
        }
    }
    void send() {
        if (rounds->left == 0) {
            transport->loseConnection();
            return;
        }
        --rounds->left;
        missing = rounds->message.size();
        transport->write(std::string_view(rounds->message));
    }

    Rounds* rounds;
    std::size_t missing = 0;
};

/// Connects, has one message echoed, closes, and begins again.
struct Caller : ropewalk::ClientFactoryOf<Sender> {
    explicit Caller(Rounds* theRounds) : rounds(theRounds) { noisy = false; }

    std::shared_ptr<ropewalk::Protocol> buildProtocol(const ropewalk::Address&) override {
        one.left = 1;
        one.open = 1; // one more than there is, so that the reactor runs on
        return std::make_shared<Sender>(&one);
    }
    void clientConnectionLost(ropewalk::Connector& connector, const ropewalk::Failure&) override {
        if (--rounds->left > 0) {
            connector.connect();
        } else {
            ropewalk::reactor().stop();
        }
    }

    Rounds* rounds;
    Rounds one{.message = std::string(64, 'x')};
};

void echoed(benchmark::State& state, const std::shared_ptr<ropewalk::Factory>& server) {
    ropewalk::Reactor reactor;
    server->noisy = false;
    const auto port = reactor.listenTCP(0, server, {.interface = "127.0.0.1"});
    const auto connections = state.range(0);
    Rounds rounds{.message = std::string(static_cast<std::size_t>(state.range(1)), 'x')};
    for (auto _ : state) {
        rounds.left = 20000;
        auto factory = ropewalk::ClientFactory::forProtocol<Sender>(&rounds);
        factory->noisy = false;
        for (int i = 0; i < connections; ++i) {
            reactor.connectTCP("127.0.0.1", port->getHost().port(), factory);
        }
        port->startListening();
        reactor.run();
    }
    state.SetItemsProcessed(state.iterations() * 20000);
}

void callbacks(benchmark::State& state) {
    echoed(state, ropewalk::Factory::forProtocol<Echo>());
}

void awaited(benchmark::State& state) {
    echoed(state, ropewalk::serve(echo));
}

void connectEchoClose(benchmark::State& state) {
    ropewalk::Reactor reactor;
    auto server = ropewalk::Factory::forProtocol<Echo>();
    server->noisy = false;
    const auto port = reactor.listenTCP(0, server, {.interface = "127.0.0.1"});
    for (auto _ : state) {
        Rounds rounds{.left = 2000};
        port->startListening();
        reactor.connectTCP("127.0.0.1", port->getHost().port(), std::make_shared<Caller>(&rounds));
        reactor.run();
    }
    state.SetItemsProcessed(state.iterations() * 2000);
}

BENCHMARK(callbacks)
    ->ArgNames({"connections", "bytes"})
    ->Args({1, 1024})
    ->Args({50, 1024})
    ->Args({50, 65536});
BENCHMARK(awaited)->ArgNames({"connections", "bytes"})->Args({1, 1024})->Args({50, 1024})->Args({50, 65536});
BENCHMARK(connectEchoClose);

} // namespace
