// timeout: 300
#include <ropewalk/flow/generator.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <pthread.h>

#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/concurrent.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/flow/map.hpp>
#include <ropewalk/task/clock.hpp>

#include <defer/probes.hpp>
#include <flow/flows.hpp>

namespace defer = ropewalk::defer;
namespace flow = ropewalk::flow;

using namespace std::chrono_literals;
using defer::Deferred;
using flow::Cooperate;
using flow::Generator;
using probes::Counted;
using ropewalk::ValueError;
using ropewalk::task::Clock;

using Ints = std::vector<int>;

// However many stages are nested, in whatever manner, and however many flows wait for one another: the stack is that of a few.
namespace {

constexpr int deep = 10'000;

int alive = 0; // generators that were started

/// Runs it with a stack of 8 MiB.
void inSmallStack(std::function<void()> body) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, std::size_t{8} << 20);
    pthread_t thread = {};
    const auto run = [](void* function) -> void* {
        (*static_cast<std::function<void()>*>(function))();
        return nullptr;
    };
    REQUIRE(pthread_create(&thread, &attributes, run, &body) == 0);
    pthread_attr_destroy(&attributes);
    pthread_join(thread, nullptr);
}

Generator<int> source() {
    const Counted counted(alive);
    for (int i = 1; i <= 3; ++i) {
        co_yield i;
        co_yield Cooperate(1s);
    }
}
Generator<int> awaiting(Generator<int> inner) {
    const Counted counted(alive);
    auto from = flow::wrap(std::move(inner));
    while (auto n = co_await from) co_yield *n + 1;
}
Generator<int> alternating(Generator<int> inner) {
    const Counted counted(alive);
    auto from = flow::wrap(std::move(inner));
    co_yield from;
    for (const int n : from) {
        co_yield n + 1;
        co_yield from;
    }
}
/// Each level takes from a deep and a shallow one.
Generator<int> zigzag(Generator<int> inner) {
    const Counted counted(alive);
    auto from = flow::wrap(std::move(inner));
    auto shallow = flow::wrap(source());
    auto both = flow::wrap(flow::Zip(from, shallow));
    while (auto pair = co_await both) co_yield std::get<0>(*pair).value_or(0) + 1;
}
Generator<int> merging(Generator<int> inner) {
    const Counted counted(alive);
    auto from = flow::wrap(flow::Merge(std::move(inner)));
    while (auto n = co_await from) co_yield *n + 1;
}
/// What it holds is asked for by another.
Generator<int> referring(Generator<int> inner) {
    const Counted counted(alive);
    auto from = flow::wrap(std::move(inner));
    auto taken = flow::wrap(flows::taking(from));
    while (auto n = co_await taken) co_yield *n + 1;
}
Generator<int> onlyFirst(Generator<int> inner) {
    auto from = flow::wrap(std::move(inner));
    co_yield from;
    co_yield from.next();
}

using Level = Generator<int> (*)(Generator<int>);
constexpr Level levels[] = {awaiting, alternating, zigzag, merging, referring};

Generator<int> tower(Level level, Generator<int> generator = source()) {
    for (int i = 0; i < deep; ++i) generator = level(std::move(generator));
    return generator;
}

Generator<> waiting(Deferred<void> d) {
    const Counted counted(alive);
    co_yield std::move(d);
}

} // namespace

TEST_CASE("ten thousand nested generators run to their end") {
    inSmallStack([] {
        for (const Level level : levels) {
            CHECK(flows::all(tower(level)) == Ints{deep + 1, deep + 2, deep + 3});
            CHECK(alive == 0);
        }
    });
}

TEST_CASE("they are closed half-way: the consumer goes, the outermost ends early, or was never started") {
    inSmallStack([] {
        for (const Level level : levels) {
            {
                flow::Block block(tower(level), flow::Sleep(flows::awake));
                CHECK(block.next() == deep + 1);
                CHECK(alive > deep);
            }
            CHECK(alive == 0);
            CHECK(flows::all(onlyFirst(tower(level))) == Ints{deep + 1});
            CHECK(alive == 0);
            {
                const auto generator = tower(level);
                const auto stage = flow::wrap(tower(level));
            }
            CHECK(alive == 0);
        }
    });
}

TEST_CASE("their flow is cancelled") {
    inSmallStack([] {
        for (const Level level : levels) {
            Clock clock;
            const flow::Deferred done(tower(level), clock);
            CHECK(alive > deep);
            done.cancel();
            defer::failureResultOf<defer::CancelledError>(done);
            CHECK(alive == 0);
            CHECK(clock.getDelayedCalls().empty());
        }
    });
}

TEST_CASE("an error passes all of them; its trail has the first and the last steps") {
    inSmallStack([] {
        for (const Level level : levels) {
            Clock clock;
            const auto failure = defer::failureResultOf<ValueError>(
                flow::Deferred(tower(level, flows::failing(ValueError("bad"))), clock));
            CHECK(alive == 0);
            CHECK(probes::contains(failure.getTraceback(), "flows::failing"));
            CHECK(failure.getTraceback().size() < 20'000);
        }
    });
}

TEST_CASE("ten thousand flows that wait for one another end, fail, are cancelled and abandoned") {
    inSmallStack([] {
        for (int what = 0; what < 4; ++what) {
            Clock clock;
            Deferred<void> first;
            Deferred<void> last = first;
            for (int i = 0; i < deep; ++i) last = flow::Deferred(waiting(std::move(last)), clock);
            CHECK(alive == deep);
            if (what == 0) first.callback();
            if (what == 1) first.errback(ValueError());
            if (what == 2) last.cancel();
            if (what == 3) first = nullptr;
            CHECK(alive == 0);
            CHECK(last.called() == (what != 3));
            last.addErrback([] {});
            if (what != 3) first.addErrback([] {});
            CHECK(flows::abandoned().size() == (what == 3 ? std::size_t{deep} : 0));
        }
    });
}
