// labels: threads
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <ropewalk/reactor/connection.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>

using namespace std::chrono_literals;
using ropewalk::Connection;
using ropewalk::Reactor;
using ropewalk::defer::Deferred;

namespace {

struct Server {
    std::atomic<int> served = 0;
    Reactor* reactor = nullptr;
};

struct Counting : ropewalk::Protocol {
    explicit Counting(Server* theServer) : server(theServer) {}

    void connectionMade() override { ++server->served; }
    void dataReceived(std::string_view data) override { transport->write(data); }

    Server* server;
};

Deferred<void> call(Reactor& reactor, int port, int& echoed) {
    Connection peer = co_await ropewalk::connect(reactor, "127.0.0.1", port);
    peer.write("hello");
    const std::string answer = co_await peer.readExactly(5);
    echoed += answer == "hello" ? 1 : 0;
    co_await peer.close();
}

} // namespace

TEST_CASE("several reactors in several threads serve one port") {
    Reactor client;
    // Keeps the port while the servers come to it; nobody accepts from it.
    const auto held = client.listenTCP(0, ropewalk::Factory::forProtocol<ropewalk::Protocol>(),
                                       {.interface = "127.0.0.1", .reusePort = true});
    const int port = held->getHost().port();
    std::vector<Server> servers(3);
    std::latch listening(3);
    std::vector<std::thread> threads;
    for (Server& server : servers) {
        threads.emplace_back([&server, &listening, port] {
            Reactor reactor;
            server.reactor = &reactor;
            reactor.listenTCP(port, ropewalk::Factory::forProtocol<Counting>(&server),
                              {.interface = "127.0.0.1", .reusePort = true});
            reactor.callWhenRunning([&] { listening.count_down(); });
            reactor.run();
        });
    }
    listening.wait();
    int echoed = 0;
    int ended = 0;
    constexpr int calls = 60;
    held->stopListening().addCallback([&] {
        for (int i = 0; i < calls; ++i) {
            call(client, port, echoed).addBoth([&] {
                if (++ended == calls) {
                    client.stop();
                }
            });
        }
    });
    const auto guard = client.callLater(30s, [&] { client.stop(); });
    client.run();
    for (const Server& server : servers) {
        server.reactor->callFromThread([reactor = server.reactor] { reactor->stop(); });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(echoed == calls);
    int served = 0;
    for (const Server& server : servers) {
        served += server.served;
    }
    CHECK(served == calls);
}
