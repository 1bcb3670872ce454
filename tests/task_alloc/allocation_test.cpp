#include <ropewalk/task/cooperator.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <ranges>
#include <utility>
#include <vector>

#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/clock.hpp>
#include <ropewalk/task/errors.hpp>
#include <ropewalk/task/generator.hpp>
#include <support/allocations/allocations.hpp>

namespace {

namespace defer = ropewalk::defer;

using namespace std::chrono_literals;
using defer::Deferred;
using ropewalk::task::Clock;
using ropewalk::task::Cooperator;
using ropewalk::task::Generator;
using ropewalk::task::Steps;

Steps<> counting(long& steps) {
    for (;;) {
        ++steps;
        co_yield {};
    }
}

/// A hundred tasks made by `make(cooperator)`; once they run, ticks allocate nothing but each its own timed call.
template <class Make>
void checkSteps(Make make) {
    Clock clock;
    Cooperator cooperator(clock);
    long steps = 0;
    std::vector<Deferred<void>> done;
    for (int i = 0; i < 100; ++i) {
        done.push_back(make(cooperator, steps).addErrback([] {}));
    }
    clock.advance(1s);
    clock.advance(1s);
    const long before = allocations().count;
    const long stepsBefore = steps;
    for (int i = 0; i < 5; ++i) {
        clock.advance(1s);
    }
    CHECK(steps - stepsBefore == 50'000);
    CHECK(allocations().count - before <= 5);
    cooperator.stop();
}

TEST_CASE("a hundred generators: no step allocates") {
    checkSteps([](Cooperator& cooperator, long& steps) { return cooperator.coiterate(counting(steps)); });
}

TEST_CASE("a hundred generators of numbers: no step allocates") {
    auto make = [](long& steps) -> Generator<long> {
        for (;;) {
            co_yield ++steps;
        }
    };
    checkSteps([&](Cooperator& cooperator, long& steps) { return cooperator.coiterate(make(steps)); });
}

TEST_CASE("a hundred ranges: no step allocates") {
    checkSteps([](Cooperator& cooperator, long& steps) {
        return cooperator.coiterate(std::views::iota(0L) |
                                    std::views::transform([&](long) { return ++steps; }));
    });
}

TEST_CASE("a hundred callables: no step allocates") {
    checkSteps([](Cooperator& cooperator, long& steps) { return cooperator.coiterate([&] { ++steps; }); });
}

TEST_CASE("a hundred classes with next: no step allocates") {
    struct Next {
        long& steps;
        long next() const { return ++steps; }
    };
    checkSteps([](Cooperator& cooperator, long& steps) { return cooperator.coiterate(Next{steps}); });
}

TEST_CASE("on a reactor a tick allocates its timed call, and a step nothing") {
    ropewalk::Reactor reactor;
    Cooperator cooperator(reactor);
    long steps = 0;
    std::vector<Deferred<void>> done;
    for (int i = 0; i < 100; ++i) {
        done.push_back(cooperator.coiterate(counting(steps)).addErrback([] {}));
    }
    reactor.iterate();
    reactor.iterate();
    const long before = allocations().count;
    const long stepsBefore = steps;
    for (int i = 0; i < 5; ++i) {
        reactor.iterate();
    }
    CHECK(steps > stepsBefore);
    CHECK(allocations().count - before <= 5);
    cooperator.stop();
}

TEST_CASE("waiting for a Deferred that has fired allocates nothing beyond that") {
    Clock clock;
    Cooperator cooperator(clock);
    std::vector<Deferred<int>> fired;
    fired.reserve(2000);
    for (int i = 0; i < 2000; ++i) {
        fired.push_back(defer::succeed(i));
    }
    std::size_t taken = 0;
    auto make = [](std::vector<Deferred<int>>& all, std::size_t& count) -> Steps<> {
        for (const Deferred<int>& d : all) {
            ++count;
            co_yield d;
        }
    };
    const auto done = cooperator.coiterate(make(fired, taken));
    const long before = allocations().count;
    clock.advance(1s);
    CHECK(taken == 2000);
    CHECK(done.called());
    CHECK(allocations().count - before <= 2);
}

TEST_CASE("nor does waiting for one that fires later") {
    Clock clock;
    Cooperator cooperator(clock);
    std::vector<Deferred<int>> pending(200);
    std::size_t taken = 0;
    auto make = [](std::vector<Deferred<int>>& all, std::size_t& count) -> Steps<> {
        for (const Deferred<int>& d : all) {
            ++count;
            co_yield d;
        }
    };
    const auto done = cooperator.coiterate(make(pending, taken));
    clock.advance(1s);
    long before = allocations().count;
    for (const auto& d : pending) {
        d.callback(1);
        clock.advance(1s);
    }
    CHECK(done.called());
    CHECK(allocations().count - before <= 200); // the tick after each
}

TEST_CASE("a generator is one allocation, and its next, send and copies are none") {
    auto make = []() -> Generator<int, int> {
        int sum = 0;
        for (;;) {
            sum += (co_yield sum).value_or(1);
        }
    };
    const long before = allocations().count;
    const long livingBefore = allocations().living;
    {
        const auto generator = make();
        CHECK(allocations().count - before == 1);
        for (int i = 0; i < 1000; ++i) {
            const auto copy = generator; // NOLINT: copies are counted too
            static_cast<void>(copy.next());
            static_cast<void>(copy.send(2));
        }
        CHECK(allocations().count - before == 1);
    }
    CHECK(allocations().living == livingBefore);
}

TEST_CASE("a task that ends gives all of it back") {
    Clock clock;
    Cooperator cooperator(clock);
    auto make = []() -> Steps<int> {
        co_yield {};
        co_return 1;
    };
    const auto round = [&] {
        const auto first = cooperator.coiterate(make());
        const auto second = cooperator.coiterate(make());
        const auto third = cooperator.cooperate(make());
        const auto asked = third.whenDone();
        clock.advance(1s);
        second.cancel();
        CHECK(first.called());
        CHECK(asked.called());
    };
    for (int i = 0; i < 10; ++i) {
        round();
    }
    const long before = allocations().living;
    for (int i = 0; i < 100; ++i) {
        round();
    }
    CHECK(allocations().living == before);
}

} // namespace
