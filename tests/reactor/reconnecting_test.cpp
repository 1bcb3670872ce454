#include <ropewalk/reactor/reconnecting_client_factory.hpp>

#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <ropewalk/task/clock.hpp>
#include <support/memory_network.hpp>

using namespace std::chrono_literals;
using ropewalk::Connector;
using ropewalk::Failure;
using ropewalk::Seconds;

namespace {

struct Nothing : ropewalk::Protocol {};

struct Again final : ropewalk::FactoryOf<Nothing, ropewalk::ReconnectingClientFactory> {
    Again() {
        noisy = false;
        jitter = 0;
    }
    void startedConnecting(Connector& connector) override { last = &connector; }
    void stopFactory() override { ++stops; }
    double normalvariate(double mean, double deviation) override {
        means.push_back(mean);
        deviations.push_back(deviation);
        return chosen;
    }

    Connector* last = nullptr;
    int stops = 0;
    double chosen = 0;
    std::vector<double> means;
    std::vector<double> deviations;
};

/// A factory whose delays are on a clock, in a world in memory.
struct Retrying {
    Retrying() : reactor(std::make_unique<MemoryNetwork>()) {
        factory->clock = &clock;
        connector = reactor.connectTCP("192.0.2.9", 7, factory, {.timeout = 0s});
    }
    MemoryNetwork& network() { return static_cast<MemoryNetwork&>(reactor.driver()); }
    std::size_t attempts() { return network().connects.size(); }
    void event(std::function<void()> happens) {
        network().soon(std::move(happens));
        reactor.iterate();
    }
    void refused() {
        event([this] {
            network().streams.back()->listener->streamConnected(
                std::make_error_code(std::errc::connection_refused));
        });
    }
    void connected() {
        event([this] { network().streams.back()->listener->streamConnected({}); });
    }
    void lost() {
        event([this] { network().streams.back()->end(); });
    }

    ropewalk::task::Clock clock;
    const std::shared_ptr<Again> factory = std::make_shared<Again>();
    ropewalk::Reactor reactor;
    std::shared_ptr<Connector> connector;
};

} // namespace

TEST_CASE("a failed attempt is made again after a delay that grows by e, up to the longest") {
    Retrying world;
    world.factory->maxDelay = 10s;
    for (const double delay : {2.718281828459045, 7.38905609893065, 10.0, 10.0}) {
        const std::size_t before = world.attempts();
        world.refused();
        REQUIRE(world.clock.getDelayedCalls().size() == 1);
        CHECK(world.factory->delay.count() == doctest::Approx(delay));
        world.clock.advance(Seconds(delay - 0.001));
        CHECK(world.attempts() == before);
        world.clock.advance(Seconds(0.002));
        CHECK(world.attempts() == before + 1);
    }
    CHECK(world.factory->retries == 4);
    CHECK(world.factory->stops == 3 + 1);
    world.factory->stopTrying();
}

TEST_CASE("a lost connection is made again; resetDelay begins anew") {
    Retrying world;
    world.refused();
    world.clock.advance(3s);
    world.connected();
    world.factory->resetDelay();
    CHECK(world.factory->retries == 0);
    CHECK(world.factory->delay == 1s);
    world.lost();
    CHECK(world.factory->delay.count() == doctest::Approx(2.718281828459045));
    world.clock.advance(3s);
    CHECK(world.attempts() == 3);
    CHECK(world.connector->state() == Connector::State::connecting);
    world.factory->stopTrying();
}

TEST_CASE("maxRetries failures in a row are the last") {
    Retrying world;
    world.factory->maxRetries = 2;
    for (int i = 0; i < 5; ++i) {
        if (world.connector->state() == Connector::State::connecting) {
            world.refused();
        }
        world.clock.advance(3600s);
    }
    CHECK(world.attempts() == 3);
    CHECK(world.clock.getDelayedCalls().empty());
    CHECK(world.factory->numPorts == 0);
}

TEST_CASE("stopTrying cancels what waits") {
    Retrying world;
    world.refused();
    world.factory->stopTrying();
    CHECK(world.clock.getDelayedCalls().empty());
    world.factory->retry(world.connector.get());
    CHECK(world.clock.getDelayedCalls().empty());
    CHECK_FALSE(world.factory->continueTrying);
    world.factory->stopTrying();
    world.factory->resetDelay();
    world.factory->retry();
    world.clock.advance(3s);
    CHECK(world.attempts() == 2);
    world.factory->stopTrying();
}

TEST_CASE("stopTrying gives an attempt up, and no other follows") {
    Retrying world;
    world.refused();
    world.clock.advance(3s);
    CHECK(world.connector->state() == Connector::State::connecting);
    world.factory->stopTrying();
    CHECK(world.connector->state() == Connector::State::disconnected);
    CHECK(world.clock.getDelayedCalls().empty());
    CHECK(world.factory->numPorts == 0);
}

TEST_CASE("stopTrying gives the very first attempt up, too") {
    Retrying world;
    CHECK(world.connector->state() == Connector::State::connecting);
    world.factory->stopTrying();
    CHECK(world.connector->state() == Connector::State::disconnected);
    CHECK(world.factory->numPorts == 0);
}

TEST_CASE("stopTrying while connected keeps the connection, and makes no other") {
    Retrying world;
    world.connected();
    world.factory->stopTrying();
    CHECK(world.connector->state() == Connector::State::connected);
    world.lost();
    CHECK(world.clock.getDelayedCalls().empty());
}

TEST_CASE("jitter: a number of the normal distribution around the delay, never negative") {
    Retrying world;
    world.factory->jitter = 0.25;
    world.factory->factor = 2;
    world.factory->chosen = 2.5;
    world.refused();
    CHECK(world.factory->means == std::vector<double>{2});
    CHECK(world.factory->deviations == std::vector<double>{0.5});
    CHECK(world.clock.getDelayedCalls()[0].getTime() == Seconds(2.5));
    world.clock.advance(2.5s);
    world.factory->chosen = -3;
    world.refused();
    CHECK(world.clock.getDelayedCalls()[0].getTime() == Seconds(2.5));
    world.factory->stopTrying();
}

TEST_CASE("the driver's chance gives numbers around the mean") {
    struct Open final : ropewalk::ReconnectingClientFactory {
        std::shared_ptr<ropewalk::Protocol> buildProtocol(const ropewalk::Address&) override {
            return nullptr;
        }
        using ReconnectingClientFactory::normalvariate;
    };
    const ropewalk::Reactor reactor;
    Open factory;
    double sum = 0;
    double squares = 0;
    constexpr int count = 4000;
    for (int i = 0; i < count; ++i) {
        const double number = factory.normalvariate(10, 2);
        sum += number;
        squares += (number - 10) * (number - 10);
    }
    CHECK(sum / count == doctest::Approx(10).epsilon(0.03));
    CHECK(std::sqrt(squares / count) == doctest::Approx(2).epsilon(0.15));
}

TEST_CASE("retry without any connector is a ValueError") {
    Again factory;
    CHECK_THROWS_AS(factory.retry(), ropewalk::ValueError);
}

TEST_CASE("neither factory nor connector outlive the reactor's interest, while a delay waits or after") {
    std::weak_ptr<Again> factory;
    {
        Retrying world;
        factory = world.factory;
        world.refused();
        CHECK(world.clock.getDelayedCalls().size() == 1);
    }
    CHECK(factory.expired());
}

TEST_CASE("the delay is on the thread's reactor unless a clock is given") {
    Retrying world;
    world.factory->clock = nullptr;
    world.refused();
    CHECK(world.clock.getDelayedCalls().empty());
    CHECK(world.reactor.getDelayedCalls().size() == 1);
    world.factory->stopTrying();
    CHECK(world.reactor.getDelayedCalls().empty());
}
