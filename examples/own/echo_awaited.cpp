// An echo server and its client, as coroutines: what comes is sent back. Its command line is that of echo_protocol, which
// is the same as protocols.

#include "option_parser.hpp"
#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/connection.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <exception>
#include <string>
#include <utility>

namespace defer = ropewalk::defer;

using python::print;
using python::str;

auto& reactor = ropewalk::reactor();

defer::Deferred<void> echo(ropewalk::Connection peer) {
    for (auto data = co_await peer.read(); !data.empty(); data = co_await peer.read()) {
        co_await peer.write(std::move(data));
    }
}

defer::Deferred<void> talk(int port, int count) {
    auto server = co_await ropewalk::connect(reactor, "127.0.0.1", port);

    for (int said = 1; said <= count; ++said) {
        const std::string line = "Hello, world! " + str(said) + "\r\n";
        co_await server.write(line);
        const auto answer = co_await server.readLine();
        if (!answer) {
            break;
        }
        print("received:", *answer);
    }

    co_await server.close();
    print("connection closed");
}

defer::Deferred<void> talkAndStop(int port, int count) {
    try {
        co_await talk(port, count);
    } catch (const std::exception& error) {
        print("connection failed:", error);
    }
    reactor.stop();
}

int main(int argc, char* argv[]) try {
    python::OptionParser parser("%prog [options]\n");
    parser.addOption("--port", "The port to listen on. Default: any free one.", "0");
    parser.addOption("--count", "How many lines the client sends; 0: there is no client.", "3");
    parser.addOption("--connect", "The port of a server that there is already.", "0");
    parser.parse(argc, argv);
    const int count = parser.number("--count");
    int serverPort = parser.number("--connect");

    if (serverPort == 0) {
        auto port =
            reactor.listenTCP(parser.number("--port"), ropewalk::serve(echo), {.interface = "127.0.0.1"});
        print("Echoing on " + str(port->getHost()) + ".");
        serverPort = port->getHost().port();
    }

    if (count > 0) {
        reactor.callWhenRunning(talkAndStop, serverPort, count);
    }

    reactor.run();
} catch (...) {
    return python::uncaught();
}
