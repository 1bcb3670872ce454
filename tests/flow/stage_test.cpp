#include <ropewalk/flow/stage.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/errors.hpp>
#include <ropewalk/flow/wrap.hpp>

#include <flow/flows.hpp>

namespace flow = ropewalk::flow;

using flows::all;
using flows::counter;
using flows::failing;
using ropewalk::Failure;
using ropewalk::NotReadyError;
using ropewalk::StopIteration;
using ropewalk::ValueError;

using Ints = std::vector<int>;

namespace {

/// Fails at each second call, and goes on: what a generator can't do.
struct Stubborn {
    int next() {
        if (++calls == 6) throw StopIteration();
        if (calls % 2 == 0) throw ValueError(std::to_string(calls));
        return calls;
    }
    int calls = 0;
};

} // namespace

TEST_CASE("next asks three things in this order: results, the end, a failure") {
    auto stage = flow::wrap(counter(0));
    CHECK_THROWS_AS(stage.next(), NotReadyError);
    stage.results.push(1);
    stage.stop = true;
    stage.failure = Failure(ValueError("bad"));
    CHECK(stage.next() == 1);
    CHECK_THROWS_AS(stage.next(), StopIteration);
    stage.stop = false;
    CHECK_THROWS_AS(stage.next(), ValueError);
    CHECK(stage.stop);
    CHECK_THROWS_AS(stage.next(), StopIteration);
    stage.stop = false;
    stage.failure.reset();
    CHECK_THROWS_AS(stage.next(), NotReadyError);
}

TEST_CASE("a yielded stage that has one of the three is left alone") {
    auto make = [](int which) -> flow::Generator<int> {
        auto producer = flow::wrap(counter(3));
        if (which == 0) producer.results.push(9);
        if (which == 1) producer.stop = true;
        if (which == 2) producer.failure = Failure(ValueError());
        while (auto result = co_await producer) co_yield *result;
    };
    CHECK(all(make(0)) == Ints{9, 3, 2, 1});
    CHECK(all(make(1)) == Ints{});
    flow::Block failed(make(2));
    CHECK_THROWS_AS(failed.next(), ValueError);
}

TEST_CASE("an iterator may go on after an error, if its consumer takes the failure out") {
    auto make = []() -> flow::Generator<int> {
        auto producer = flow::wrap(Stubborn());
        for (;;) {
            co_yield producer;
            if (!producer.results.empty()) {
                co_yield producer.results.popFront();
            } else if (producer.stop) {
                break;
            } else if (producer.failure) {
                CHECK(producer.failure->check<ValueError>() != nullptr);
                producer.failure.reset();
                co_yield -1;
            }
        }
    };
    CHECK(all(make) == Ints{1, -1, 3, -1, 5});
}

TEST_CASE("or if it raised, and the consumer says that it isn't the end") {
    auto make = []() -> flow::Generator<int> {
        auto producer = flow::wrap(Stubborn());
        for (int i = 0; i < 4; ++i) {
            co_yield producer;
            bool failed = false;
            try {
                const int result = producer.next();
                CHECK(result % 2 == 1);
            } catch (const ValueError&) {
                failed = true;
                producer.failure.reset();
                producer.stop = false;
            }
            co_yield failed ? -1 : 1;
        }
    };
    CHECK(all(make) == Ints{1, -1, 1, -1});
}

TEST_CASE("chunked: all results that are there at once") {
    auto make = []() -> flow::Generator<std::size_t> {
        auto producer = flow::wrap({1, 2, 3});
        co_yield producer;
        for (const Ints& some : producer.chunked()) {
            co_yield some.size();
            co_yield producer;
        }
        auto single = flow::wrap(counter(2));
        co_yield single;
        for (const Ints& some : single.chunked()) {
            co_yield some.size();
            co_yield single;
        }
    };
    CHECK(all(make) == std::vector<std::size_t>{3, 1, 1});
}

TEST_CASE("chunked raises what the stage failed with, and says when it wasn't yielded") {
    auto make = [](bool yields) -> flow::Generator<int> {
        auto producer = flow::wrap(failing(ValueError()));
        if (yields) co_yield producer;
        for (const Ints& some : producer.chunked()) {
            co_yield some.front();
            if (yields) co_yield producer;
        }
    };
    flow::Block raising(make(true));
    CHECK(raising.next() == 1);
    CHECK_THROWS_AS(raising.next(), ValueError);
    flow::Block hasty(make(false));
    CHECK_THROWS_AS(hasty.next(), NotReadyError);
    auto list = flow::wrap({1, 2});
    flow::Block block(list);
    CHECK(block.next() == 1);
    CHECK(list.nextChunk() == Ints{2});
    CHECK_THROWS_AS(list.nextChunk(), StopIteration);
}

TEST_CASE("a for loop that is left can be entered again") {
    auto make = []() -> flow::Generator<int> {
        auto producer = flow::wrap(counter(4));
        co_yield producer;
        for (const int result : producer) {
            co_yield result;
            if (result == 3) break;
            co_yield producer;
        }
        co_yield producer;
        for (const int result : producer) {
            co_yield result * 10;
            co_yield producer;
        }
    };
    CHECK(all(make) == Ints{4, 3, 20, 10});
}

TEST_CASE("consumers may share a stage, one after the other or in turns") {
    auto two = [](flow::Stage<int>& stage) -> flow::Generator<int> {
        for (int i = 0; i < 2; ++i) {
            auto result = co_await stage;
            if (result) co_yield *result;
        }
    };
    auto make = [&](flow::Stage<int>& stage) -> flow::Generator<int> {
        auto first = flow::wrap(two(stage));
        auto second = flow::wrap(two(stage));
        for (int i = 0; i < 3; ++i) {
            auto a = co_await first;
            if (a) co_yield *a;
            auto b = co_await second;
            if (b) co_yield *b * 10;
        }
        while (auto last = co_await stage) co_yield *last * 100;
    };
    auto stage = flow::wrap(counter(6));
    CHECK(all(make(stage)) == Ints{6, 50, 4, 30, 200, 100});
}

TEST_CASE("a stage that outlives its consumer goes on where it was") {
    auto stage = flow::wrap(counter(3));
    {
        flow::Block block(flows::taking(stage));
        CHECK(block.next() == 3);
    }
    CHECK(all(stage) == Ints{2, 1});
    CHECK(all(stage) == Ints{});
}
