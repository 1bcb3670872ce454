#include <ropewalk/flow/map.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/task/clock.hpp>

namespace defer = ropewalk::defer;
namespace flow = ropewalk::flow;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using Numbers = std::vector<int>;
using Pair = std::tuple<std::optional<int>, std::optional<std::string>>;

namespace {

template <class X>
auto list(X&& x) {
    flow::Block block(std::forward<X>(x));
    std::vector<typename decltype(block)::Item> items;
    for (auto& item : block) {
        items.push_back(std::move(item));
    }
    return items;
}

flow::Generator<int> count(int to, int pauseAfter = 0) {
    for (int i = 1; i <= to; ++i) {
        co_yield i;
        if (i == pauseAfter) {
            co_yield flow::Cooperate();
        }
    }
}
flow::Generator<std::string> words() {
    co_yield "a";
    co_yield "b";
}
flow::Generator<int> failing() {
    co_yield 1;
    throw ropewalk::IOError("broken");
}

} // namespace

TEST_CASE("Map calls a function for each result") {
    CHECK(list(flow::Map([](int n) { return n + 10; }, count(4))) == Numbers{11, 12, 13, 14});
}

TEST_CASE("Map's function may be a member, and change the type") {
    const auto texts = list(flow::Map(&std::string::size, words));
    static_assert(std::same_as<decltype(texts), const std::vector<std::size_t>>);
    CHECK(texts == std::vector<std::size_t>{1, 1});
}

TEST_CASE("Map moves what can't be copied") {
    const auto boxes = list(flow::Map([](int n) { return std::make_unique<int>(n); }, count(2)));
    CHECK(*boxes.at(1) == 2);
    CHECK(list(flow::Map([](std::unique_ptr<int> box) { return *box + 1; },
                         flow::Map([](int n) { return std::make_unique<int>(n); }, count(2)))) ==
          Numbers{2, 3});
}

TEST_CASE("Map takes one result at a time: the source isn't ahead of the function") {
    Numbers order;
    const auto source = [&order]() -> flow::Generator<int> {
        for (int i = 1; i <= 2; ++i) {
            order.push_back(i);
            co_yield i;
        }
    };
    for (const int n : flow::Block(flow::Map(
             [&order](int i) {
                 order.push_back(10 * i);
                 return i;
             },
             source()))) {
        order.push_back(100 * n);
    }
    CHECK(order == Numbers{1, 10, 100, 2, 20, 200});
}

TEST_CASE("what Map's function throws is its failure, after the results before") {
    Numbers seen;
    flow::Block block(flow::Map(
        [](int n) {
            if (n == 3) {
                throw ropewalk::ValueError("three");
            }
            return n;
        },
        count(4)));
    seen.push_back(block.next());
    seen.push_back(block.next());
    CHECK_THROWS_WITH_AS((void)block.next(), "three", ropewalk::ValueError);
    CHECK_THROWS_AS((void)block.next(), ropewalk::StopIteration);
    CHECK(seen == Numbers{1, 2});
}

TEST_CASE("a Map whose failure is taken out goes on with the next result") {
    auto map = flow::wrap(flow::Map(
        [](int n) {
            if (n == 2) {
                throw ropewalk::ValueError("two");
            }
            return n;
        },
        count(3)));
    const auto consume = [](auto& stage) -> flow::Generator<int> {
        for (;;) {
            co_yield stage;
            if (stage.results.empty() && stage.failure) {
                stage.failure.reset();
                co_yield -1;
                continue;
            }
            if (stage.stop) {
                break;
            }
            co_yield stage.next();
        }
    };
    CHECK(list(consume(map)) == Numbers{1, -1, 3});
}

TEST_CASE("Map over several sources gets what each has next, and nothing of those that ended") {
    CHECK(list(flow::Map(
              [](std::optional<int> a, std::optional<int> b) { return a.value_or(0) * 10 + b.value_or(0); },
              count(3), count(2))) == Numbers{11, 22, 30});
}

TEST_CASE("Zip gives tuples, and pads the shorter ones") {
    CHECK(list(flow::Zip(count(3, 2), words)) == std::vector<Pair>{{1, "a"}, {2, "b"}, {3, std::nullopt}});
    CHECK(list(flow::Zip(count(0), words)) == std::vector<Pair>{{std::nullopt, "a"}, {std::nullopt, "b"}});
    CHECK(list(flow::Zip(count(0), std::vector<std::string>())).empty());
}

TEST_CASE("Zip waits for each of its sources") {
    task::Clock clock;
    auto d = flow::Deferred(flow::Zip(count(2, 1), words()), clock);
    defer::assertNoResult(d);
    clock.advance(0s);
    CHECK(defer::successResultOf(d) == std::vector<Pair>{{1, "a"}, {2, "b"}});
}

TEST_CASE("Zip fails with what a source fails with") {
    task::Clock clock;
    auto d = flow::Deferred(flow::Zip(count(3), failing()), clock);
    CHECK(defer::failureResultOf(d).getErrorMessage() == "broken");
}

TEST_CASE("a Map whose source can be copied may be used again") {
    auto map = flow::Map([](int n) { return n + 1; }, Numbers{1, 2});
    CHECK(list(map) == Numbers{2, 3});
    CHECK(list(map) == Numbers{2, 3});
}
