#include <ropewalk/flow/filter.hpp>

#include <doctest/doctest.h>

#include <cctype>
#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/callback.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/flow/pipe.hpp>
#include <ropewalk/flow/take.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/flow/yield.hpp>
#include <ropewalk/task/clock.hpp>

namespace defer = ropewalk::defer;
namespace flow = ropewalk::flow;
namespace task = ropewalk::task;

using Numbers = std::vector<int>;
using Strings = std::vector<std::string>;

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

bool odd(int n) {
    return n % 2 != 0;
}

flow::Generator<int> failing() {
    co_yield 1;
    co_yield 2;
    throw ropewalk::IOError("broken");
}

/// Joins pairs of words.
struct Pairs : flow::Pipe<std::string> {
    using Pipe::Pipe;
    void process(flow::Results<std::string>& items, bool last) override {
        for (std::string& item : items) {
            if (held.empty()) {
                held = std::move(item);
            } else {
                results.push(std::exchange(held, {}) + item);
            }
        }
        if (last && !held.empty()) {
            throw ropewalk::RuntimeError("odd: " + std::exchange(held, {}));
        }
    }
    std::string held;
};

} // namespace

TEST_CASE("Filter lets those through for which its function says true") {
    CHECK(list(flow::Filter(odd, std::vector<flow::Yield<int>>{1, 2, flow::Cooperate(), 3})) ==
          Numbers{1, 3});
    CHECK(list(flow::Filter(odd, Numbers{1, 2, 3, 4, 5})) == Numbers{1, 3, 5});
    CHECK(list(flow::Filter(odd, Numbers{2, 4})).empty());
}

TEST_CASE("Filter without a function lets those through that are true") {
    CHECK(list(flow::Filter(nullptr, Numbers{0, 1, 0, 2})) == Numbers{1, 2});
}

TEST_CASE("Filter moves what it lets through") {
    std::vector<std::unique_ptr<int>> boxes;
    boxes.push_back(std::make_unique<int>(1));
    boxes.push_back(nullptr);
    const auto full = list(flow::Filter([](const auto& box) { return box != nullptr; }, std::move(boxes)));
    REQUIRE(full.size() == 1);
    CHECK(*full[0] == 1);
}

TEST_CASE("Filter fails with what its source or its function fails with, after the results before") {
    flow::Block block(flow::Filter(odd, failing()));
    CHECK(block.next() == 1);
    CHECK_THROWS_AS((void)block.next(), ropewalk::IOError);
    flow::Block second(flow::Filter(
        [](int n) {
            if (n == 3) {
                throw ropewalk::ValueError("three");
            }
            return true;
        },
        Numbers{1, 2, 3, 4}));
    CHECK(second.next() == 1);
    CHECK(second.next() == 2);
    CHECK_THROWS_AS((void)second.next(), ropewalk::ValueError);
    CHECK_THROWS_AS((void)second.next(), ropewalk::StopIteration);
}

TEST_CASE("a Pipe of one's own gets all that is there, and learns of the end") {
    Pairs even(Strings{"a", "b", "c", "d"});
    CHECK(list(even) == Strings{"ab", "cd"});
    Pairs odds(Strings{"a", "b", "c"});
    flow::Block block(odds);
    CHECK(block.next() == "ab");
    CHECK_THROWS_WITH_AS((void)block.next(), "odd: c", ropewalk::RuntimeError);
}

TEST_CASE("a Pipe refers to a stage") {
    auto source = flow::wrap(Strings{"a", "b"});
    Pairs pairs(source);
    CHECK(list(pairs) == Strings{"ab"});
    CHECK(source.stop);
}

TEST_CASE("Take gives the first results, and lets the source go") {
    const auto alive = std::make_shared<int>(0);
    const auto endless = [](std::shared_ptr<int> kept) -> flow::Generator<int> {
        for (;;) {
            co_yield ++*kept;
        }
    };
    auto stage = flow::wrap(flow::Take(endless(alive), 3));
    flow::Block block(stage);
    CHECK(block.next() == 1);
    CHECK(block.next() == 2);
    CHECK(alive.use_count() == 2);
    CHECK(block.next() == 3);
    CHECK(alive.use_count() == 1);
    CHECK_THROWS_AS((void)block.next(), ropewalk::StopIteration);
    CHECK(*alive == 3);
}

TEST_CASE("Take leaves to a stage what it doesn't take") {
    auto source = flow::wrap({1, 2, 3, 4});
    CHECK(list(flow::Take(source, 3)) == Numbers{1, 2, 3});
    CHECK(list(source) == Numbers{4});
}

TEST_CASE("Take of nothing asks for nothing, and of too many gives all") {
    bool asked = false;
    const auto source = [&asked]() -> flow::Generator<int> {
        asked = true;
        co_yield 1;
    };
    CHECK(list(flow::Take(source(), 0)).empty());
    CHECK_FALSE(asked);
    CHECK(list(flow::Take(source(), 5)) == Numbers{1});
    flow::Block block(flow::Take(failing(), 3));
    CHECK(block.next() == 1);
    CHECK(block.next() == 2);
    CHECK_THROWS_AS((void)block.next(), ropewalk::IOError);
}

TEST_CASE("Chunk gives results in vectors of one size, the last of which may be shorter") {
    CHECK(list(flow::Chunk(Numbers{1, 2, 3, 4, 5}, 2)) == std::vector<Numbers>{{1, 2}, {3, 4}, {5}});
    CHECK(list(flow::Chunk(Numbers{1, 2, 3, 4}, 2)) == std::vector<Numbers>{{1, 2}, {3, 4}});
    CHECK(list(flow::Chunk(Numbers{}, 2)).empty());
    flow::Block block(flow::Chunk(failing(), 3));
    CHECK(block.next() == Numbers{1, 2});
    CHECK_THROWS_AS((void)block.next(), ropewalk::IOError);
    CHECK_THROWS_AS(flow::Chunk(Numbers{}, 0), ropewalk::ValueError);
}

TEST_CASE("a Source is any source of one type of results") {
    flow::Source<int> source{Numbers{1, 2, 3}};
    source = flow::Source<int>(flow::Filter(odd, std::move(source)));
    auto stage = flow::wrap({9});
    CHECK(list(std::move(source)) == Numbers{1, 3});
    CHECK(list(flow::Source<int>(stage)) == Numbers{9});
}

TEST_CASE("Filter's function may add to its source") {
    task::Clock clock;
    flow::Callback<std::string> source;
    const flow::Deferred done(flow::Filter(
                                  [&source](const std::string& text) {
                                      if (text.size() == 1) {
                                          source.result(text + " and more");
                                          source.result(text + " and yet more, so that it needs memory");
                                      }
                                      return text != "b";
                                  },
                                  source),
                              clock);
    source.result("a");
    source.result("b");
    source.finish();
    CHECK(defer::successResultOf(done) == Strings{"a", "a and more",
                                                  "a and yet more, so that it needs memory", "b and more",
                                                  "b and yet more, so that it needs memory"});
}

TEST_CASE("Filter over a source without results has none") {
    task::Clock clock;
    const auto nothing = []() -> flow::Generator<> { co_yield flow::Cooperate(); };
    const defer::Deferred<void> done =
        flow::Deferred(flow::Filter([](const auto&) { return true; }, nothing()), clock);
    clock.advance(ropewalk::Seconds(0));
    CHECK(done.called());
}
