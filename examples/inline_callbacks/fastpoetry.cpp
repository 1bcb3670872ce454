// Serves a poem, all of it at once, to whoever connects. After twisted-server-1/fastpoetry.py.

#include "option_parser.hpp"
#include "python_text.hpp"

#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

using python::print;

auto& reactor = ropewalk::reactor();

struct Options {
    int port;
    std::string iface;
    std::string poetryFile;
};

Options parseArgs(int argc, char* argv[]) {
    python::OptionParser parser(R"(%prog [options] poetry-file

This is the Fast Poetry Server.
Run it like this:

  ./dev run %prog examples/poetry/ecstasy.txt
)");
    parser.addOption("--port", "The port to listen on. Default: any free one.", "0");
    parser.addOption("--iface", "The interface to listen on. Default: 127.0.0.1.", "127.0.0.1");
    parser.parse(argc, argv);

    if (parser.args().size() != 1) {
        parser.error("Provide exactly one poetry file.");
    }
    const std::string& poetryFile = parser.args().front();
    if (!std::filesystem::exists(poetryFile)) {
        parser.error("No such file: " + poetryFile);
    }
    return {parser.number("--port"), parser.text("--iface"), poetryFile};
}

struct PoetryFactory;

struct PoetryProtocol : ropewalk::Protocol {
    void connectionMade() override;

    PoetryFactory* factory = nullptr;
};

struct PoetryFactory : ropewalk::ServerFactoryOf<PoetryProtocol> {
    explicit PoetryFactory(std::string thePoem) : poem(std::move(thePoem)) {}

    std::string poem;
};

void PoetryProtocol::connectionMade() {
    transport->write(factory->poem);
    transport->loseConnection();
}

int main(int argc, char* argv[]) try {
    const auto options = parseArgs(argc, argv);

    std::ifstream file(options.poetryFile, std::ios::binary);
    auto factory = std::make_shared<PoetryFactory>(std::string(std::istreambuf_iterator<char>(file), {}));

    auto port = reactor.listenTCP(options.port, factory, {.interface = options.iface});

    print("Serving " + options.poetryFile + " on " + str(port->getHost()) + ".");

    reactor.run();
} catch (...) {
    return python::uncaught();
}
