// Transforms poems: a netstring `cummingsify.A POEM` is answered with one of the poem in small letters. After
// twisted-server-1/transformedpoetry.py.

#include "option_parser.hpp"
#include "python_text.hpp"
#include "unicode.hpp"

#include <ropewalk/defer/log.hpp>
#include <ropewalk/protocols/netstring_receiver.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace protocols = ropewalk::protocols;

using python::print;

auto& reactor = ropewalk::reactor();

struct Options {
    int port;
    std::string iface;
};

Options parseArgs(int argc, char* argv[]) {
    python::OptionParser parser(R"(%prog [options]

This is the Poetry Transform Server.
Run it like this:

  ./dev run %prog --port 11000
)");
    parser.addOption("--port", "The port to listen on. Default: any free one.", "0");
    parser.addOption("--iface", "The interface to listen on. Default: 127.0.0.1.", "127.0.0.1");
    parser.parse(argc, argv);

    if (!parser.args().empty()) {
        parser.error("Bad arguments.");
    }
    return {parser.number("--port"), parser.text("--iface")};
}

/// What there is to be had; it knows nothing of connections.
struct TransformService {
    std::string cummingsify(std::string_view poem) const { return python::lower(poem); }
};

class TransformFactory;

/// What goes over the connection; it knows nothing of transforms.
struct TransformProtocol : protocols::NetstringReceiver {
    void stringReceived(std::string_view request) override {
        if (!request.contains('.')) { // bad request
            transport->loseConnection();
            return;
        }
        python::decode(request);
        const std::size_t dot = request.find('.');
        xformRequestReceived(request.substr(0, dot), request.substr(dot + 1));
    }

    void xformRequestReceived(std::string_view xformName, std::string_view poem);

    TransformFactory* factory = nullptr;
};

/// What stands between the two.
class TransformFactory : public ropewalk::ServerFactoryOf<TransformProtocol> {
public:
    explicit TransformFactory(const TransformService& service) : service_(service) {}

    std::optional<std::string> transform(std::string_view xformName, std::string_view poem) const {
        const auto thunk = xforms_.find(xformName);

        if (thunk == xforms_.end()) { // no such transform
            ropewalk::log::msg(python::repr(xformName) + " no such transform");
            return std::nullopt;
        }

        try {
            return (this->*thunk->second)(poem);
        } catch (const std::exception& error) {
            ropewalk::log::msg(python::type(error));
            return std::nullopt; // transform failed
        }
    }

    std::string xformCummingsify(std::string_view poem) const { return service_.cummingsify(poem); }

private:
    using Thunk = std::string (TransformFactory::*)(std::string_view poem) const;

    TransformService service_;
    std::map<std::string, Thunk, std::less<>> xforms_{{"cummingsify", &TransformFactory::xformCummingsify}};
};

void TransformProtocol::xformRequestReceived(std::string_view xformName, std::string_view poem) {
    const auto newPoem = factory->transform(xformName, poem);

    if (newPoem) {
        sendString(*newPoem);
    }

    transport->loseConnection();
}

int main(int argc, char* argv[]) try {
    const auto options = parseArgs(argc, argv);

    const TransformService service;

    auto factory = std::make_shared<TransformFactory>(service);

    auto port = reactor.listenTCP(options.port, factory, {.interface = options.iface});

    print("Serving transforms on " + str(port->getHost()) + ".");

    reactor.run();
} catch (...) {
    return python::uncaught();
}
