// labels: threads
#include <ropewalk/task/looping_call.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/reactor/errors.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <support/memory_driver.hpp>

namespace defer = ropewalk::defer;

using namespace std::chrono_literals;
using defer::Deferred;
using ropewalk::Reactor;
using ropewalk::Seconds;
using ropewalk::task::LoopingCall;

namespace {

constexpr std::int64_t microsecond = 1000;

struct World {
    std::unique_ptr<MemoryDriver> own = std::make_unique<MemoryDriver>();
    MemoryDriver& driver = *own;
    Reactor reactor{std::move(own)};
};

} // namespace

TEST_CASE("a LoopingCall goes by the time of the thread's reactor, which it looks for when it is started") {
    int calls = 0;
    std::optional<LoopingCall> loop;
    loop.emplace([&] {
        if (++calls == 4) {
            loop->stop();
        }
    });
    World world;
    loop->start(10ms).addCallback([&] { world.reactor.stop(); });
    CHECK(calls == 1);
    world.reactor.run();
    CHECK(calls == 4);
    CHECK(world.driver.time == 30 * MemoryDriver::millisecond);
}

TEST_CASE("in a thread without a reactor, start of a LoopingCall throws and changes nothing") {
    const World world;
    std::thread([] {
        LoopingCall loop([] {});
        CHECK_THROWS_AS(loop.start(1s), ropewalk::NoReactorError);
        CHECK_FALSE(loop.running());
        CHECK_FALSE(loop.interval());
    }).join();
}

TEST_CASE("several threads have a LoopingCall each, on their own reactors") {
    std::vector<std::thread> threads;
    std::vector<int> calls(3);
    for (int& mine : calls) {
        threads.emplace_back([&mine] {
            World world;
            LoopingCall loop([&] {
                if (++mine == 100) {
                    loop.stop();
                }
            });
            loop.start(1ms).addCallback([&] { world.reactor.stop(); });
            world.reactor.run();
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(calls == std::vector<int>{100, 100, 100});
}

TEST_CASE("a LoopingCall that outlives its reactor does nothing") {
    int calls = 0;
    Deferred<void> pending;
    LoopingCall scheduled([&] { ++calls; });
    LoopingCall waiting([&] { return pending; });
    Deferred<LoopingCall*> d = nullptr;
    {
        const World world;
        d = scheduled.start(1ms);
        waiting.start(1ms);
    }
    pending.callback();
    scheduled.stop();
    waiting.stop();
    CHECK(defer::successResultOf(d) == &scheduled);
    CHECK(calls == 1);
    World world;
    scheduled.start(1ms);
    world.reactor.callLater(5ms, [&] { world.reactor.stop(); });
    world.reactor.run();
    CHECK(calls > 3);
}

TEST_CASE("with the interval 0 a LoopingCall is called once a turn, and the others get theirs") {
    World world;
    int calls = 0;
    int others = 0;
    LoopingCall loop([&] { ++calls; });
    loop.start(0s);
    for (int i = 0; i < 10; ++i) {
        world.reactor.callLater(0s, [&] { ++others; });
        world.reactor.iterate();
        CHECK(calls == i + 2);
        CHECK(others == i + 1);
    }
}

TEST_CASE("on a reactor that comes late, nothing is called twice in an interval") {
    World world;
    std::vector<std::int64_t> times;
    LoopingCall loop([&] {
        times.push_back(world.driver.time / microsecond);
        if (times.size() == 2) {
            world.driver.time += 9'700 * microsecond; // up to 300 µs before the next moment
        }
        if (times.size() == 4) {
            loop.stop();
            world.reactor.stop();
        }
    });
    loop.start(10ms);
    // What passes while nothing waits: a turn of the loop takes 50 µs.
    std::optional<LoopingCall> busy;
    busy.emplace([&] { world.driver.time += 50 * microsecond; });
    busy->start(0s);
    world.reactor.run();
    REQUIRE(times.size() == 4);
    for (std::size_t i = 0; i < times.size(); ++i) {
        CHECK(times[i] / 10'000 == static_cast<std::int64_t>(i));
    }
}

TEST_CASE("many LoopingCalls on a reactor, with a stop of some and a going of others") {
    World world;
    std::vector<int> calls(100);
    std::vector<std::unique_ptr<LoopingCall>> loops;
    for (int& mine : calls) {
        loops.push_back(std::make_unique<LoopingCall>([&mine] { ++mine; }));
        loops.back()->start(1ms, false);
    }
    world.reactor.callLater(5500us, [&] {
        for (std::size_t i = 0; i < loops.size(); ++i) {
            if (i % 3 == 0) {
                loops[i]->stop();
            } else if (i % 3 == 1) {
                loops[i].reset();
            }
        }
    });
    world.reactor.callLater(8500us, [&] { world.reactor.stop(); });
    world.reactor.run();
    for (std::size_t i = 0; i < calls.size(); ++i) {
        CHECK(calls[i] == (i % 3 == 2 ? 9 : 5));
    }
}
