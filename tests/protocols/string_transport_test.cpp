#include <ropewalk/protocols/string_transport.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/protocols/accumulating_protocol.hpp>
#include <ropewalk/reactor/connection_errors.hpp>

using ropewalk::IPv4Address;
using ropewalk::Producer;
using ropewalk::RuntimeError;
using ropewalk::protocols::AccumulatingProtocol;
using ropewalk::protocols::StringTransport;
using ropewalk::protocols::StringTransportWithDisconnection;

namespace {

struct Counted final : Producer {
    void resumeProducing() override { ++calls; }
    void pauseProducing() override { ++calls; }
    void stopProducing() override { ++calls; }
    int calls = 0;
};

} // namespace

TEST_CASE("a StringTransport keeps what is written, until it is cleared") {
    StringTransport transport;
    transport.write("ab");
    transport.write(std::string("cd"));
    transport.writeSequence({"e", "f"});
    CHECK(transport.value() == "abcdef");
    CHECK(transport.writeBufferSize() == 0);
    transport.clear();
    CHECK(transport.value().empty());
    transport.loseConnection();
    transport.write("g");
    CHECK(transport.value() == "g");
}

TEST_CASE("its addresses are Twisted's, or those that were given") {
    const StringTransport transport;
    REQUIRE(transport.getHost().as<IPv4Address>() != nullptr);
    CHECK(*transport.getHost().as<IPv4Address>() == IPv4Address{"TCP", "10.0.0.1", 12345});
    CHECK(*transport.getPeer().as<IPv4Address>() == IPv4Address{"TCP", "192.168.1.1", 54321});
    const StringTransport other(
        {.hostAddress = ropewalk::UNIXAddress{"/a"}, .peerAddress = ropewalk::UNIXAddress{"/b"}});
    CHECK(other.getHost().host() == "/a");
    CHECK(other.getPeer().host() == "/b");
}

TEST_CASE("loseConnection is noted, and so are abortConnection and loseWriteConnection") {
    StringTransport transport;
    CHECK(transport.connected());
    CHECK_FALSE(transport.disconnecting());
    transport.loseWriteConnection();
    CHECK(transport.writeDisconnected());
    CHECK_FALSE(transport.disconnecting());
    transport.loseConnection();
    CHECK(transport.disconnecting());
    CHECK_FALSE(transport.disconnected());
    CHECK(transport.connected());
    transport.abortConnection();
    CHECK(transport.disconnected());
}

TEST_CASE("it keeps one producer, and calls it never") {
    StringTransport transport;
    const auto producer = std::make_shared<Counted>();
    CHECK_THROWS_AS(transport.unregisterProducer(), RuntimeError);
    transport.registerProducer(producer, true);
    CHECK(transport.producer() == producer);
    CHECK(transport.streaming() == true);
    CHECK_THROWS_AS(transport.registerProducer(std::make_shared<Counted>(), false), RuntimeError);
    CHECK(transport.producer() == producer);
    CHECK(transport.streaming() == true);
    transport.unregisterProducer();
    CHECK(transport.producer() == nullptr);
    CHECK(transport.streaming() == std::nullopt);
    transport.registerProducer(producer, false);
    CHECK(transport.streaming() == false);
    CHECK(producer->calls == 0);
}

TEST_CASE("as a producer it says what it was told") {
    StringTransport transport;
    CHECK(transport.producerState() == "producing");
    transport.pauseProducing();
    CHECK(transport.producerState() == "paused");
    transport.resumeProducing();
    CHECK(transport.producerState() == "producing");
    transport.stopProducing();
    CHECK(transport.producerState() == "stopped");
    CHECK_THROWS_AS(transport.pauseProducing(), RuntimeError);
    CHECK_THROWS_AS(transport.resumeProducing(), RuntimeError);
    CHECK(transport.producerState() == "stopped");
}

TEST_CASE("after loseConnection it can't be paused or resumed, unless it is lenient") {
    StringTransport strict;
    strict.loseConnection();
    CHECK_THROWS_AS(strict.pauseProducing(), RuntimeError);
    CHECK_THROWS_AS(strict.resumeProducing(), RuntimeError);
    StringTransport lenient({.lenient = true});
    lenient.loseConnection();
    lenient.pauseProducing();
    CHECK(lenient.producerState() == "paused");
    lenient.resumeProducing();
    CHECK(lenient.producerState() == "producing");
}

TEST_CASE("StringTransportWithDisconnection tells its protocol at once, and once") {
    for (const bool abort : {false, true}) {
        const auto transport = std::make_shared<StringTransportWithDisconnection>();
        const auto protocol = std::make_shared<AccumulatingProtocol>();
        transport->protocol = protocol;
        protocol->makeConnection(transport);
        CHECK(protocol->made);
        abort ? transport->abortConnection() : transport->loseConnection();
        REQUIRE(protocol->closed);
        CHECK(protocol->closedReason->check<ropewalk::ConnectionDone>() != nullptr);
        CHECK(protocol->closedReason->getErrorMessage().find("Bye.") != std::string::npos);
        CHECK_FALSE(transport->connected());
        CHECK(transport->disconnected() == abort);
        protocol->closed = false;
        transport->loseConnection();
        CHECK_FALSE(protocol->closed);
    }
    StringTransportWithDisconnection alone;
    alone.loseConnection();
    CHECK_FALSE(alone.connected());
}
