#include <ropewalk/task/looping_call.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <numeric>
#include <vector>

#include <rapidcheck.h>

#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/task/clock.hpp>

namespace defer = ropewalk::defer;

using namespace std::chrono_literals;
using defer::Deferred;
using ropewalk::Seconds;
using ropewalk::task::Clock;
using ropewalk::task::LoopingCall;

namespace {

using Times = std::vector<Seconds>;
using Counts = std::vector<int>;

struct Counted {
    Counted() { loop.clock = &clock; }

    Clock clock;
    Counts counts;
    LoopingCall loop = LoopingCall::withCount([this](int count) { counts.push_back(count); });
};

struct Summing {
    void add(int count) { sum += count; }
    int sum = 0;
};

} // namespace

TEST_CASE(
    "101.1: calls are made at the start and multiples of the interval after it, whatever a call takes") {
    Clock clock;
    Times times;
    clock.advance(10s);
    LoopingCall loop([&] {
        times.push_back(clock.seconds());
        clock.advance(250ms);
    });
    loop.clock = &clock;
    loop.start(1s);
    for (int i = 0; i < 3; ++i) {
        clock.advance(750ms);
    }
    CHECK(times == Times{10s, 11s, 12s, 13s});
}

TEST_CASE("101.1: a million turns later it has not drifted") {
    Clock clock;
    Seconds last{0};
    long calls = 0;
    LoopingCall loop([&] {
        ++calls;
        last = clock.seconds();
    });
    loop.clock = &clock;
    loop.start(0.1s);
    for (int i = 0; i < 100'000; ++i) {
        clock.advance(0.25s);
    }
    CHECK(calls == 100'001);
    CHECK(last == clock.seconds());
    CHECK(clock.getDelayedCalls()[0].getTime().count() == doctest::Approx(25'000.1));
}

TEST_CASE("101.2: what is overdue when the clock comes late is called once") {
    Clock clock;
    Times times;
    LoopingCall loop([&] { times.push_back(clock.seconds()); });
    loop.clock = &clock;
    loop.start(500ms);
    clock.advance(2s);
    CHECK(times == Times{0s, 2s});
    clock.advance(1s);
    CHECK(times == Times{0s, 2s, 3s});
    clock.advance(0s);
    CHECK(times == Times{0s, 2s, 3s});
}

TEST_CASE("101.3: after a call that took long, a moment that is just now is left out too") {
    Clock clock;
    Times times;
    Seconds duration = 2s;
    LoopingCall loop([&] {
        times.push_back(clock.seconds());
        clock.advance(duration);
    });
    loop.clock = &clock;
    loop.start(500ms);
    CHECK(times == Times{0s});
    clock.advance(0s);
    CHECK(times == Times{0s});
    duration = 1s;
    clock.advance(500ms);
    CHECK(times == Times{0s, 2.5s});
    clock.advance(0s);
    CHECK(times == Times{0s, 2.5s});
    duration = 0s;
    clock.advance(500ms);
    CHECK(times == Times{0s, 2.5s, 4s});
}

TEST_CASE("101.4: a moment so near that it can't be told from now is taken for now") {
    Clock clock;
    int calls = 0;
    LoopingCall loop([&] { ++calls; });
    loop.clock = &clock;
    loop.start(0.1s);
    for (int i = 1; i <= 1000; ++i) {
        clock.advance(0.1s);
        CHECK_MESSAGE(calls <= i + 1, i);
        REQUIRE(clock.getDelayedCalls().size() == 1);
        CHECK(clock.getDelayedCalls()[0].getTime() > clock.seconds());
    }
}

TEST_CASE("105.1, 105.2, 105.3: the count says how many calls were due since the last one") {
    Counted counted;
    counted.loop.start(500ms);
    CHECK(counted.counts == Counts{1});
    counted.clock.advance(510ms);
    CHECK(counted.counts == Counts{1, 1});
    counted.clock.advance(1510ms);
    CHECK(counted.counts == Counts{1, 1, 3});
    counted.clock.advance(0s);
    CHECK(counted.counts == Counts{1, 1, 3});
}

TEST_CASE("105.2: the first count is 1 at any time of the clock") {
    for (const double begin : {0.3, 12345.678, 1e9 + 0.3}) {
        for (const double interval : {0.1, 0.3, 0.7, 1e-3}) {
            Counted counted;
            counted.clock.advance(Seconds(begin));
            counted.loop.start(Seconds(interval));
            CHECK_MESSAGE(counted.counts == Counts{1}, begin, " ", interval);
        }
    }
}

TEST_CASE("105.1: between one interval and two, however late, only one was due") {
    Counted counted;
    counted.loop.start(500ms);
    counted.clock.advance(510ms);
    counted.clock.advance(875ms);
    counted.clock.advance(125ms);
    CHECK(counted.counts == Counts{1, 1, 1, 1});
}

TEST_CASE("105.4, 105.5: an interval that is no binary fraction gives no zero, and the right sum") {
    Counted counted;
    double time = 0;
    counted.loop.start(0.1s, false);
    for (int i = 0; i < 10; ++i) {
        counted.clock.advance(0.1s);
        time += 0.1;
    }
    REQUIRE(time != 1.0);
    counted.clock.advance(Seconds(1.0 - time));
    CHECK(counted.clock.seconds() >= 1s);
    CHECK(std::ranges::count(counted.counts, 0) == 0);
    CHECK(std::accumulate(counted.counts.begin(), counted.counts.end(), 0) == 10);
}

TEST_CASE("105.4, 105.5: so do any interval and any steps") {
    CHECK(rc::check([] {
        Counted counted;
        const double interval = *rc::gen::inRange(1, 2000) / 1000.0;
        counted.loop.start(Seconds(interval));
        const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 3000));
        for (const int step : steps) {
            counted.clock.advance(Seconds(step / 1000.0));
        }
        counted.clock.advance(Seconds(interval * 1.5));
        RC_ASSERT(std::ranges::all_of(counted.counts, [](int count) { return count >= 1; }));
        const int sum = std::accumulate(counted.counts.begin(), counted.counts.end(), 0);
        RC_ASSERT(sum == 1 + static_cast<int>(counted.clock.seconds() / Seconds(interval)));
    }));
}

TEST_CASE("106.1: with the interval 0 the count is always 1") {
    Clock clock;
    Counts counts;
    Deferred<void> pending;
    LoopingCall loop = LoopingCall::withCount([&](int count) -> Deferred<void> {
        counts.push_back(count);
        if (counts.size() == 2) {
            return pending;
        }
        if (counts.size() == 5) {
            loop.stop();
        }
        return defer::succeed();
    });
    loop.clock = &clock;
    const auto d = loop.start(0s, false);
    clock.pump({0s, 1s, 1s, 1s});
    CHECK(counts == Counts{1, 1});
    pending.callback();
    clock.advance(1s);
    CHECK(counts == Counts{1, 1, 1, 1, 1});
    CHECK(defer::successResultOf(d) == &loop);
}

TEST_CASE("106.2: what was missed while a Deferred was waited for is in the next count") {
    Clock clock;
    Counts counts;
    Deferred<void> pending;
    LoopingCall loop = LoopingCall::withCount([&](int count) {
        counts.push_back(count);
        return counts.size() == 2 ? pending : defer::succeed();
    });
    loop.clock = &clock;
    loop.start(1s);
    clock.pump({1s, 1s, 1s, 1s, 500ms});
    CHECK(counts == Counts{1, 1});
    pending.callback();
    CHECK(counts == Counts{1, 1});
    clock.advance(500ms);
    CHECK(counts == Counts{1, 1, 4});
    clock.advance(1s);
    CHECK(counts == Counts{1, 1, 4, 1});
}

TEST_CASE("the time of the last call is kept while the interval is 0") {
    Clock clock;
    Counts counts;
    Deferred<void> pending;
    LoopingCall loop = LoopingCall::withCount([&](int count) {
        counts.push_back(count);
        return counts.size() == 2 ? pending : defer::succeed();
    });
    loop.clock = &clock;
    loop.start(1s, false);
    loop.setInterval(0s);
    clock.pump({1s, 1s, 1s, 1s, 1s, 1s, 1s});
    CHECK(counts == Counts{1, 1});
    loop.setInterval(2s);
    pending.callback();
    clock.advance(9s);
    CHECK(counts == Counts{1, 1, 8});
    clock.advance(2s);
    clock.advance(4s);
    CHECK(counts == Counts{1, 1, 8, 1, 2});
}

TEST_CASE("a start of a LoopingCall with a count counts anew") {
    Counted counted;
    counted.loop.start(1s);
    counted.clock.advance(1s);
    counted.loop.stop();
    counted.clock.advance(9200ms);
    counted.loop.start(1s);
    counted.clock.advance(1s);
    CHECK(counted.counts == Counts{1, 1, 1, 1});
    counted.loop.stop();
    counted.loop.start(1s, false);
    counted.clock.advance(2s);
    CHECK(counted.counts == Counts{1, 1, 1, 1, 2});
}

TEST_CASE("a reset of a LoopingCall with a count") {
    Counted counted;
    counted.loop.start(2s);
    counted.clock.advance(1s);
    counted.loop.reset();
    counted.clock.advance(2s);
    counted.clock.advance(4s);
    CHECK(counted.counts == Counts{1, 1, 2});
}

TEST_CASE("a LoopingCall with a count calls member functions") {
    Clock clock;
    Summing summing;
    LoopingCall loop = LoopingCall::withCount(&Summing::add, &summing);
    loop.clock = &clock;
    loop.start(1s);
    clock.advance(5s);
    CHECK(summing.sum == 6);
}

TEST_CASE("an interval without end, and one that is hardly any time") {
    Counted counted;
    counted.loop.start(Seconds(std::numeric_limits<double>::infinity()));
    counted.clock.advance(1e9s);
    CHECK(counted.counts == Counts{1});
    Counted fast;
    fast.loop.start(Seconds(1e-300), false);
    fast.loop.stop();
    fast.loop.start(Seconds(1e-9));
    fast.clock.advance(5s);
    CHECK(fast.counts == Counts{1, std::numeric_limits<int>::max()});
}
