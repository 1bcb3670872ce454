// Serves a poem, a few bytes at a time. The original blocks, and serves one client after another; this serves all at a
// time. After blocking-server/slowpoetry.py.

#include "option_parser.hpp"
#include "python_text.hpp"
#include "unicode.hpp"

#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/delayed_call.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

using python::print;
using python::str;
using ropewalk::Seconds;

auto& reactor = ropewalk::reactor();

struct Options {
    int port;
    std::string iface;
    Seconds delay;
    std::size_t numBytes;
    std::string poetryFile;
};

Options parseArgs(int argc, char* argv[]) {
    python::OptionParser parser(R"(%prog [options] poetry-file

This is the Slow Poetry Server.
Run it like this:

  ./dev run %prog examples/poetry/ecstasy.txt
)");
    parser.addOption("--port", "The port to listen on. Default: any free one.", "0");
    parser.addOption("--iface", "The interface to listen on. Default: 127.0.0.1.", "127.0.0.1");
    parser.addOption("--delay", "The number of seconds between sending bytes.", "0.7");
    parser.addOption("--num-bytes", "The number of bytes to send at a time.", "10");
    parser.parse(argc, argv);

    if (parser.args().size() != 1) {
        parser.error("Provide exactly one poetry file.");
    }
    const std::string& poetryFile = parser.args().front();
    if (!std::filesystem::exists(poetryFile)) {
        parser.error("No such file: " + poetryFile);
    }
    return {parser.number("--port"), parser.text("--iface"), Seconds(parser.number<double>("--delay")),
            parser.number<std::size_t>("--num-bytes"), poetryFile};
}

class PoetryFactory;

/// Sends the poem slowly down its connection.
class PoetryProtocol : public ropewalk::Protocol {
public:
    void connectionMade() override;

    void sendPoetry();

    void connectionLost(const ropewalk::Failure&) override {
        if (nextCall_.active()) {
            nextCall_.cancel();
        }
    }

    PoetryFactory* factory = nullptr;

private:
    std::u32string_view rest_;
    ropewalk::DelayedCall nextCall_;
};

class PoetryFactory : public ropewalk::ServerFactoryOf<PoetryProtocol> {
public:
    PoetryFactory(std::u32string thePoem, std::size_t theNumBytes, Seconds theDelay)
        : poem(std::move(thePoem)), numBytes(theNumBytes), delay(theDelay) {}

    std::u32string poem; // as characters: none is torn apart
    std::size_t numBytes;
    Seconds delay;
};

void PoetryProtocol::connectionMade() {
    const ropewalk::Address addr = transport->getPeer();
    print("Somebody at " + python::repr(std::pair(addr.host(), addr.port())) + " wants poetry!");

    rest_ = factory->poem;
    sendPoetry();
}

void PoetryProtocol::sendPoetry() {
    const std::string bytes = python::encode(rest_.substr(0, factory->numBytes));
    rest_.remove_prefix(std::min(factory->numBytes, rest_.size()));

    if (bytes.empty()) { // no more poetry :(
        transport->loseConnection();
        return;
    }

    print("Sending " + str(bytes.size()) + " bytes");

    transport->write(bytes);
    nextCall_ = reactor.callLater(factory->delay, &PoetryProtocol::sendPoetry, this);
}

int main(int argc, char* argv[]) try {
    const auto options = parseArgs(argc, argv);

    std::ifstream inputf(options.poetryFile, std::ios::binary);
    auto factory = std::make_shared<PoetryFactory>(
        python::decode(std::string(std::istreambuf_iterator<char>(inputf), {})), options.numBytes,
        options.delay);

    auto port = reactor.listenTCP(options.port, factory, {.backlog = 5, .interface = options.iface});

    print("Serving " + options.poetryFile + " on " + str(port->getHost()) + ".");

    reactor.run();
} catch (...) {
    return python::uncaught();
}
