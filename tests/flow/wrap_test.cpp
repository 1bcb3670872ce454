#include <ropewalk/flow/wrap.hpp>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <array>
#include <list>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/flow/yield.hpp>
#include <ropewalk/task/generator.hpp>

#include <flow/flows.hpp>

namespace defer = ropewalk::defer;
namespace flow = ropewalk::flow;
namespace task = ropewalk::task;

using flow::Yield;
using flows::all;
using flows::counter;
using ropewalk::ValueError;

using Ints = std::vector<int>;
using Texts = std::vector<std::string>;
using Rows = std::vector<std::tuple<int, std::string>>;

namespace {

const std::vector<Yield<std::string>> oneTwoThree{"one", "two", flow::Cooperate(), "three"};

/// Stages and results, from a class with next: what `producer` of Twisted's own tests does.
struct Rowwise {
    Yield<std::tuple<int, std::string>> next() {
        switch (step++ % 3) {
            case 0:
                return numbers;
            case 1:
                return names;
            default:
                return std::tuple(numbers.next(), names.next());
        }
    }
    flow::Stage<int>& numbers;
    flow::Stage<std::string>& names;
    int step = 0;
};

flow::Generator<std::string> titled(flow::Stage<std::tuple<int, std::string>>& rows) {
    auto title = flow::wrap({std::string("Title")});
    co_yield title;
    co_yield title.next();
    co_yield rows;
    for (const auto& [number, name] : rows) {
        co_yield std::to_string(number) + name;
        co_yield rows;
    }
}

struct Down {
    std::optional<int> next() { return count == 0 ? std::nullopt : std::optional(count--); }
    int count;
};

} // namespace

TEST_CASE("a string is one result") {
    CHECK(all("string") == Texts{"string"});
    CHECK(all(std::string("string")) == Texts{"string"});
    CHECK(all(std::string_view("")) == Texts{""});
}

TEST_CASE("a list is all its items at once; with Yields, up to what is no result") {
    CHECK(all(Ints{1, 2, 3}) == Ints{1, 2, 3});
    CHECK(all(std::vector<Yield<int>>{1, 2, flow::Cooperate(), 3}) == Ints{1, 2, 3});
    CHECK(all(oneTwoThree) == Texts{"one", "two", "three"});
    CHECK(all(Ints{}) == Ints{});
    auto list = flow::wrap({1, 2, 3});
    flow::Block block(list);
    CHECK(block.next() == 1);
    CHECK(list.results.size() == 2);
    CHECK(list.stop);
}

TEST_CASE("other ranges, views, and classes with next: one result at a time") {
    CHECK(all(std::list<int>{1, 2}) == Ints{1, 2});
    CHECK(all(std::array<int, 2>{1, 2}) == Ints{1, 2});
    CHECK(all(std::views::iota(0, 4) | std::views::filter([](int n) { return n % 2 == 1; })) == Ints{1, 3});
    CHECK(all(Down{3}) == Ints{3, 2, 1});
    Down kept{2};
    CHECK(all(std::ref(kept)) == Ints{2, 1});
    CHECK(kept.count == 0);
    auto numbers = []() -> task::Generator<int> {
        co_yield 1;
        co_yield 2;
    };
    CHECK(all(numbers()) == Ints{1, 2});
}

TEST_CASE("a function is called, and what it returns is wrapped") {
    CHECK(all([] { return counter(2); }) == Ints{2, 1});
    CHECK(all([] { return std::string("text"); }) == Texts{"text"});
    CHECK(all([] { return [] { return Ints{1}; }; }) == Ints{1});
    auto stage = flow::wrap(counter(2));
    CHECK(all([&]() -> flow::Stage<int>& { return stage; }) == Ints{2, 1});
    CHECK_THROWS_AS(flow::wrap([]() -> Ints { throw ValueError(); }), ValueError);
}

TEST_CASE("a stage is that stage itself") {
    auto stage = flow::wrap(counter(1));
    CHECK(&flow::wrap(stage) == &stage);
    flow::Stage<int>& base = stage;
    CHECK(&flow::wrap(base) == &base);
}

TEST_CASE("a producer and a consumer, made of classes and stages, nest") {
    auto numbers = flow::wrap(std::list<int>{1, 2, 3});
    auto names = flow::wrap(oneTwoThree);
    auto rows = flow::wrap(Rowwise{numbers, names});
    CHECK(all(titled(rows)) == Texts{"Title", "1one", "2two", "3three"});
    auto again = flow::wrap(std::list<int>{1, 2, 3});
    auto namesAgain = flow::wrap(oneTwoThree);
    CHECK(all(Rowwise{again, namesAgain}) == Rows{{1, "one"}, {2, "two"}, {3, "three"}});
}

TEST_CASE("a list that is built of all results is one result") {
    auto build = [](flow::Stage<int>& source) -> flow::Generator<Ints> {
        Ints out;
        while (auto item = co_await source) out.push_back(*item);
        co_yield out;
    };
    auto source = flow::wrap({1, 2, 3});
    CHECK(flow::Block(build(source)).next() == Ints{1, 2, 3});
}

TEST_CASE("a Deferred that has fired is its one result, which the stage takes") {
    const auto fired = defer::succeed(std::string("test"));
    CHECK(all(fired) == Texts{"test"});
    CHECK(all(defer::succeed(std::make_unique<int>(5))).size() == 1);
    const defer::Deferred<void> nothing;
    nothing.callback();
    CHECK(all(nothing).size() == 1);
    flow::Block failed(defer::fail<int>(ValueError("bad")));
    CHECK_THROWS_AS(failed.next(), ValueError);
    flow::Block taken(fired);
    CHECK_THROWS_AS(taken.next(), ropewalk::NoResultError);
}

TEST_CASE("an empty Deferred, and a handle of another type, can't be wrapped") {
    defer::Deferred<int> empty = nullptr;
    CHECK_THROWS_AS(flow::wrap(empty), ropewalk::EmptyDeferredError);
    const defer::Deferred<int> number;
    number.addCallback([](int n) { return std::to_string(n); });
    CHECK_THROWS_AS(flow::wrap(number), ropewalk::WrongTypeError);
}

TEST_CASE("however values, pauses and errors are mixed, a flow gives what the plain list holds") {
    const bool held = rc::check([](const std::vector<std::uint8_t>& plan, bool list) {
        Ints expected;
        bool fails = false;
        for (const std::uint8_t item : plan) {
            if (item % 50 == 49) {
                fails = true;
                break;
            }
            if (item % 5 != 0) expected.push_back(item);
        }
        auto make = [&]() -> flow::Generator<int> {
            for (const std::uint8_t item : plan) {
                if (item % 50 == 49) throw ValueError();
                if (item % 5 != 0) {
                    co_yield item;
                } else {
                    co_yield flow::Cooperate(ropewalk::Seconds(item));
                }
            }
        };
        std::vector<Yield<int>> yields;
        for (const std::uint8_t item : plan) {
            if (item % 50 == 49) break;
            if (item % 5 != 0) {
                yields.emplace_back(int{item});
            } else {
                yields.emplace_back(flow::Cooperate(ropewalk::Seconds(item)));
            }
        }
        auto through = [](flow::Stage<int>& source) -> flow::Generator<int> {
            co_yield source;
            for (const int item : source) {
                co_yield item;
                co_yield source;
            }
        };
        auto generator = flow::wrap(make());
        auto wrapped = flow::wrap(yields);
        flow::Stage<int>& source = list ? static_cast<flow::Stage<int>&>(wrapped) : generator;
        flow::Block block(through(source), flow::Sleep(flows::awake));
        Ints got;
        bool failed = false;
        try {
            for (const int item : block) got.push_back(item);
        } catch (const ValueError&) {
            failed = true;
        }
        RC_ASSERT(got == expected);
        RC_ASSERT(failed == (fails && !list));
    });
    CHECK(held);
}
