// The same, with an errback that looks at the kind of the error. After twisted-client-5/get-poetry-1.py.

#include "option_parser.hpp"
#include "python_text.hpp"
#include "unicode.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <expected>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace defer = ropewalk::defer;

using python::print;
using ropewalk::Failure;
using Address = std::pair<std::string, int>; // a host and its port

auto& reactor = ropewalk::reactor();

struct Options {
    std::vector<Address> addresses;
    std::string choice;
};

Options parseArgs(int argc, char* argv[]) {
    python::OptionParser parser(R"(%prog [options] [hostname]:port ...

This is the Get Poetry Now! client, version 5.1.
Run it like this:

  ./dev run %prog port1 port2 port3 ...

to grab poetry from servers on these ports.
)");
    parser.addOption("--choice", "success, gibberish or bug. Default: one of them by chance.");
    parser.parse(argc, argv);

    if (parser.args().empty()) {
        print(parser.formatHelp());
        std::exit(0);
    }

    std::vector<Address> addresses;
    for (const std::string& address : parser.args()) {
        addresses.push_back(python::parseAddress(parser, address));
    }
    return {addresses, parser.text("--choice")};
}

class PoetryClientFactory;

struct PoetryProtocol : ropewalk::Protocol {
    void dataReceived(std::string_view data) override { poem += data; }

    void connectionLost(const Failure&) override { poemReceived(poem); }

    void poemReceived(const std::string& poem);

    std::string poem;
    PoetryClientFactory* factory = nullptr;
};

class PoetryClientFactory : public ropewalk::ClientFactoryOf<PoetryProtocol> {
public:
    explicit PoetryClientFactory(defer::Deferred<std::string> deferred) : deferred_(std::move(deferred)) {}

    void poemFinished(const std::string& poem) {
        if (deferred_) {
            const auto d = std::exchange(deferred_, nullptr);
            d.callback(poem);
        }
    }

    void clientConnectionFailed(ropewalk::Connector&, const Failure& reason) override {
        if (deferred_) {
            const auto d = std::exchange(deferred_, nullptr);
            d.errback(reason);
        }
    }

private:
    defer::Deferred<std::string> deferred_;
};

void PoetryProtocol::poemReceived(const std::string& thePoem) {
    factory->poemFinished(thePoem);
}

/// Gets a poem from a server. The Deferred fires with all of it, or with what went wrong.
defer::Deferred<std::string> getPoetry(const std::string& host, int port) {
    defer::Deferred<std::string> d;
    auto factory = std::make_shared<PoetryClientFactory>(d);
    reactor.connectTCP(host, port, factory);
    return d;
}

struct GibberishError : ropewalk::Exception {
    using Exception::Exception;
};

struct CannotCummingsify : ropewalk::Exception {
    explicit CannotCummingsify(const std::string& thePoem) : Exception(thePoem) {}
};

/// Does one of these by chance, or the one that was chosen on the command line:
///
/// 1. Return a cummingsified version of the poem.
/// 2. Throw a GibberishError.
/// 3. Throw a CannotCummingsify with the poem as it was.
std::string cummingsify(const std::string& poem, const std::string& choice) {
    const auto success = [&] { return python::lower(poem); };

    const auto gibberish = []() -> std::string { throw GibberishError(); };

    const auto bug = [&]() -> std::string { throw CannotCummingsify(poem); };

    static std::mt19937 random{std::random_device{}()};
    const std::array<std::string, 3> names{"success", "gibberish", "bug"};
    const std::array<std::function<std::string()>, 3> choices{success, gibberish, bug};
    auto chosen = std::ranges::find(names, choice);
    if (chosen == names.end()) {
        chosen = names.begin() + std::uniform_int_distribution(0, 2)(random);
    }
    return choices[static_cast<std::size_t>(chosen - names.begin())]();
}

int main(int argc, char* argv[]) {
    const auto [addresses, choice] = parseArgs(argc, argv);
    const std::size_t wanted = addresses.size();

    std::vector<std::string> poems;
    std::vector<Failure> errors;

    const auto cummingsifyFailed = [](const Failure& err) -> ropewalk::Result<std::string> {
        if (const auto* error = err.check<CannotCummingsify>()) {
            print("Cummingsify failed!");
            return error->what();
        }
        return std::unexpected(err);
    };

    const auto gotPoem = [&](const std::string& poem) {
        print(poem);
        poems.push_back(poem);
    };

    const auto poemFailed = [&](const Failure& err) {
        python::printTo(std::cerr, "The poem download failed.");
        errors.push_back(err);
    };

    const auto poemDone = [&] {
        if (poems.size() + errors.size() == wanted) {
            reactor.stop();
        }
    };

    for (const auto& [host, port] : addresses) {
        auto d = getPoetry(host, port);
        d.addCallback(cummingsify, choice);
        d.addErrback(cummingsifyFailed);
        d.addCallbacks(gotPoem, poemFailed);
        d.addBoth(poemDone);
    }

    reactor.run();
}
