#include <ropewalk/flow/concurrent.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/flow/map.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/task/clock.hpp>

namespace defer = ropewalk::defer;
namespace flow = ropewalk::flow;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;
using Numbers = std::vector<int>;

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

flow::Generator<int> count(int from, int to) {
    for (int i = from; i <= to; ++i) {
        co_yield i;
    }
}
flow::Generator<int> countWithPause(int from, int to, int pauseAfter, ropewalk::Seconds pause = 0s) {
    for (int i = from; i <= to; ++i) {
        co_yield i;
        if (i == pauseAfter) {
            co_yield flow::Cooperate(pause);
        }
    }
}
flow::Generator<std::string> words(bool pause) {
    co_yield "one";
    co_yield "two";
    if (pause) {
        co_yield flow::Cooperate();
    }
    co_yield "three";
}
flow::Generator<int> failing(int results) {
    for (int i = 0; i < results; ++i) {
        co_yield i;
    }
    throw ropewalk::IOError("broken");
}
flow::Generator<> silent(int pauses) {
    for (; pauses > 0; --pauses) {
        co_yield flow::Cooperate();
    }
}

std::string textOf(const std::variant<std::string, int>& item) {
    return item.index() == 0 ? std::get<0>(item) : std::to_string(std::get<1>(item));
}

struct Closed {
    Strings& log;
    std::string name;
    ~Closed() { log.push_back(name); }
};
flow::Generator<int> closing(Strings& log, std::string name, ropewalk::Seconds pause) {
    const Closed closed{log, name};
    co_yield 1;
    co_yield flow::Cooperate(pause);
    co_yield 2;
}

} // namespace

TEST_CASE("Merge takes its sources in turns, and passes by one that pauses") {
    Strings texts;
    for (const auto& item : flow::Block(flow::Merge(words(true), count(1, 3)))) {
        texts.push_back(textOf(item));
    }
    CHECK(texts == Strings{"one", "1", "two", "2", "3", "three"});
}

TEST_CASE("Merge of sources of one type has results of that type") {
    CHECK(list(flow::Merge(count(1, 3), count(10, 11))) == Numbers{1, 10, 2, 11, 3});
    static_assert(std::same_as<decltype(flow::Merge(count(1, 2), count(1, 2)))::Held::Item, int>);
    static_assert(std::same_as<decltype(flow::Merge(words(true), count(1, 2)))::Held::Item,
                               std::variant<std::string, int>>);
    static_assert(std::same_as<decltype(flow::Merge(words(true), count(1, 2), words(false)))::Held::Item,
                               std::variant<std::string, int>>);
}

TEST_CASE("Merge takes a list whole, with all that is there") {
    CHECK(list(flow::Merge(Numbers{1, 2, 3}, count(10, 12))) == Numbers{1, 2, 3, 10, 11, 12});
}

TEST_CASE("Merge of bools") {
    CHECK(list(flow::Merge(std::vector<bool>{true, false}, std::vector<bool>{false})) ==
          std::vector<bool>{true, false, false});
}

TEST_CASE("Merge of one source, and of none that has results") {
    CHECK(list(flow::Merge(count(1, 3))) == Numbers{1, 2, 3});
    CHECK(list(flow::Merge(count(1, 0), count(2, 1))).empty());
    CHECK(list(flow::Merge(std::vector<flow::Generator<int>>())).empty());
}

TEST_CASE("Merge takes any number of sources in a vector") {
    std::vector<flow::Generator<int>> sources;
    for (int i = 0; i < 5; ++i) {
        sources.push_back(count(10 * i, 10 * i + i));
    }
    CHECK(list(flow::Merge(std::move(sources))) ==
          Numbers{0, 10, 20, 30, 40, 11, 21, 31, 41, 22, 32, 42, 33, 43, 44});
}

TEST_CASE("Merge of pointers to stages leaves them where they are") {
    auto a = flow::wrap(count(1, 2));
    auto b = flow::wrap(count(5, 6));
    CHECK(list(flow::Merge(std::vector<flow::Stage<int>*>{&a, &b})) == Numbers{1, 5, 2, 6});
    CHECK(a.stop);
    CHECK(b.stop);
}

TEST_CASE("a source without results takes part in a Merge, and adds none") {
    static_assert(std::same_as<decltype(flow::Merge(count(1, 2), silent(1)))::Held::Item, int>);
    CHECK(list(flow::Merge(count(1, 3), silent(2))) == Numbers{1, 2, 3});
    task::Clock clock;
    auto d = flow::Deferred(flow::Merge(silent(1), silent(2)), clock);
    static_assert(std::derived_from<decltype(d), defer::Deferred<void>>);
    clock.pump({0s, 0s, 0s});
    CHECK(d.called());
}

TEST_CASE("a source that pauses is left alone until its own pause is over") {
    task::Clock clock;
    Numbers order;
    const auto noting = [&order](int item) {
        order.push_back(item);
        return item;
    };
    auto d = flow::Deferred(
        flow::Map(noting, flow::Merge(countWithPause(1, 2, 1, 5s), countWithPause(10, 12, 10, 1s))), clock);
    CHECK(order == Numbers{1, 10});
    clock.advance(1s);
    CHECK(order == Numbers{1, 10, 11, 12});
    clock.advance(3s);
    CHECK(order == Numbers{1, 10, 11, 12});
    clock.advance(1s);
    CHECK(order == Numbers{1, 10, 11, 12, 2});
    CHECK(defer::successResultOf(d) == order);
}

TEST_CASE("a Deferred is a source of a Merge") {
    task::Clock clock;
    defer::Deferred<int> pending;
    clock.callLater(0s, [pending] { pending.callback(99); });
    auto d = flow::Deferred(flow::Merge(pending, countWithPause(1, 3, 2)), clock);
    clock.advance(0s);
    CHECK(defer::successResultOf(d) == Numbers{1, 2, 99, 3});
}

TEST_CASE("Deferreds in a vector come in the order in which they fire") {
    task::Clock clock;
    std::vector<defer::Deferred<int>> pending(3);
    auto d = flow::Deferred(flow::Merge(pending), clock);
    pending[2].callback(2);
    pending[0].callback(0);
    defer::assertNoResult(d);
    pending[1].callback(1);
    CHECK(defer::successResultOf(d) == Numbers{2, 0, 1});
}

TEST_CASE("a source's failure is that of the Merge, after the results that came before") {
    Numbers seen;
    flow::Block block(flow::Merge(failing(2), count(10, 15)));
    CHECK_THROWS_WITH_AS(
        [&] {
            for (const int n : block) {
                seen.push_back(n);
            }
        }(),
        "broken", ropewalk::IOError);
    CHECK(seen == Numbers{0, 10, 1, 11});
}

TEST_CASE("whoever takes a Merge's failure out may go on with the other sources") {
    auto merge = flow::wrap(flow::Merge(failing(1), count(10, 12)));
    Numbers seen;
    bool failed = false;
    const auto consume = [](auto& stage, Numbers& into, bool& flag) -> flow::Generator<> {
        for (;;) {
            co_yield stage;
            while (!stage.results.empty()) {
                into.push_back(stage.results.popFront());
            }
            if (stage.stop) {
                break;
            }
            if (stage.failure) {
                flag = true;
                stage.failure.reset();
            }
        }
    };
    task::Clock clock;
    auto d = flow::Deferred(consume(merge, seen, failed), clock);
    CHECK(d.called());
    CHECK(failed);
    CHECK(seen == Numbers{0, 10, 11, 12});
}

TEST_CASE("a Merge in a Merge waits for all that sleep in both") {
    task::Clock clock;
    Numbers order;
    const auto noting = [&order](int item) {
        order.push_back(item);
        return item;
    };
    auto d = flow::Deferred(flow::Map(noting, flow::Merge(flow::Merge(countWithPause(1, 2, 1, 1s),
                                                                      countWithPause(11, 12, 11, 2s)),
                                                          countWithPause(21, 22, 21, 3s))),
                            clock);
    CHECK(order == Numbers{1, 21, 11});
    clock.advance(1s);
    CHECK(order == Numbers{1, 21, 11, 2});
    clock.advance(1s);
    CHECK(order == Numbers{1, 21, 11, 2, 12});
    clock.advance(1s);
    CHECK(defer::successResultOf(d) == Numbers{1, 21, 11, 2, 12, 22});
}

TEST_CASE("a Block sleeps until the first of a Merge's sources may go on") {
    std::vector<double> slept;
    Numbers items;
    for (const int n : flow::Block(flow::Merge(countWithPause(1, 2, 1, 3s), countWithPause(11, 12, 11, 1s)),
                                   [&](ropewalk::Seconds time) { slept.push_back(time.count()); })) {
        items.push_back(n);
    }
    CHECK(items == Numbers{1, 11, 12, 2});
    CHECK(slept == std::vector<double>{1, 2});
}

TEST_CASE("a Block refuses a Merge of what it can't wait for") {
    defer::Deferred<int> pending;
    flow::Block block(flow::Merge(pending, count(1, 1)));
    CHECK_THROWS_AS((void)block.next(), ropewalk::Unsupported);
}

TEST_CASE("a flow that is cancelled cancels what each source of a Merge waits for, and closes them all") {
    task::Clock clock;
    Strings log;
    defer::Deferred<int> pending([&log] { log.push_back("cancelled"); });
    auto d = flow::Deferred(flow::Merge(closing(log, "a", 1s), pending, closing(log, "b", 2s)), clock);
    d.addErrback([&log](const ropewalk::Failure& failure) {
        log.push_back(failure.check<defer::CancelledError>() != nullptr ? "failed" : "?");
    });
    CHECK(clock.getDelayedCalls().size() == 2);
    d.cancel();
    CHECK(clock.getDelayedCalls().empty());
    REQUIRE(log.size() == 4);
    std::ranges::sort(log.begin() + 1, log.begin() + 3);
    CHECK(log == Strings{"cancelled", "a", "b", "failed"});
}

TEST_CASE("a thousand sources that sleep wake one after another") {
    task::Clock clock;
    std::vector<flow::Generator<int>> sources;
    for (int i = 0; i < 1000; ++i) {
        sources.push_back(countWithPause(i, i + 1, i, ropewalk::Seconds(1000 - i)));
    }
    auto d = flow::Deferred(flow::Merge(std::move(sources)), clock);
    for (int i = 0; i < 1000; ++i) {
        clock.advance(1s);
    }
    const Numbers all = defer::successResultOf(d);
    REQUIRE(all.size() == 2000);
    CHECK(all[0] == 0);
    CHECK(all[999] == 999);
    CHECK(all[1000] == 1000);
    CHECK(all[1999] == 1);
}
