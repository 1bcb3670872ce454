#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/concurrent.hpp>
#include <ropewalk/flow/line_break.hpp>
#include <ropewalk/flow/protocol.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/protocols/line_receiver.hpp>
#include <ropewalk/protocols/string_transport.hpp>
#include <ropewalk/protocols/transport_pair.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/clock.hpp>

namespace flow = ropewalk::flow;
namespace defer = ropewalk::defer;
namespace protocols = ropewalk::protocols;
using ropewalk::Failure;
using Transport = protocols::StringTransport;

namespace {

struct Closing {
    explicit Closing(std::string& theText) : text(theText) {}
    Closing(const Closing&) = delete;
    Closing& operator=(const Closing&) = delete;
    ~Closing() { text += "closed"; }
    std::string& text;
};

flow::Generator<> echo(flow::Connection& connection) {
    co_yield connection;
    for (std::string& data : connection) {
        connection.write(data);
        co_yield connection;
    }
}

flow::Generator<std::string> yieldingEcho(flow::Connection& connection) {
    while (auto data = co_await connection) {
        co_yield "<" + *data + ">";
    }
}

/// A protocol that is connected to a StringTransport.
template <class Maker>
struct Connected {
    explicit Connected(const Maker& maker) : protocol(maker()), transport(std::make_shared<Transport>()) {
        protocol->makeConnection(transport);
    }

    void lose(const Failure& reason = Failure(ropewalk::ConnectionDone())) {
        protocol->connectionLost(reason);
    }

    std::shared_ptr<flow::Protocol> protocol;
    std::shared_ptr<Transport> transport;
};

/// For the flows that aren't given a clock.
struct WithReactor {
    ropewalk::Reactor reactor;
};

} // namespace

TEST_CASE_FIXTURE(WithReactor, "an echo, which writes by itself") {
    const Connected at(flow::makeProtocol(echo));
    at.protocol->dataReceived("hello");
    CHECK(at.transport->value() == "hello");
    at.protocol->dataReceived(", world");
    CHECK(at.transport->value() == "hello, world");
    CHECK_FALSE(at.transport->disconnecting());
}

TEST_CASE_FIXTURE(WithReactor, "what a flow yields is written") {
    const Connected at(flow::makeProtocol(yieldingEcho));
    at.protocol->dataReceived("a");
    at.protocol->dataReceived("b");
    CHECK(at.transport->value() == "<a><b>");
}

TEST_CASE_FIXTURE(WithReactor, "the connection closes when the flow ends") {
    SUBCASE("a generator") {
        const Connected at(
            flow::makeProtocol([](flow::Connection& connection) -> flow::Generator<std::string> {
                co_yield "name? ";
                co_yield "hello " + *co_await connection;
            }));
        CHECK(at.transport->value() == "name? ");
        CHECK_FALSE(at.transport->disconnecting());
        at.protocol->dataReceived("Ann");
        CHECK(at.transport->value() == "name? hello Ann");
        CHECK(at.transport->disconnecting());
        CHECK(at.transport->producer() == nullptr);
    }
    SUBCASE("a list") {
        const Connected at(flow::makeProtocol([] { return std::vector<std::string>{"to be", " or not"}; }));
        CHECK(at.transport->value() == "to be or not");
        CHECK(at.transport->disconnecting());
    }
    SUBCASE("a text") {
        const Connected at(flow::makeProtocol([](flow::Connection&) { return "Go away.\r\n"; }));
        CHECK(at.transport->value() == "Go away.\r\n");
        CHECK(at.transport->disconnecting());
    }
}

TEST_CASE_FIXTURE(WithReactor, "a recipe over the connection is a flow, too") {
    const Connected at(flow::makeProtocol([](flow::Connection& connection) {
        return flow::LineBreak(connection, {.delimiter = "\n", .trailer = true});
    }));
    at.protocol->dataReceived("on");
    CHECK(at.transport->value().empty());
    at.protocol->dataReceived("e\ntwo\nthr");
    CHECK(at.transport->value() == "onetwo");
}

TEST_CASE_FIXTURE(WithReactor, "lines broken by a stage within the flow") {
    const Connected at(flow::makeProtocol([](flow::Connection& connection) -> flow::Generator<> {
        auto lines = flow::wrap(flow::LineBreak(connection, {.trailer = true}));
        while (auto line = co_await lines) {
            connection.write("[" + *line + "]");
        }
        connection.write(".");
    }));
    at.protocol->dataReceived("one\r\ntw");
    at.protocol->dataReceived("o\r\n");
    CHECK(at.transport->value() == "[one][two]");
}

TEST_CASE_FIXTURE(WithReactor, "each connection has a flow of its own, and all share the function") {
    int connections = 0;
    const auto maker = flow::makeProtocol([&connections, text = std::string("held")](
                                              flow::Connection& connection) -> flow::Generator<std::string> {
        const int number = ++connections;
        while (co_await connection) {
            co_yield text + std::to_string(number);
        }
    });
    const Connected one(maker);
    const Connected two(maker);
    two.protocol->dataReceived("?");
    one.protocol->dataReceived("?");
    CHECK(one.transport->value() == "held1");
    CHECK(two.transport->value() == "held2");
}

TEST_CASE_FIXTURE(WithReactor, "what the function holds lives as long as the flows") {
    std::string closed;
    std::shared_ptr<flow::Protocol> protocol;
    const auto transport = std::make_shared<Transport>();
    {
        const auto maker = flow::makeProtocol(
            [held = std::make_shared<Closing>(closed)](flow::Connection& connection) -> flow::Generator<> {
                while (co_await connection) {
                    connection.write(held->text);
                }
            });
        protocol = maker();
        protocol->makeConnection(transport);
    }
    CHECK(closed.empty());
    closed = "still here ";
    protocol->dataReceived("?");
    CHECK(transport->value() == "still here ");
    protocol->connectionLost(Failure(ropewalk::ConnectionDone()));
    protocol.reset();
    CHECK(closed == "still here closed");
}

TEST_CASE_FIXTURE(WithReactor, "a connection that is done ends the stage, after what was received") {
    std::string end;
    const auto reads = [&end](flow::Connection& connection) -> flow::Generator<> {
        co_yield connection;
        for (const std::string& data : connection) {
            end += data;
            co_yield connection;
        }
        end += ".";
    };
    Connected at(flow::makeProtocol(reads));
    at.protocol->dataReceived("a");
    SUBCASE("done") {
        at.lose();
    }
    SUBCASE("lost") {
        at.lose(Failure(ropewalk::ConnectionLost()));
    }
    CHECK(end == "a.");
    CHECK_FALSE(at.transport->disconnecting()); // nobody closes what is lost
}

TEST_CASE_FIXTURE(WithReactor, "without finishOnConnectionLost a lost connection is an error of the stage") {
    std::string end;
    const auto reads = [&end](flow::Connection& connection) -> flow::Generator<> {
        auto data = flow::wrap(connection, flow::trap<ropewalk::ConnectionLost>);
        while (auto some = co_await data) {
            end += some->has_value() ? **some : "lost";
        }
        end += ".";
    };
    const auto maker = flow::makeProtocol(reads, {.finishOnConnectionLost = false});
    Connected lost(maker);
    lost.protocol->dataReceived("a");
    lost.lose(Failure(ropewalk::ConnectionLost()));
    CHECK(end == "alost.");
    end.clear();
    Connected done(maker);
    done.lose();
    CHECK(end == ".");
}

TEST_CASE_FIXTURE(WithReactor, "an error other than a lost connection is one of the stage") {
    const auto maker = flow::makeProtocol(yieldingEcho);
    Connected at(maker);
    at.lose(Failure(ropewalk::ValueError("odd")));
    CHECK(defer::flushLoggedErrors<ropewalk::ValueError>().size() == 1);
}

TEST_CASE_FIXTURE(WithReactor, "that the connection was lost isn't logged as an error of the flow") {
    Connected at(flow::makeProtocol(yieldingEcho, {.finishOnConnectionLost = false}));
    at.lose(Failure(ropewalk::ConnectionLost()));
    CHECK(at.protocol->failure);
}

TEST_CASE_FIXTURE(WithReactor, "an error of the flow comes out of the transport's call that has led to it") {
    const auto fails = [](flow::Connection& connection) -> flow::Generator<> {
        co_await connection;
        throw ropewalk::ValueError("bad data");
    };
    const Connected at(flow::makeProtocol(fails));
    CHECK_THROWS_AS(at.protocol->dataReceived("x"), ropewalk::ValueError);
    CHECK(at.transport->disconnecting());

    const auto failsAtOnce = []() -> flow::Generator<> {
        throw ropewalk::ValueError("no");
        co_return;
    };
    const auto protocol = flow::makeProtocol(failsAtOnce)();
    CHECK_THROWS_AS(protocol->makeConnection(std::make_shared<Transport>()), ropewalk::ValueError);
    const auto another = flow::makeProtocol(
        [](flow::Connection&) -> flow::Generator<> { throw ropewalk::KeyError("none"); })();
    CHECK_THROWS_AS(another->makeConnection(std::make_shared<Transport>()), ropewalk::KeyError);
}

TEST_CASE_FIXTURE(WithReactor, "any other error of the flow is logged, and closes the connection") {
    ropewalk::task::Clock clock;
    const auto fails = []() -> flow::Generator<std::string> {
        co_yield flow::Cooperate(ropewalk::Seconds(1));
        co_yield "sorry";
        throw ropewalk::ValueError("bad luck");
    };
    const Connected at(flow::makeProtocol(fails, {.clock = &clock}));
    CHECK_FALSE(at.transport->disconnecting());
    clock.advance(ropewalk::Seconds(1));
    CHECK(at.transport->value() == "sorry");
    CHECK(at.transport->disconnecting());
    CHECK(defer::flushLoggedErrors<ropewalk::ValueError>().size() == 1);
}

TEST_CASE_FIXTURE(WithReactor, "what is yielded and no flow can pause with is an error of the flow") {
    struct Odd : flow::Instruction {};
    const auto maker = flow::makeProtocol([]() -> flow::Generator<> { co_yield Odd(); });
    CHECK_THROWS_AS(Connected{maker}, ropewalk::Unsupported);
}

TEST_CASE_FIXTURE(WithReactor, "inheritance: controller() is a coroutine of the protocol's") {
    struct Counting : flow::Protocol {
        flow::Generator<std::string> controller() override {
            co_yield *this;
            for (std::string& data : *this) {
                total += data.size();
                co_yield std::to_string(total) + " ";
                co_yield *this;
            }
        }
        std::size_t total = 0;
    };
    const auto protocol = std::make_shared<Counting>();
    const auto transport = std::make_shared<Transport>();
    protocol->makeConnection(transport);
    protocol->dataReceived("abc");
    protocol->dataReceived("de");
    CHECK(transport->value() == "3 5 ");
}

TEST_CASE_FIXTURE(WithReactor, "a protocol without a controller says so") {
    const auto protocol = std::make_shared<flow::Protocol>();
    CHECK_THROWS_AS(protocol->makeConnection(std::make_shared<Transport>()), ropewalk::UnsupportedError);
}

TEST_CASE_FIXTURE(WithReactor, "another protocol's callback may be the source") {
    struct Lines : flow::ProtocolOf<protocols::LineReceiver> {
        void lineReceived(std::string_view line) override { result(std::string(line)); }
        flow::Generator<std::string> controller() override {
            while (auto line = co_await *this) {
                if (*line == "stop") {
                    throw ropewalk::ValueError("stopped");
                }
                co_yield "(" + *line + ")";
            }
        }
    };
    const auto protocol = std::make_shared<Lines>();
    const auto transport = std::make_shared<Transport>();
    protocol->makeConnection(transport);
    protocol->dataReceived("one\r\ntwo\r\nthr");
    CHECK(transport->value() == "(one)(two)");
    CHECK_THROWS_AS(protocol->dataReceived("ee\r\nstop\r\n"), ropewalk::ValueError);
    CHECK(transport->value() == "(one)(two)(three)");
}

TEST_CASE_FIXTURE(WithReactor, "results of another type, of a base with arguments of its own") {
    struct Telling : ropewalk::Protocol {
        explicit Telling(int theFactor) : factor(theFactor) {}
        virtual void numberReceived(int) = 0;
        void dataReceived(std::string_view data) override {
            numberReceived(factor * std::stoi(std::string(data)));
        }
        int factor;
    };
    struct Adding : flow::ProtocolOf<Telling, int> {
        using flow::ProtocolOf<Telling, int>::ProtocolOf;
        void numberReceived(int n) override { result(n); }
        flow::Generator<std::string> controller() override {
            int sum = 0;
            while (auto n = co_await *this) {
                sum += *n;
                co_yield std::to_string(sum) + ";";
            }
        }
    };
    const auto protocol = std::make_shared<Adding>(10);
    const auto transport = std::make_shared<Transport>();
    protocol->makeConnection(transport);
    protocol->dataReceived("1");
    protocol->dataReceived("2");
    CHECK(transport->value() == "10;30;");
}

TEST_CASE_FIXTURE(WithReactor, "two flows talk to each other") {
    std::string heard;
    const auto client = [&heard](flow::Connection& connection) -> flow::Generator<> {
        connection.write("testing");
        heard = *co_await connection;
    };
    const auto serverSide = flow::makeProtocol(echo)();
    const auto clientSide = flow::makeProtocol(client)();
    protocols::TransportPair pair(serverSide, clientSide);
    pair.flush();
    CHECK(heard == "testing");
    CHECK_FALSE(pair.clientTransport().connected());
    CHECK_FALSE(pair.serverTransport().connected());
}

TEST_CASE_FIXTURE(WithReactor, "what it makes goes where a factory is wanted") {
    struct Named : ropewalk::ClientFactory {
        explicit Named(std::string theName) : name(std::move(theName)) {}
        std::string name;
    };
    const auto maker = flow::makeProtocol(echo);
    const std::shared_ptr<ropewalk::Factory> any = maker;
    const std::shared_ptr<ropewalk::ServerFactory> server = maker;
    const std::shared_ptr<ropewalk::ClientFactory> client = maker;
    const std::shared_ptr<Named> named = maker.factory<Named>("mine");
    CHECK(named->name == "mine");
    for (const std::shared_ptr<ropewalk::Factory>& factory :
         {any, std::shared_ptr<ropewalk::Factory>(server), std::shared_ptr<ropewalk::Factory>(client),
          std::shared_ptr<ropewalk::Factory>(named)}) {
        const auto protocol = factory->buildProtocol(ropewalk::Address());
        REQUIRE(protocol != nullptr);
        const auto transport = std::make_shared<Transport>();
        protocol->makeConnection(transport);
        protocol->dataReceived("x");
        CHECK(transport->value() == "x");
    }
}
