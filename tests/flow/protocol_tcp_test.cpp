#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/line_break.hpp>
#include <ropewalk/flow/protocol.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/reactor.hpp>

// Flow protocols on both sides of a real connection.

namespace flow = ropewalk::flow;
namespace defer = ropewalk::defer;
using ropewalk::Failure;
using ropewalk::Reactor;

namespace {

flow::Generator<> echo(flow::Connection& connection) {
    co_yield connection;
    for (std::string& data : connection) {
        connection.write(std::move(data));
        co_yield connection;
    }
}

/// Tells why its connection was lost.
struct Losing : ropewalk::ClientFactory {
    explicit Losing(Reactor& theReactor) : reactor(theReactor) {}
    void clientConnectionLost(ropewalk::Connector&, const Failure& failure) override {
        reason = failure;
        reactor.callLater(ropewalk::Seconds(0), [this] { reactor.stop(); });
    }
    Reactor& reactor;
    Failure reason{nullptr};
};

template <class Server, class Client>
Failure talk(Reactor& reactor, Server&& server, Client&& client) {
    const auto port = reactor.listenTCP(0, std::forward<Server>(server));
    const auto factory = flow::makeProtocol(std::forward<Client>(client)).template factory<Losing>(reactor);
    reactor.connectTCP("127.0.0.1", port->getHost().port(), factory);
    reactor.run();
    return factory->reason;
}

} // namespace

TEST_CASE("an echo over TCP") {
    Reactor reactor;
    std::string heard;
    const Failure reason =
        talk(reactor, flow::makeProtocol(echo), [&heard](flow::Connection& connection) -> flow::Generator<> {
            connection.write("Hello World");
            co_yield connection;
            heard += connection.next() + "|";
            connection.write("Another Line");
            co_yield connection;
            heard += connection.next();
        });
    CHECK(heard == "Hello World|Another Line");
    CHECK(reason.check<ropewalk::ConnectionDone>() != nullptr);
}

TEST_CASE("an inherited protocol, and lines") {
    struct Lines : flow::Protocol {
        flow::Generator<std::string> controller() override {
            auto lines = flow::wrap(flow::LineBreak(*this));
            while (auto line = co_await lines) {
                if (*line == "quit") {
                    co_return;
                }
                co_yield "<" + *line + ">";
            }
        }
    };
    Reactor reactor;
    std::string heard;
    const Failure reason = talk(reactor, ropewalk::Factory::forProtocol<Lines>(),
                                [&heard](flow::Connection& connection) -> flow::Generator<std::string> {
                                    co_yield "one\r\ntwo\r\nquit\r\nthree\r\n";
                                    while (auto data = co_await connection) {
                                        heard += *data;
                                    }
                                });
    CHECK(heard == "<one><two>");
    CHECK(reason.check<ropewalk::ConnectionDone>() != nullptr);
}

TEST_CASE("twenty megabytes through an echo, of which little waits at a time") {
    constexpr std::size_t all = 20'000'000;
    Reactor reactor;
    std::size_t heard = 0;
    std::size_t most = 0;
    talk(reactor, flow::makeProtocol(echo),
         [&](flow::Connection& connection) -> flow::Generator<std::string> {
             std::size_t sent = 0;
             while (sent < all) {
                 for (int i = 0; i < 20; ++i) {
                     sent += 10'000;
                     co_yield std::string(10'000, 'x');
                     most = std::max(most, connection.transport->writeBufferSize());
                 }
                 while (heard < sent) {
                     const auto data = co_await connection;
                     heard += data->size();
                 }
             }
         });
    CHECK(heard == all);
    CHECK(most < 200'000);
}

TEST_CASE("an error of a flow costs its own connection") {
    Reactor reactor;
    int served = 0;
    const auto server = [&served](flow::Connection& connection) -> flow::Generator<std::string> {
        const int number = ++served;
        co_await connection;
        if (number == 1) {
            throw ropewalk::ValueError("bad luck");
        }
        co_yield "fine";
    };
    const auto port = reactor.listenTCP(0, flow::makeProtocol(server));
    std::string heard;
    int lost = 0;
    const auto client = [&](flow::Connection& connection) -> flow::Generator<> {
        connection.write("?");
        while (auto data = co_await connection) {
            heard += *data;
        }
        if (++lost == 2) {
            reactor.stop();
        }
    };
    for (int i = 0; i < 2; ++i) {
        reactor.connectTCP("127.0.0.1", port->getHost().port(), flow::makeProtocol(client));
    }
    reactor.run();
    CHECK(heard == "fine");
    CHECK(defer::flushLoggedErrors<ropewalk::ValueError>().size() == 1);
}

TEST_CASE("a flow goes on when the peer has reset the connection") {
    Reactor reactor;
    const defer::Deferred<void> gate;
    std::string log;
    const auto server = [&](flow::Connection& connection) -> flow::Generator<> {
        co_await connection;
        connection.write("got it");
        co_yield gate;
        connection.write("nobody is there");
        log += co_await connection ? "more" : "end";
        reactor.stop();
    };
    const auto client = [&](flow::Connection& connection) -> flow::Generator<> {
        connection.write("?");
        co_await connection;
        connection.transport->abortConnection();
        reactor.callLater(ropewalk::Seconds(0.02), [&] { gate.callback(); });
    };
    const auto port = reactor.listenTCP(0, flow::makeProtocol(server));
    reactor.connectTCP("127.0.0.1", port->getHost().port(), flow::makeProtocol(client));
    reactor.run();
    CHECK(log == "end");
}
