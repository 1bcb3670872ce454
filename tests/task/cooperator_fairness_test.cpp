#include <ropewalk/task/cooperator.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/clock.hpp>
#include <ropewalk/task/errors.hpp>
#include <support/memory_driver.hpp>
#include <support/tcp_world.hpp>

#include <task/fake_scheduler.hpp>

namespace defer = ropewalk::defer;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using defer::Deferred;
using defer::failureResultOf;
using defer::successResultOf;
using ropewalk::Seconds;
using task::Clock;
using task::Cooperator;
using task::SchedulerStopped;
using task::Steps;

namespace {

constexpr int stepsPerSlice = 10'000;

Steps<> counting(long& turns) {
    for (;;) {
        ++turns;
        co_yield {};
    }
}

Steps<> letters(std::string& log, char letter, int times) {
    for (int n = 0; n < times; ++n) {
        log += letter;
        co_yield {};
    }
}

/// A hundred tasks that run without end.
struct Crowd {
    explicit Crowd(Cooperator& theCooperator) : cooperator(theCooperator) {
        for (long& its : turns) {
            tasks.push_back(cooperator.cooperate(counting(its)));
        }
    }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;
    ~Crowd() {
        for (const auto& work : tasks) {
            work.stop();
        }
    }

    long steps() const {
        long sum = 0;
        for (const long its : turns) {
            sum += its;
        }
        return sum;
    }
    long spread() const {
        const auto [least, most] = std::minmax_element(turns.begin(), turns.end());
        return *most - *least;
    }

    Cooperator& cooperator;
    std::vector<long> turns = std::vector<long>(100);
    std::vector<task::CooperativeTask<>> tasks;
};

} // namespace

TEST_CASE("a hundred tasks get equal turns") {
    for (const int each : {1, 7, 99, 100, 101, 1000}) {
        CAPTURE(each);
        StepByStep by(each);
        const Crowd crowd(by.cooperator);
        for (int i = 0; i < 50; ++i) {
            by.pump();
            REQUIRE(crowd.spread() <= 1);
            REQUIRE(crowd.steps() == (i + 1) * each);
        }
    }
}

TEST_CASE("a hundred tasks get equal turns by the clock too, whatever a step costs") {
    MemoryReactor memory;
    Cooperator cooperator(memory.reactor);
    const Crowd crowd(cooperator);
    const auto costly = cooperator.cooperate([&] { memory.driver.time += 3 * MemoryDriver::millisecond; });
    for (int i = 0; i < 200; ++i) {
        memory.reactor.iterate();
        REQUIRE(crowd.spread() <= 1);
    }
    CHECK(crowd.steps() > 100);
    costly.stop();
}

TEST_CASE("122.1: a task that ends makes nobody miss a turn (DESIGN: Q3 mended)") {
    StepByStep by(100);
    std::string log;
    static_cast<void>(by.cooperator.coiterate(letters(log, 'a', 1)));
    static_cast<void>(by.cooperator.coiterate(letters(log, 'b', 2)));
    static_cast<void>(by.cooperator.coiterate(letters(log, 'c', 2)));
    by.pump();
    CHECK(log == "abcbc");
}

TEST_CASE(
    "122.1: nor does one that ends in the middle of a round, in each place, at each length of a slice") {
    for (int ends = 0; ends < 4; ++ends) {
        for (int each = 1; each < 7; ++each) {
            CAPTURE(ends);
            CAPTURE(each);
            StepByStep by(each);
            std::string log;
            std::string expected;
            for (int i = 0; i < 4; ++i) {
                static_cast<void>(
                    by.cooperator.coiterate(letters(log, static_cast<char>('a' + i), i == ends ? 2 : 4)));
            }
            for (int round = 0; round < 4; ++round) {
                for (int i = 0; i < 4; ++i) {
                    if (i != ends || round < 2) {
                        expected += static_cast<char>('a' + i);
                    }
                }
            }
            by.pump(40);
            CHECK(log == expected);
        }
    }
}

TEST_CASE("122.2: nor does one that is stopped, paused, or begins to wait") {
    for (const char* how : {"stop", "pause", "wait"}) {
        CAPTURE(how);
        StepByStep by(100);
        std::string log;
        Deferred<int> d;
        static_cast<void>(by.cooperator.coiterate(letters(log, 'a', 3)));
        task::CooperativeTask<>* itself = nullptr;
        const auto act = by.cooperator.cooperate([&]() -> Deferred<int> {
            log += '!';
            if (how == std::string_view("stop")) {
                itself->stop();
            } else if (how == std::string_view("pause")) {
                itself->pause();
            }
            return d;
        });
        auto handle = act;
        itself = &handle;
        static_cast<void>(by.cooperator.coiterate(letters(log, 'b', 3)));
        static_cast<void>(by.cooperator.coiterate(letters(log, 'c', 3)));
        by.pump();
        CHECK(log == "a!bcabcabc");
        if (how != std::string_view("stop")) {
            act.stop();
        }
    }
}

TEST_CASE("122.3: nor does one that is stopped by another, before or after its own turn") {
    for (int victim = 0; victim < 4; ++victim) {
        CAPTURE(victim);
        StepByStep by(100);
        std::string log;
        std::vector<task::CooperativeTask<>> tasks;
        std::string expected;
        for (int i = 0; i < 4; ++i) {
            const char letter = static_cast<char>('a' + i);
            tasks.push_back(by.cooperator.cooperate([&, letter, n = 0]() mutable {
                if (n++ == 3) {
                    throw ropewalk::StopIteration();
                }
                log += letter;
                if (letter == 'b' && n == 2 && victim != 1) {
                    tasks[static_cast<std::size_t>(victim)].stop();
                }
            }));
        }
        by.pump(5);
        for (int round = 0; round < 3; ++round) {
            for (int i = 0; i < 4; ++i) {
                if (i != victim || victim == 1 || round == 0 || (round == 1 && i < 1)) {
                    expected += static_cast<char>('a' + i);
                }
            }
        }
        CHECK(log == expected);
    }
}

TEST_CASE("a task that waits costs nothing: it isn't stepped, nor is a tick made for it") {
    Clock clock;
    Cooperator cooperator(clock);
    std::vector<Deferred<int>> pending(100);
    long steps = 0;
    std::vector<Deferred<void>> done;
    auto make = [](Deferred<int> d, long& count) -> Steps<> {
        ++count;
        co_yield d;
        ++count;
    };
    for (const auto& d : pending) {
        done.push_back(cooperator.coiterate(make(d, steps)));
    }
    clock.advance(1s);
    CHECK(steps == 100);
    CHECK(clock.getDelayedCalls().empty());
    long turns = 0;
    const auto busy = cooperator.cooperate(counting(turns));
    for (int i = 0; i < 3; ++i) {
        clock.advance(1s);
    }
    CHECK(steps == 100);
    CHECK(turns == 3 * stepsPerSlice);
    busy.stop();
    for (const auto& d : pending) {
        d.callback(1);
    }
    clock.advance(1s);
    CHECK(steps == 200);
    for (const auto& d : done) {
        successResultOf(d);
    }
}

TEST_CASE("a task that yields only Deferreds that have fired gets its turns as the others do") {
    StepByStep by(30);
    std::vector<long> turns(3);
    const auto first = by.cooperator.cooperate(counting(turns[0]));
    const auto waits = by.cooperator.cooperate([&] {
        ++turns[1];
        return defer::succeed(1);
    });
    const auto last = by.cooperator.cooperate(counting(turns[2]));
    by.pump(10);
    CHECK(turns == std::vector<long>{100, 100, 100});
    for (const auto& work : {first, waits, last}) {
        work.stop();
    }
}

TEST_CASE("a timed call is made within a slice while a hundred tasks run flat out") {
    MemoryReactor memory;
    Cooperator cooperator(memory.reactor);
    const Crowd crowd(cooperator);
    std::vector<long> at;
    auto again = [&](auto& self) -> void {
        at.push_back(crowd.steps());
        if (at.size() < 20) {
            memory.reactor.callLater(0s, [&] { self(self); });
        }
    };
    memory.reactor.callLater(0s, [&] { again(again); });
    for (int i = 0; i < 40 && at.size() < 20; ++i) {
        memory.reactor.iterate();
    }
    REQUIRE(at.size() == 20);
    for (std::size_t i = 1; i < at.size(); ++i) {
        CHECK(at[i] - at[i - 1] <= stepsPerSlice);
    }
    CHECK(at.back() > 0);
    CHECK(crowd.spread() <= 1);
}

TEST_CASE("a timed call is late by a slice at most, where steps take time") {
    MemoryReactor memory;
    Cooperator cooperator(memory.reactor);
    const Crowd crowd(cooperator);
    const auto costly = cooperator.cooperate([&] { memory.driver.time += MemoryDriver::millisecond; });
    std::int64_t madeAt = 0;
    memory.reactor.callLater(100ms, [&] { madeAt = memory.driver.time; });
    const std::int64_t due = memory.driver.time + 100 * MemoryDriver::millisecond;
    while (madeAt == 0) {
        memory.reactor.iterate();
        REQUIRE(memory.driver.time < due + 1000 * MemoryDriver::millisecond);
    }
    CHECK(madeAt >= due);
    CHECK(madeAt <= due + 11 * MemoryDriver::millisecond);
    costly.stop();
}

TEST_CASE("a socket is served within slices while a hundred tasks run flat out") {
    tcp::World world;
    Cooperator cooperator(world.reactor());
    const Crowd crowd(cooperator);
    std::vector<long> at;
    world.server.writesBack = true;
    world.client.made = [](tcp::Peer& peer) { peer.transport->write("x"); };
    world.client.data = [&](tcp::Peer& peer, std::string_view) {
        at.push_back(crowd.steps());
        if (at.size() < 10) {
            peer.transport->write("x");
        } else {
            peer.transport->loseConnection();
        }
    };
    world.listenAndConnect();
    world.run();
    REQUIRE(at.size() == 10);
    // There and back is two events; the system may take some slices more to bring them.
    for (std::size_t i = 1; i < at.size(); ++i) {
        CHECK(at[i] - at[i - 1] <= 20 * stepsPerSlice);
    }
    CHECK(crowd.spread() <= 1);
    CHECK(crowd.steps() > 0);
}

TEST_CASE("121.1: cooperate and coiterate of a reactor's thread share that reactor's one Cooperator") {
    MemoryReactor memory;
    CHECK(&ropewalk::reactor() == &memory.reactor);
    std::string log;
    const auto first = task::coiterate(letters(log, 'a', 3));
    const auto second = task::cooperate(letters(log, 'b', 3));
    const auto third = task::cooperatorOf(memory.reactor).coiterate(letters(log, 'c', 3));
    const std::vector<int> numbers{1, 2};
    const auto fourth = task::coiterate(numbers.begin(), numbers.end());
    const auto fifth = task::cooperate(numbers.begin(), numbers.end());
    Deferred<void> given;
    CHECK(task::coiterate(letters(log, 'd', 1), given) == given);
    memory.reactor.iterate();
    CHECK(log == "abcdabcabc");
    for (const auto& done : {first, second.whenDone(), third, fourth, fifth.whenDone(), given}) {
        successResultOf(done);
    }
}

TEST_CASE("121.2: stopping the shared one stops the tasks of all who use it") {
    MemoryReactor memory;
    std::string log;
    const auto done = task::coiterate(letters(log, 'a', 3));
    task::cooperatorOf(memory.reactor).stop();
    failureResultOf<SchedulerStopped>(done);
    failureResultOf<SchedulerStopped>(task::coiterate(letters(log, 'a', 3)));
    task::cooperatorOf(memory.reactor).start();
    const auto again = task::coiterate(letters(log, 'b', 3));
    memory.reactor.iterate();
    successResultOf(again);
    CHECK(log == "bbb");
}

TEST_CASE(
    "121.3: two Cooperators don't share time: each has slices of its own, however many tasks the other has") {
    Clock clock;
    Cooperator one(clock);
    Cooperator other(clock);
    const Crowd crowd(one);
    long turns = 0;
    const auto lonely = other.cooperate(counting(turns));
    for (int i = 1; i <= 5; ++i) {
        clock.advance(1s);
        CHECK(crowd.steps() == i * stepsPerSlice);
        CHECK(turns == i * stepsPerSlice);
    }
    lonely.stop();
}

TEST_CASE("121.4: each reactor has its own: a thread's next one begins with a running one") {
    for (int i = 0; i < 2; ++i) {
        MemoryReactor memory;
        CHECK(task::cooperatorOf(memory.reactor).running());
        std::string log;
        const auto done = task::coiterate(letters(log, 'a', 2));
        memory.reactor.iterate();
        successResultOf(done);
        task::cooperatorOf(memory.reactor).stop();
        CHECK_FALSE(task::cooperatorOf(memory.reactor).running());
    }
}
