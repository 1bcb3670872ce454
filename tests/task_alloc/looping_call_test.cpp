#include <ropewalk/task/looping_call.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <utility>
#include <vector>

#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/clock.hpp>
#include <support/allocations/allocations.hpp>

using namespace std::chrono_literals;
using ropewalk::task::Clock;
using ropewalk::task::LoopingCall;

TEST_CASE("a LoopingCall's turn on a Clock allocates nothing") {
    Clock clock;
    long calls = 0;
    LoopingCall loop([&] { ++calls; });
    LoopingCall other = LoopingCall::withCount([&](int count) { calls += count; });
    for (LoopingCall* each : {&loop, &other}) {
        each->clock = &clock;
        each->start(1s);
    }
    clock.advance(1s);
    const long before = allocations().count;
    for (int i = 0; i < 1000; ++i) {
        clock.advance(1s);
    }
    CHECK(allocations().count == before);
    CHECK(calls == 2 * 1002);
}

TEST_CASE("nor does a turn of one whose function waits, but for the Deferred") {
    Clock clock;
    ropewalk::defer::Deferred<void> pending;
    LoopingCall loop([&] { return pending; });
    loop.clock = &clock;
    loop.start(1s);
    const auto turn = [&] {
        const auto fired = std::exchange(pending, ropewalk::defer::Deferred<void>());
        fired.callback();
        clock.advance(1s);
    };
    turn();
    turn();
    const long before = allocations().count;
    for (int i = 0; i < 1000; ++i) {
        turn();
    }
    CHECK(allocations().count <= before + 1000);
    pending.callback();
}

TEST_CASE("a LoopingCall's turn on a reactor allocates nothing") {
    ropewalk::Reactor reactor;
    long calls = 0;
    LoopingCall loop([&] {
        if (++calls == 1000) {
            reactor.stop();
        }
    });
    loop.start(0s);
    reactor.iterate();
    reactor.iterate();
    const long before = allocations().count;
    for (int i = 0; i < 500; ++i) {
        reactor.iterate();
    }
    CHECK(allocations().count == before);
    CHECK(calls > 500);
}
