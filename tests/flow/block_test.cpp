#include <ropewalk/flow/block.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/flow/concurrent.hpp>
#include <ropewalk/flow/errors.hpp>

#include <defer/probes.hpp>
#include <flow/flows.hpp>

namespace flow = ropewalk::flow;

using namespace std::chrono_literals;
using flow::Cooperate;
using flows::counter;
using flows::pausing;
using probes::contains;
using ropewalk::Seconds;
using ropewalk::StopIteration;
using ropewalk::Unsupported;
using ropewalk::ValueError;

using Ints = std::vector<int>;
using Times = std::vector<double>;

namespace {

/// A sleep that notes how long it would be.
struct Noting {
    Times& times;
    void operator()(Seconds time) const { times.push_back(time.count()); }
};

template <class X>
Times sleepsOf(X&& x) {
    Times times;
    flow::Block block(std::forward<X>(x), flow::Sleep(Noting{times}));
    for (const auto& result : block) static_cast<void>(result);
    return times;
}

struct Slower : Cooperate {
    using Cooperate::Cooperate;
};

struct Plain : flow::Instruction {};

template <class I>
flow::Generator<int> yielding(I instruction) {
    co_yield 1;
    co_yield instruction;
    co_yield 2;
}

} // namespace

TEST_CASE("a Block sleeps where its flow cooperates, for that time") {
    CHECK(sleepsOf(pausing(2s)) == Times{2});
    CHECK(sleepsOf(pausing(0s)) == Times{0});
    auto often = []() -> flow::Generator<int> {
        for (int i = 0; i < 4; ++i) co_yield Cooperate(250ms);
    };
    CHECK(sleepsOf(often) == Times{0.25, 0.25, 0.25, 0.25});
}

TEST_CASE("of several pauses at once it sleeps until each is over, and no longer") {
    CHECK(sleepsOf(flow::Merge(pausing(1s), pausing(3s), pausing(1s))) == Times{1, 2});
}

TEST_CASE("next and the loop take the same results") {
    flow::Block block(counter(3));
    CHECK(block.next() == 3);
    Ints rest;
    for (const int n : block) rest.push_back(n);
    CHECK(rest == Ints{2, 1});
    CHECK_THROWS_AS(block.next(), StopIteration);
    for (const int n : block) FAIL(n);
}

TEST_CASE("it refuses what nothing could end while it sleeps, by name; then the flow may be gone on with") {
    flow::Block deferred(yielding(ropewalk::defer::Deferred<int>()));
    CHECK(deferred.next() == 1);
    CHECK_THROWS_AS(deferred.next(), Unsupported);
    CHECK(deferred.next() == 2);
    flow::Block derived(yielding(Slower(1s)));
    CHECK(derived.next() == 1);
    std::string text;
    try {
        derived.next();
    } catch (const Unsupported& error) {
        text = error.what();
    }
    CHECK(contains(text, "flow::Block"));
    CHECK(contains(text, "Cooperate"));
    flow::Block plain(yielding(Plain()));
    CHECK(plain.next() == 1);
    CHECK_THROWS_AS(plain.next(), Unsupported);
    const ropewalk::defer::Deferred<int> pending;
    flow::Block wrapped(pending);
    CHECK_THROWS_AS(wrapped.next(), Unsupported);
    pending.callback(7);
    CHECK(wrapped.next() == 7);
}

TEST_CASE("what the sleep throws comes out; the pause isn't over then") {
    Times times;
    flow::Block block(pausing(1s), [&](Seconds time) {
        times.push_back(time.count());
        if (times.size() == 1) throw ValueError();
    });
    CHECK(block.next() == 1);
    CHECK_THROWS_AS(block.next(), ValueError);
    CHECK(block.next() == 2);
    CHECK(times == Times{1, 1});
}

TEST_CASE("a Block that goes early closes its flow") {
    int alive = 0;
    auto make = [&](probes::Counted) -> flow::Generator<int> {
        co_yield 1;
        co_yield 2;
    };
    {
        flow::Block block(make(probes::Counted(alive)));
        CHECK(block.next() == 1);
        CHECK(alive > 0);
    }
    CHECK(alive == 0);
    for (const int n : flow::Block(make(probes::Counted(alive)))) {
        CHECK(n == 1);
        break;
    }
    CHECK(alive == 0);
}

TEST_CASE("Blocks may be nested, and share a stage") {
    auto stage = flow::wrap(counter(4));
    auto make = [](flow::Stage<int>& shared) -> flow::Generator<int> {
        for (const int n : flow::Block(shared)) {
            co_yield n;
            if (n == 3) break;
        }
        co_yield 10;
    };
    CHECK(flows::all(make(stage)) == Ints{4, 3, 10});
    CHECK(flows::all(stage) == Ints{2, 1});
}
