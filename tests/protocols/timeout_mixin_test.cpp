#include <ropewalk/protocols/timeout_mixin.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string_view>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/protocols/line_receiver.hpp>
#include <ropewalk/protocols/string_transport.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/clock.hpp>

using namespace std::chrono_literals;
using ropewalk::Seconds;
using ropewalk::protocols::LineReceiver;
using ropewalk::protocols::StringTransport;
using ropewalk::protocols::StringTransportWithDisconnection;
using ropewalk::protocols::TimeoutMixin;
using ropewalk::task::Clock;

namespace {

struct Timed : LineReceiver, TimeoutMixin {
    explicit Timed(Clock& clock) : TimeoutMixin(*this, clock) {}
    void lineReceived(std::string_view) override { resetTimeout(); }
    void timeoutConnection() override {
        ++timedOut;
        TimeoutMixin::timeoutConnection();
    }
    void connectionLost(const ropewalk::Failure&) override {
        ++lost;
        setTimeout(std::nullopt);
    }
    int timedOut = 0;
    int lost = 0;
};

struct World {
    World() { timed.makeConnection(transport); }
    Clock clock;
    std::shared_ptr<StringTransport> transport = std::make_shared<StringTransport>();
    Timed timed{clock};
};

} // namespace

TEST_CASE("the connection closes when the time is over, once") {
    World world;
    CHECK(world.timed.setTimeout(10s) == std::nullopt);
    world.clock.advance(9999ms);
    CHECK_FALSE(world.transport->disconnecting());
    world.clock.advance(1ms);
    CHECK(world.transport->disconnecting());
    world.clock.advance(100s);
    CHECK(world.timed.timedOut == 1);
    CHECK(world.timed.timeOut() == Seconds(10));
}

TEST_CASE("resetTimeout begins the time anew, exactly, and moves no timed call") {
    World world;
    world.timed.setTimeout(10s);
    const auto call = world.clock.getDelayedCalls().at(0);
    world.clock.advance(6s);
    world.timed.dataReceived("line\r\n");
    CHECK(world.clock.getDelayedCalls().at(0) == call);
    CHECK(call.getTime() == 10s);
    world.clock.advance(4s);
    CHECK(world.timed.timedOut == 0);
    world.clock.advance(5s);
    world.timed.dataReceived("line\r\n");
    world.clock.advance(9s);
    CHECK(world.timed.timedOut == 0);
    world.clock.advance(1s);
    CHECK(world.timed.timedOut == 1);
}

TEST_CASE("the moment is exact, whatever the sums of times come to") {
    for (int period = 1; period < 200; ++period) {
        World world;
        const Seconds time(0.1 * period);
        world.timed.setTimeout(time);
        Seconds end = time;
        for (int i = 0; i < 50; ++i) {
            world.clock.advance(Seconds(0.07 * period / 3));
            world.timed.resetTimeout();
            end = world.clock.seconds() + time;
        }
        while (world.clock.seconds() < end) {
            CHECK(world.timed.timedOut == 0);
            Seconds step = (end - world.clock.seconds()) / 2;
            if (step < 1ns) step = end - world.clock.seconds();
            world.clock.advance(step);
        }
        CHECK(world.timed.timedOut == 1);
    }
}

TEST_CASE("setTimeout gives the old time; a new one begins at once, shorter or longer") {
    World world;
    CHECK(world.timed.setTimeout(10s) == std::nullopt);
    world.clock.advance(1s);
    CHECK(world.timed.setTimeout(2s) == Seconds(10));
    world.clock.advance(1s);
    CHECK(world.timed.setTimeout(5s) == Seconds(2));
    world.clock.advance(4s);
    CHECK(world.timed.timedOut == 0);
    world.clock.advance(1s);
    CHECK(world.timed.timedOut == 1);
}

TEST_CASE("without a time there is no time-out, and nothing to reset") {
    World world;
    world.timed.resetTimeout();
    world.timed.setTimeout(10s);
    CHECK(world.timed.setTimeout(std::nullopt) == Seconds(10));
    CHECK(world.clock.getDelayedCalls().empty());
    world.timed.resetTimeout();
    world.clock.advance(100s);
    CHECK(world.timed.timedOut == 0);
    CHECK(world.timed.setTimeout(std::nullopt) == std::nullopt);
}

TEST_CASE("after a time-out resetTimeout does nothing, and setTimeout begins anew") {
    World world;
    world.timed.setTimeout(1s);
    world.clock.advance(1s);
    world.timed.resetTimeout();
    world.clock.advance(5s);
    CHECK(world.timed.timedOut == 1);
    CHECK(world.timed.setTimeout(1s) == Seconds(1));
    world.clock.advance(1s);
    CHECK(world.timed.timedOut == 2);
}

TEST_CASE("a negative time is refused") {
    World world;
    CHECK_THROWS_AS(world.timed.setTimeout(-1s), ropewalk::AssertionError);
    CHECK(world.timed.setTimeout(0s) == std::nullopt);
    world.clock.advance(0s);
    CHECK(world.timed.timedOut == 1);
}

TEST_CASE("no time at all is a time, of a clock that goes on too") {
    ropewalk::Reactor reactor; // outside its run it reads the clock each time
    ropewalk::Protocol protocol;
    for (int i = 0; i < 100; ++i) {
        TimeoutMixin timed(protocol, reactor);
        CHECK_NOTHROW(timed.setTimeout(0s));
        CHECK_NOTHROW(timed.setTimeout(Seconds(1e-9)));
        CHECK(reactor.getDelayedCalls().size() == 1);
    }
}

TEST_CASE("a time-out may lose the connection and the protocol at once") {
    Clock clock;
    const auto transport = std::make_shared<StringTransportWithDisconnection>();
    auto timed = std::make_shared<Timed>(clock);
    transport->protocol = timed;
    timed->makeConnection(transport);
    timed->setTimeout(1s);
    clock.advance(1s);
    CHECK(timed->lost == 1);
    CHECK(timed->timeOut() == std::nullopt);

    struct Dropped : Timed {
        Dropped(Clock& theClock, std::unique_ptr<Dropped>& theOwner) : Timed(theClock), owner(theOwner) {}
        void timeoutConnection() override { owner.reset(); }
        std::unique_ptr<Dropped>& owner;
    };
    std::unique_ptr<Dropped> dropped;
    dropped = std::make_unique<Dropped>(clock, dropped);
    dropped->setTimeout(1s);
    clock.advance(1s);
    CHECK(dropped == nullptr);
}

TEST_CASE("what was destroyed doesn't time out") {
    Clock clock;
    {
        Timed timed(clock);
        timed.setTimeout(1s);
        CHECK(clock.getDelayedCalls().size() == 1);
    }
    CHECK(clock.getDelayedCalls().empty());
    clock.advance(2s);
}
