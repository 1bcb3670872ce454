// An echo server and its client, each a function: the connection is a stage, and is closed when the function ends. After
// flow-howto.txt, "Flow Protocols". --port says where they meet; 0 takes any free port.

#include "option_parser.hpp"
#include "python_text.hpp"

#include <ropewalk/flow/generator.hpp>
#include <ropewalk/flow/protocol.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <string>

using python::print;
using ropewalk::Connector;
using ropewalk::Failure;
namespace flow = ropewalk::flow;

auto& reactor = ropewalk::reactor();

flow::Generator<> echoServer(flow::Connection& conn) {
    co_yield conn;
    for (std::string& data : conn) {
        conn.write(data);
        co_yield conn;
    }
}

flow::Generator<> echoClient(flow::Connection& conn) {
    conn.write("Hello World");
    co_yield conn;
    print(conn.next());
    conn.write("Another Line");
    co_yield conn;
    print(conn.next());
}

/// Stops the reactor when there is nothing left to do.
struct EchoClientFactory : ropewalk::ClientFactory {
    void clientConnectionFailed(Connector&, const Failure& reason) override {
        print(reason.getErrorMessage());
        reactor.stop();
    }
    void clientConnectionLost(Connector&, const Failure&) override { reactor.stop(); }
};

int main(int argc, char* argv[]) {
    python::OptionParser options("usage: %prog [options]");
    options.addOption("--port", "The port to serve on and to connect to.", "8392");
    options.parse(argc, argv);

    const auto port = reactor.listenTCP(options.number("--port"), flow::makeProtocol(echoServer));

    reactor.connectTCP("localhost", port->getHost().port(),
                       flow::makeProtocol(echoClient).factory<EchoClientFactory>());
    reactor.run();
}
