#include <ropewalk/flow/concurrent.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <concepts>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/callback.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/task/clock.hpp>

namespace defer = ropewalk::defer;
namespace flow = ropewalk::flow;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

namespace {

flow::Generator<std::string> named(flow::Stage<int>& a, flow::Stage<int>& b) {
    auto both = flow::wrap(flow::Concurrent(a, b));
    co_yield both;
    for (flow::Stage<int>* stage : both) {
        co_yield (stage == &a ? "a" : "b") + std::to_string(stage->next());
        co_yield both;
    }
}

flow::Generator<int> failing() {
    co_yield 1;
    throw ropewalk::IOError("broken");
}

} // namespace

TEST_CASE("Concurrent gives each stage as its results come") {
    task::Clock clock;
    flow::Callback<int> a;
    flow::Callback<int> b;
    auto d = flow::Deferred(named(a, b), clock);
    a.result(1);
    b.result(2);
    a.result(3);
    a.result(4);
    a.finish();
    b.result(5);
    defer::assertNoResult(d);
    b.finish();
    CHECK(defer::successResultOf(d) == Strings{"a1", "b2", "a3", "a4", "b5"});
}

TEST_CASE("Concurrent gives a stage again while it has results, though it has ended") {
    auto a = flow::wrap({1, 3, 5});
    auto b = flow::wrap({2, 4});
    Strings all;
    for (const std::string& text : flow::Block(named(a, b))) {
        all.push_back(text);
    }
    CHECK(all == Strings{"a1", "b2", "a3", "b4", "a5"});
}

TEST_CASE("Concurrent of unlike stages gives a variant of pointers") {
    auto numbers = flow::wrap({1});
    auto words = flow::wrap("one");
    flow::Concurrent both(numbers, words);
    using Item = decltype(both)::Held::Item;
    static_assert(std::same_as<Item, std::variant<flow::Stage<int>*, flow::Stage<std::string>*>>);
    flow::Block block(std::move(both));
    const Item first = block.next();
    CHECK(std::get<0>(first) == &numbers);
    CHECK(std::get<0>(first)->next() == 1);
    CHECK(std::get<1>(block.next())->next() == "one");
    CHECK_THROWS_AS((void)block.next(), ropewalk::StopIteration);
}

TEST_CASE("Concurrent owns sources that are not stages") {
    flow::Block block(flow::Concurrent(std::vector<int>{1}, failing()));
    CHECK(block.next()->next() == 1);
    CHECK(block.next()->next() == 1);
    CHECK_THROWS_WITH_AS((void)block.next(), "broken", ropewalk::IOError);
    CHECK_THROWS_AS((void)block.next(), ropewalk::StopIteration);
}

TEST_CASE("Concurrent takes its stages in a vector") {
    std::vector<flow::Generator<int>> sources;
    for (int i = 0; i < 3; ++i) {
        sources.push_back([](int n) -> flow::Generator<int> { co_yield n; }(i));
    }
    std::vector<int> all;
    for (auto* stage : flow::Block(flow::Concurrent(std::move(sources)))) {
        all.push_back(stage->next());
    }
    CHECK(all == std::vector<int>{0, 1, 2});
}
