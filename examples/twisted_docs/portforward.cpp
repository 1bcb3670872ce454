// Passes the connections of a port on to another host's: what `twistd portforward` does, with its options. After
// twisted/tap/portforward.py.

#include "option_parser.hpp"
#include "python_text.hpp"

#include <ropewalk/protocols/portforward.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <memory>
#include <string>

namespace protocols = ropewalk::protocols;

using python::print;
using python::str;

auto& reactor = ropewalk::reactor();

struct Options {
    int port;
    std::string iface;
    std::string host;
    int destPort;
};

Options parseArgs(int argc, char* argv[]) {
    python::OptionParser parser(R"(%prog [options]

Port Forwarder.
)");
    parser.addOption("--port", "Set the port number.", "6666");
    parser.addOption("--iface", "Set the interface to listen on. Default: 127.0.0.1.", "127.0.0.1");
    parser.addOption("--host", "Set the host.", "localhost");
    parser.addOption("--dest_port", "Set the destination port.", "6665");
    parser.parse(argc, argv);
    return {parser.number("--port"), parser.text("--iface"), parser.text("--host"),
            parser.number("--dest_port")};
}

int main(int argc, char* argv[]) try {
    const auto options = parseArgs(argc, argv);

    auto f = std::make_shared<protocols::ProxyFactory>(options.host, options.destPort);

    auto port = reactor.listenTCP(options.port, f, {.interface = options.iface});

    print("Forwarding " + str(port->getHost()) + " to " + options.host + ":" + str(options.destPort) + ".");

    reactor.run();
} catch (...) {
    return python::uncaught();
}
