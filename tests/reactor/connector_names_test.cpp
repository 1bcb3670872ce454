#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/reactor/name_resolver.hpp>
#include <support/memory_network.hpp>

using namespace std::chrono_literals;
using ropewalk::Address;
using ropewalk::Connector;
using ropewalk::IPv4Address;
using ropewalk::IPv6Address;
using ropewalk::defer::Deferred;
using tcp::Peer;
using tcp::World;

namespace {

using Addresses = std::vector<Address>;

struct FakeResolver final : ropewalk::NameResolver {
    Deferred<Addresses> resolveHostName(std::string_view name, ropewalk::Seconds timeout) override {
        asked.emplace_back(name);
        timeouts.push_back(timeout);
        return answer();
    }
    std::function<Deferred<Addresses>()> answer = [this] {
        pending = Deferred<Addresses>([this] { ++cancelled; });
        return pending;
    };
    Deferred<Addresses> pending = nullptr;
    int cancelled = 0;
    std::vector<std::string> asked;
    std::vector<ropewalk::Seconds> timeouts;
};

/// A client in a world in memory, with a resolver by hand.
struct Memory : World {
    Memory() : World(std::make_unique<MemoryNetwork>()) { reactor().installNameResolver(resolver); }
    MemoryNetwork& network() { return static_cast<MemoryNetwork&>(reactor().driver()); }
    MemoryStream& stream() { return *network().streams.back(); }
    void connectTo(ropewalk::ConnectOptions options = {}) {
        connector = reactor().connectTCP("example.org", 7, clientFactory(), options);
    }
    void outcome(std::error_code error) {
        network().soon([this, error] { stream().listener->streamConnected(error); });
        reactor().iterate();
        reactor().iterate();
    }
    const std::shared_ptr<FakeResolver> resolver = std::make_shared<FakeResolver>();
};

const Addresses several{IPv6Address{"TCP", "2001:db8::1"}, IPv4Address{"TCP", "192.0.2.1"},
                        IPv6Address{"TCP", "2001:db8::2"}, IPv4Address{"TCP", "192.0.2.2"}};
const std::error_code refusal = std::make_error_code(std::errc::connection_refused);

} // namespace

TEST_CASE("a name's addresses are tried one after another, the IPv4 ones first") {
    Memory world;
    world.connectTo({.timeout = 12s});
    CHECK(world.resolver->asked == std::vector<std::string>{"example.org"});
    CHECK(world.resolver->timeouts == std::vector<ropewalk::Seconds>{12s});
    CHECK(world.connector->getDestination().host() == "example.org");
    CHECK(world.network().connects.empty());
    world.resolver->pending.callback(several);
    world.outcome(refusal);
    world.outcome(refusal);
    world.outcome({});
    CHECK(world.network().connects == Addresses{IPv4Address{"TCP", "192.0.2.1", 7},
                                                IPv4Address{"TCP", "192.0.2.2", 7},
                                                IPv6Address{"TCP", "2001:db8::1", 7}});
    CHECK(world.called("client connectionMade"));
    CHECK(world.client.peers[0]->transport->getPeer() == Address(IPv6Address{"TCP", "2001:db8::1", 7}));
    CHECK(world.count("client startedConnecting") == 1);
    CHECK(world.network().streams[0]->closed);
    CHECK(world.network().streams[1]->closed);
}

TEST_CASE("when all addresses fail, the last error is told") {
    Memory world;
    world.connectTo();
    world.resolver->pending.callback(Addresses{several[1], several[3]});
    world.outcome(refusal);
    CHECK_FALSE(world.called("client clientConnectionFailed ConnectionRefusedError"));
    world.outcome(std::make_error_code(std::errc::network_unreachable));
    CHECK(world.called("client clientConnectionFailed NoRouteError"));
    CHECK(world.count("client stopFactory") == 1);
}

TEST_CASE("an address that can't even be tried is passed over") {
    Memory world;
    int calls = 0;
    world.network().onConnect = [&] {
        if (++calls == 1) {
            throw ropewalk::NoRouteError();
        }
    };
    world.connectTo();
    world.resolver->pending.callback(Addresses{several[1], several[3]});
    world.outcome({});
    CHECK(world.called("client connectionMade"));
    CHECK(world.client.peers[0]->transport->getPeer().host() == "192.0.2.2");
}

TEST_CASE("one time-out spans the look-up and all addresses") {
    Memory world;
    world.connectTo({.timeout = 10s});
    world.network().time = 6'000 * MemoryDriver::millisecond;
    world.resolver->pending.callback(several);
    world.network().soon([&] { world.stream().listener->streamConnected(refusal); });
    world.reactor().iterate();
    world.network().time = 10'000 * MemoryDriver::millisecond;
    world.reactor().iterate();
    CHECK(world.called("client clientConnectionFailed TimeoutError"));
    CHECK(world.network().connects.size() == 2);
    CHECK(world.network().streams[1]->closed);
}

TEST_CASE("the time-out gives the look-up up") {
    Memory world;
    world.connectTo({.timeout = 10s});
    world.network().time = 10'000 * MemoryDriver::millisecond;
    world.reactor().iterate();
    CHECK(world.resolver->cancelled == 1);
    CHECK(world.count("client clientConnectionFailed TimeoutError") == 1);
    CHECK(world.calls.back() == "client stopFactory");
}

TEST_CASE("stopConnecting gives the look-up up") {
    Memory world;
    SUBCASE("later") {
        world.connectTo();
        world.connector->stopConnecting();
    }
    SUBCASE("in startedConnecting") {
        world.client.connecting = [](Connector& connector) { connector.stopConnecting(); };
        world.connectTo();
    }
    CHECK(world.resolver->cancelled == 1);
    CHECK(world.count("client clientConnectionFailed UserError") == 1);
    CHECK(world.calls.back() == "client stopFactory");
    CHECK(world.network().connects.empty());
}

TEST_CASE("a look-up that was given up and answers all the same changes nothing, also for a new attempt") {
    Memory world;
    world.connectTo();
    const auto first = world.resolver->pending;
    world.connector->stopConnecting();
    world.connector->connect();
    REQUIRE(world.resolver->asked.size() == 2);
    if (!first.called()) {
        first.callback(several);
    }
    CHECK(world.network().connects.empty());
    world.resolver->pending.callback(several);
    CHECK(world.network().connects.size() == 1);
}

TEST_CASE("what a look-up fails with is told") {
    Memory world;
    world.connectTo();
    world.resolver->pending.errback(ropewalk::DNSLookupError());
    CHECK_FALSE(world.called("client clientConnectionFailed DNSLookupError"));
    world.reactor().iterate();
    CHECK(world.called("client clientConnectionFailed DNSLookupError"));
    CHECK(world.calls.back() == "client stopFactory");
}

TEST_CASE("a look-up that finds no address is a DNSLookupError") {
    Memory world;
    world.connectTo();
    world.resolver->pending.callback(Addresses{});
    world.reactor().iterate();
    CHECK(world.called("client clientConnectionFailed DNSLookupError"));
}

TEST_CASE("resolvers that answer at once, throw, or give nothing") {
    Memory world;
    std::string expected = "client clientConnectionFailed ";
    SUBCASE("addresses at once") {
        world.resolver->answer = [] { return ropewalk::defer::succeed(several); };
        expected = "client connectionMade";
    }
    SUBCASE("an error at once") {
        world.resolver->answer = [] { return ropewalk::defer::fail<Addresses>(ropewalk::DNSLookupError()); };
        expected += "DNSLookupError";
    }
    SUBCASE("throws") {
        world.resolver->answer = []() -> Deferred<Addresses> { throw std::runtime_error("mine"); };
        expected += "runtime_error";
    }
    SUBCASE("an empty Deferred") {
        world.resolver->answer = [] { return Deferred<Addresses>(nullptr); };
        expected += "EmptyDeferredError";
    }
    world.connectTo();
    CHECK(world.connector->state() == Connector::State::connecting);
    CHECK(world.calls == tcp::Calls{"client startFactory", "client startedConnecting"});
    if (expected == "client connectionMade") {
        world.outcome({});
    }
    world.reactor().iterate();
    CHECK(world.called(expected));
}

TEST_CASE("a connector that looks up when the reactor goes holds nothing") {
    auto world = std::make_unique<Memory>();
    world->connectTo();
    const auto connector = world->connector;
    const auto resolver = world->resolver;
    world->owned.reset();
    CHECK(connector->state() == Connector::State::disconnected);
    if (!resolver->pending.called()) {
        resolver->pending.callback(several);
    }
    connector->disconnect();
    CHECK_THROWS_AS(connector->stopConnecting(), ropewalk::NotConnectingError);
    connector->connect();
    CHECK(connector->state() == Connector::State::disconnected);
    CHECK(world->calls == tcp::Calls{"client startFactory", "client startedConnecting"});
}
