#include <ropewalk/reactor/client_creator.hpp>

#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include <ropewalk/defer/logged_errors.hpp>

using namespace std::chrono_literals;
using ropewalk::ClientCreator;
using ropewalk::defer::CancelledError;
using tcp::World;

namespace {

struct Greeter : ropewalk::Protocol {
    Greeter() = default;
    Greeter(std::string theName, int theNumber) : name(std::move(theName)), number(theNumber) {}
    void connectionMade() override { made = true; }
    void connectionLost(const ropewalk::Failure&) override { ++lost; }
    std::string name;
    int number = 0;
    bool made = false;
    int lost = 0;
};

struct Creating : World {
    Creating() {
        endsExpected = 1;
        listen();
    }
    int number() { return port->getHost().port(); }
};

} // namespace

TEST_CASE("the Deferred gives the protocol, connected, in a turn of its own") {
    Creating world;
    std::shared_ptr<Greeter> got;
    auto creator = ropewalk::clientCreator<Greeter>(world.reactor(), std::string("me"), 7);
    auto made = creator.connectTCP("127.0.0.1", world.number());
    made.addCallback([&](std::shared_ptr<Greeter> greeter) {
        got = std::move(greeter);
        CHECK(got->made);
        CHECK(got->transport->connected());
        got->transport->loseConnection();
    });
    world.run();
    REQUIRE(got != nullptr);
    CHECK(got->name == "me");
    CHECK(got->number == 7);
    CHECK(got->lost == 1);
}

TEST_CASE("each connection has a protocol of its own") {
    Creating world;
    world.endsExpected = 2;
    ClientCreator<Greeter> creator(world.reactor());
    std::vector<std::shared_ptr<Greeter>> got;
    for (int i = 0; i < 2; ++i) {
        creator.connectTCP("127.0.0.1", world.number())
            .addCallback([&](const std::shared_ptr<Greeter>& greeter) {
                got.push_back(greeter);
                greeter->transport->loseConnection();
            });
    }
    world.run();
    REQUIRE(got.size() == 2);
    CHECK(got[0] != got[1]);
}

TEST_CASE("a connection that doesn't come about is the Deferred's failure") {
    Creating world;
    const int number = world.number();
    bool refused = false;
    world.port->stopListening().addCallback([&] {
        ClientCreator<Greeter>(world.reactor())
            .connectTCP("127.0.0.1", number)
            .addErrback([&](const ropewalk::Failure& failure) {
                failure.trap<ropewalk::ConnectionRefusedError>();
                refused = true;
                world.reactor().stop();
            });
    });
    world.run();
    CHECK(refused);
}

TEST_CASE("cancelled while it connects, it gives up with a CancelledError") {
    Creating world;
    auto made = ClientCreator<Greeter>(world.reactor()).connectTCP("127.0.0.1", world.number());
    std::string how;
    made.addErrback([&](const ropewalk::Failure& failure) { how = tcp::kindOf(failure); });
    made.cancel();
    CHECK(how == "CancelledError");
    world.stopAfter(3);
    world.run();
}

TEST_CASE("cancelled between the connection and the news of it, it closes") {
    struct Cancelling : ropewalk::Protocol {
        void connectionMade() override { cancel(); }
        static std::function<void()>& hook() {
            static std::function<void()> function;
            return function;
        }
        static void cancel() { hook()(); }
    };
    Creating world;
    auto made = ClientCreator<Cancelling>(world.reactor()).connectTCP("127.0.0.1", world.number());
    std::string how;
    made.addErrback([&](const ropewalk::Failure& failure) { how = tcp::kindOf(failure); });
    Cancelling::hook() = [&] { made.cancel(); };
    world.run();
    Cancelling::hook() = nullptr;
    CHECK(how == "CancelledError");
    CHECK(world.called("server connectionLost ConnectionDone"));
}

TEST_CASE("a reactor that goes, with one on its way, fires nothing and keeps nothing") {
    auto world = std::make_unique<Creating>();
    auto made = ClientCreator<Greeter>(world->reactor()).connectTCP("127.0.0.1", world->number());
    world->owned.reset();
    CHECK_FALSE(made.called());
    made.addErrback([](const ropewalk::Failure& failure) { failure.trap<CancelledError>(); });
    made.cancel();
}
