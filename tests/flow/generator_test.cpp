#include <ropewalk/flow/generator.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/flow/errors.hpp>

#include <flow/flows.hpp>

namespace flow = ropewalk::flow;

using flows::all;
using flows::counter;
using flows::failing;
using ropewalk::NotReadyError;
using ropewalk::StopIteration;
using ropewalk::ValueError;

using Ints = std::vector<int>;
using Texts = std::vector<std::string>;

namespace {

flow::Generator<int> withoutTwo() {
    auto producer = flow::wrap(counter(3));
    co_yield producer;
    for (const int result : producer) {
        if (result != 2) co_yield result;
        co_yield producer;
    }
}

flow::Generator<int> withoutTwoByNext() {
    auto producer = flow::wrap(counter(3));
    for (;;) {
        co_yield producer;
        const int result = producer.next();
        if (result != 2) co_yield result;
    }
}

flow::Generator<int> withoutTwoByData() {
    auto producer = flow::wrap(counter(3));
    for (;;) {
        co_yield producer;
        if (!producer.results.empty()) {
            const int result = producer.results.popFront();
            if (result != 2) co_yield result;
            continue;
        }
        if (producer.stop) break;
        if (producer.failure) {
            producer.stop = true;
            producer.failure->raiseException();
        }
    }
}

flow::Generator<int> withoutTwoAwaited() {
    auto producer = flow::wrap(counter(3));
    while (auto result = co_await producer) {
        if (*result != 2) co_yield *result;
    }
}

flow::Generator<int> withoutTwoAsResults() {
    auto producer = flow::wrap(counter(3));
    while (auto result = co_await producer.result()) {
        if (**result != 2) co_yield **result;
    }
}

} // namespace

TEST_CASE("the alternating yield, and the forms that are equivalent to it") {
    CHECK(all(withoutTwo) == Ints{3, 1});
    CHECK(all(withoutTwoByNext) == Ints{3, 1});
    CHECK(all(withoutTwoByData) == Ints{3, 1});
    CHECK(all(withoutTwoAwaited) == Ints{3, 1});
    CHECK(all(withoutTwoAsResults) == Ints{3, 1});
}

TEST_CASE("a generator runs when it is asked for, one result at a time") {
    Texts log;
    auto make = [](Texts& into) -> flow::Generator<int> {
        into.emplace_back("one");
        co_yield 1;
        into.emplace_back("two");
        co_yield 2;
        into.emplace_back("end");
    };
    auto stage = flow::wrap(make(log));
    flow::Block block(stage);
    CHECK(log.empty());
    CHECK(block.next() == 1);
    CHECK(log == Texts{"one"});
    CHECK(block.next() == 2);
    CHECK(log == Texts{"one", "two"});
    CHECK_THROWS_AS(block.next(), StopIteration);
    CHECK(log.back() == "end");
    CHECK_THROWS_AS(block.next(), StopIteration);
    CHECK(log.size() == 3);
}

TEST_CASE("a stage that isn't yielded has no next result") {
    auto make = [](bool forLoop) -> flow::Generator<int> {
        auto producer = flow::wrap(counter(3));
        if (forLoop) {
            for (const int result : producer) co_yield result;
        }
        co_yield producer;
        co_yield producer.next();
        co_yield producer.next();
    };
    for (const bool forLoop : {true, false}) {
        flow::Block block(make(forLoop));
        if (!forLoop) CHECK(block.next() == 3);
        CHECK_THROWS_AS(block.next(), NotReadyError);
        CHECK_THROWS_AS(block.next(), StopIteration);
    }
}

TEST_CASE("StopIteration that escapes ends a generator quietly, its own as well as that of a stage") {
    auto own = []() -> flow::Generator<int> {
        co_yield 1;
        throw StopIteration();
    };
    auto pairs = []() -> flow::Generator<int> {
        auto some = flow::wrap({1, 2, 3});
        for (;;) {
            co_yield some;
            const int first = some.next();
            co_yield some;
            co_yield first * 10 + some.next();
        }
    };
    CHECK(all(own) == Ints{1});
    CHECK(all(pairs) == Ints{12});
}

TEST_CASE("an error in a generator is raised where its consumer asks for the next result") {
    auto make = [](bool handles) -> flow::Generator<std::string> {
        auto producer = flow::wrap(failing(ValueError("bad")));
        std::string text;
        try {
            co_yield producer;
            for (const int result : producer) {
                co_yield std::to_string(result);
                co_yield producer;
            }
        } catch (const ValueError& error) {
            if (!handles) throw;
            text = error.what();
        }
        co_yield text;
    };
    CHECK(all(make(true)) == Texts{"1", "bad"});
    flow::Block block(make(false));
    CHECK(block.next() == "1");
    CHECK_THROWS_AS(block.next(), ValueError);
}

TEST_CASE("co_await raises, inside of a try too; co_await stage.result() doesn't") {
    auto raises = []() -> flow::Generator<std::string> {
        auto producer = flow::wrap(failing(ValueError("bad")));
        std::string text;
        try {
            while (auto result = co_await producer) co_yield std::to_string(*result);
        } catch (const ValueError& error) {
            text = error.what();
        }
        co_yield text;
        auto after = co_await producer;
        co_yield after ? "more" : "over";
    };
    auto gives = []() -> flow::Generator<std::string> {
        auto producer = flow::wrap(failing(ValueError("bad")));
        while (auto result = co_await producer.result()) {
            if (*result) {
                co_yield std::to_string(**result);
            } else {
                co_yield result->error().getErrorMessage();
            }
        }
        co_yield "over";
    };
    CHECK(all(raises) == Texts{"1", "bad", "over"});
    CHECK(all(gives) == Texts{"1", "bad", "over"});
}

TEST_CASE("a generator that has failed has ended: without the failure it is over") {
    auto make = []() -> flow::Generator<int> {
        auto producer = flow::wrap(failing(ValueError()));
        co_yield producer;
        co_yield producer.next();
        co_yield producer;
        CHECK(producer.failure);
        producer.failure.reset();
        co_yield producer;
        CHECK(producer.stop);
        CHECK(producer.results.empty());
        co_yield 7;
    };
    CHECK(all(make) == Ints{1, 7});
}

TEST_CASE("results of any kind: moved, larger, without a default, bools, not assignable") {
    struct Large {
        explicit Large(int n) : last(n) {}
        char filling[200] = {};
        int last;
    };
    auto pointers = []() -> flow::Generator<std::unique_ptr<int>> {
        co_yield std::make_unique<int>(1);
        auto inner =
            flow::wrap([]() -> flow::Generator<std::unique_ptr<int>> { co_yield std::make_unique<int>(2); });
        while (auto got = co_await inner) co_yield std::move(*got);
    };
    auto large = []() -> flow::Generator<Large> { co_yield Large(5); };
    auto bools = []() -> flow::Generator<bool> {
        co_yield true;
        co_yield false;
    };
    const auto got = all(pointers);
    REQUIRE(got.size() == 2);
    CHECK(*got[0] + *got[1] == 3);
    CHECK(all(large)[0].last == 5);
    CHECK(all(bools) == std::vector<bool>{true, false});
}

TEST_CASE("a generator without results, <>, runs, waits, and fails as others do") {
    Texts log;
    auto make = [](Texts& into, bool fails) -> flow::Generator<> {
        auto numbers = flow::wrap(counter(2));
        while (auto n = co_await numbers) into.push_back(std::to_string(*n));
        co_yield flow::Cooperate();
        into.emplace_back("last");
        if (fails) throw ValueError();
    };
    auto consumer = [&](bool fails) -> flow::Generator<int> {
        auto steps = flow::wrap(make(log, fails));
        co_yield steps;
        CHECK(steps.results.empty());
        CHECK(steps.stop == !fails);
        CHECK(steps.failure.has_value() == fails);
        co_yield 1;
    };
    CHECK(all(consumer(false)) == Ints{1});
    CHECK(all(consumer(true)) == Ints{1});
    CHECK(log == Texts{"2", "1", "last", "2", "1", "last"});
}

TEST_CASE("a lambda with captures may be a generator, and go as a temporary") {
    const std::string long1(100, 'a');
    auto block = flow::Block([text = long1]() -> flow::Generator<std::string> {
        co_yield text;
        co_yield flow::Cooperate();
        co_yield text + "b";
    });
    CHECK(block.next() == long1);
    CHECK(block.next() == long1 + "b");
}

TEST_CASE("an empty handle can't be wrapped") {
    auto generator = counter(3);
    CHECK(generator);
    auto moved = std::move(generator);
    CHECK_FALSE(generator); // NOLINT(bugprone-use-after-move)
    CHECK_THROWS_AS(flow::wrap(std::move(generator)), ropewalk::AssertionError); // NOLINT
    CHECK(all(std::move(moved)) == Ints{3, 2, 1});
}

TEST_CASE("a generator that asks for itself gets an error") {
    flow::Stage<int>* self = nullptr;
    auto make = [](flow::Stage<int>*& own) -> flow::Generator<int> {
        co_yield 1;
        co_yield *own;
        co_yield 2;
    };
    auto stage = flow::wrap(make(self));
    self = &stage;
    flow::Block block(stage);
    CHECK(block.next() == 1);
    CHECK_THROWS_AS(block.next(), ropewalk::GeneratorRunningError);
}
