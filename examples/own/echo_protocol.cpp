// An echo server and its client, as protocols: what comes is sent back.
//
//     echo_protocol                    a server on any free port, and a client that sends it three lines
//     echo_protocol --port 8000 --count 0     the server alone, until it is stopped
//     echo_protocol --connect 8000            the client alone
//
// echo_awaited is the same as coroutines.

#include "option_parser.hpp"
#include "python_text.hpp"

#include <ropewalk/protocols/line_receiver.hpp>
#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace protocols = ropewalk::protocols;

using python::print;
using python::str;
using ropewalk::Failure;

auto& reactor = ropewalk::reactor();

struct Echo : ropewalk::Protocol {
    void dataReceived(std::string_view data) override { transport->write(data); }
};

struct EchoClient : protocols::LineReceiver {
    explicit EchoClient(int theCount) : count(theCount) {}

    void connectionMade() override { sayNext(); }

    void lineReceived(std::string_view line) override {
        print("received:", line);
        sayNext();
    }

    void sayNext() {
        if (said == count) {
            transport->loseConnection();
            return;
        }
        said += 1;
        sendLine("Hello, world! " + str(said));
    }

    int count;
    int said = 0;
};

struct EchoClientFactory : ropewalk::ClientFactory {
    explicit EchoClientFactory(int theCount) : count(theCount) {}

    std::shared_ptr<ropewalk::Protocol> buildProtocol(const ropewalk::Address&) override {
        return std::make_shared<EchoClient>(count);
    }

    void clientConnectionFailed(ropewalk::Connector&, const Failure& reason) override {
        print("connection failed:", reason.getErrorMessage());
        reactor.stop();
    }

    void clientConnectionLost(ropewalk::Connector&, const Failure& reason) override {
        print("connection lost:", reason.getErrorMessage());
        reactor.stop();
    }

    int count;
};

int main(int argc, char* argv[]) try {
    python::OptionParser parser("%prog [options]\n");
    parser.addOption("--port", "The port to listen on. Default: any free one.", "0");
    parser.addOption("--count", "How many lines the client sends; 0: there is no client.", "3");
    parser.addOption("--connect", "The port of a server that there is already.", "0");
    parser.parse(argc, argv);
    const int count = parser.number("--count");
    int serverPort = parser.number("--connect");

    if (serverPort == 0) {
        auto port = reactor.listenTCP(parser.number("--port"), ropewalk::Factory::forProtocol<Echo>(),
                                      {.interface = "127.0.0.1"});
        print("Echoing on " + str(port->getHost()) + ".");
        serverPort = port->getHost().port();
    }

    if (count > 0) {
        reactor.connectTCP("127.0.0.1", serverPort, std::make_shared<EchoClientFactory>(count));
    }

    reactor.run();
} catch (...) {
    return python::uncaught();
}
