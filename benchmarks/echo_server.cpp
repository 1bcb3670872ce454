// An echo server for a load generator of one's own:
//
//     bench_echo_server PORT [awaited] [reactors=N]
//
// It listens on 127.0.0.1 until it is killed; `awaited` serves by coroutines, `reactors=N` by as many reactors, in
// threads, on the one port.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

#include <ropewalk/reactor/connection.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/reactor.hpp>

namespace {

using ropewalk::Connection;
using ropewalk::defer::Deferred;

struct Echo : ropewalk::Protocol {
    void connectionMade() override { transport->setTcpNoDelay(true); }
    void dataReceived(std::string_view data) override { transport->write(data); }
};

Deferred<void> echo(Connection peer) {
    peer.transport()->setTcpNoDelay(true);
    for (auto data = co_await peer.read(); !data.empty(); data = co_await peer.read()) {
        co_await peer.write(std::move(data));
    }
}

void serve(ropewalk::Reactor& reactor, int port, bool awaited, bool shared) {
    reactor.listenTCP(port, awaited ? ropewalk::serve(echo) : ropewalk::Factory::forProtocol<Echo>(),
                      {.backlog = 4096, .interface = "127.0.0.1", .reusePort = shared});
    reactor.run();
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        return 2;
    }
    const int port = std::atoi(argv[1]);
    bool awaited = false;
    int reactors = 1;
    for (int i = 2; i < argc; ++i) {
        awaited = awaited || std::strcmp(argv[i], "awaited") == 0;
        if (std::strncmp(argv[i], "reactors=", 9) == 0) {
            reactors = std::atoi(argv[i] + 9);
        }
    }
    ropewalk::Reactor first; // the one that signals stop
    for (int i = 1; i < reactors; ++i) {
        std::thread([=] {
            ropewalk::Reactor other;
            serve(other, port, awaited, true);
        }).detach();
    }
    serve(first, port, awaited, reactors > 1);
    std::_Exit(0); // whatever the other threads are at
}
