#include <ropewalk/flow/buffer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/concurrent.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/task/clock.hpp>

namespace defer = ropewalk::defer;
namespace flow = ropewalk::flow;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using Numbers = std::vector<int>;

namespace {

/// A result each second.
flow::Generator<int> slowly(int to, int& made) {
    while (made < to) {
        co_yield flow::Cooperate(1s);
        co_yield ++made;
    }
}
flow::Generator<int> atOnce(int to, int& made) {
    while (made < to) {
        co_yield ++made;
    }
}
/// Takes one, and pauses.
template <class Source>
flow::Generator<> taking(Source source, ropewalk::Seconds pause, Numbers& taken) {
    auto stage = flow::wrap(std::move(source));
    while (auto item = co_await stage) {
        taken.push_back(*item);
        co_yield flow::Cooperate(pause);
    }
}

} // namespace

TEST_CASE("a Buffer gives what its source gives") {
    int made = 0;
    Numbers all;
    for (const int n : flow::Block(flow::Buffer(atOnce(10, made), 3))) {
        all.push_back(n);
    }
    CHECK(all == Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
}

TEST_CASE("a Buffer's source goes on while the rest of the flow pauses, up to the limit") {
    task::Clock clock;
    int made = 0;
    Numbers taken;
    auto d = flow::Deferred(taking(flow::Buffer(slowly(20, made), 4), 100s, taken), clock);
    clock.advance(1s);
    CHECK(taken == Numbers{1});
    for (int i = 0; i < 50; ++i) {
        clock.advance(1s);
    }
    CHECK(made == 5); // one was taken
    CHECK(taken == Numbers{1});
    for (int i = 0; i < 49; ++i) {
        clock.advance(1s);
    }
    clock.advance(1s);
    CHECK(taken == Numbers{1, 2});
    d.cancel();
    CHECK(clock.getDelayedCalls().empty());
    defer::failureResultOf(d).trap<defer::CancelledError>();
}

TEST_CASE("a Buffer asks a fast source for no more than its limit") {
    task::Clock clock;
    int made = 0;
    Numbers taken;
    auto d = flow::Deferred(taking(flow::Buffer(atOnce(100, made), 8), 1s, taken), clock);
    CHECK(made == 8);
    for (int i = 0; i < 92; ++i) {
        clock.advance(1s);
        CHECK(made <= static_cast<int>(taken.size()) + 8);
    }
    for (int i = 0; i < 10; ++i) {
        clock.advance(1s);
    }
    CHECK(d.called());
    CHECK(taken.size() == 100);
}

TEST_CASE("a flow that waits at a Buffer goes on when there is a result") {
    task::Clock clock;
    int made = 0;
    auto d = flow::Deferred(flow::Buffer(slowly(3, made), 10), clock);
    clock.advance(1s);
    CHECK(made == 1);
    clock.pump({1s, 1s});
    CHECK(defer::successResultOf(d) == Numbers{1, 2, 3});
}

TEST_CASE("a Buffer gives what came before a failure first") {
    task::Clock clock;
    const auto failing = []() -> flow::Generator<int> {
        co_yield 1;
        co_yield flow::Cooperate(1s);
        co_yield 2;
        throw ropewalk::IOError("broken");
    };
    Numbers taken;
    auto d = flow::Deferred(taking(flow::Buffer(failing(), 10), 5s, taken), clock);
    clock.advance(1s);
    CHECK(taken == Numbers{1});
    clock.advance(4s);
    CHECK(taken == Numbers{1, 2});
    defer::assertNoResult(d);
    clock.advance(5s);
    CHECK(defer::failureResultOf(d).getErrorMessage() == "broken");
}

TEST_CASE("a Buffer of a Merge, and a Merge of Buffers") {
    task::Clock clock;
    int a = 0;
    int b = 10;
    auto first = flow::Deferred(flow::Buffer(flow::Merge(slowly(2, a), slowly(12, b)), 2), clock);
    int c = 0;
    int e = 10;
    auto second =
        flow::Deferred(flow::Merge(flow::Buffer(slowly(2, c), 2), flow::Buffer(slowly(12, e), 2)), clock);
    clock.pump({1s, 1s, 1s});
    CHECK(defer::successResultOf(first) == Numbers{1, 11, 2, 12});
    CHECK(defer::successResultOf(second) == Numbers{1, 11, 2, 12});
}

TEST_CASE("a Buffer for nothing is refused") {
    CHECK_THROWS_AS(flow::Buffer(Numbers{1}, 0), ropewalk::ValueError);
}

TEST_CASE("a flow is abandoned when nobody can wake the source of its Buffer") {
    const auto alive = std::make_shared<int>(0);
    task::Clock clock;
    const auto waiting = [](defer::Deferred<int> d, std::shared_ptr<int>) -> flow::Generator<int> {
        co_yield std::move(d);
        co_yield 1;
    };
    {
        defer::Deferred<int> never;
        auto d = flow::Deferred(flow::Buffer(waiting(never, alive), 2), clock);
        CHECK(alive.use_count() > 1);
        never = nullptr;
    }
    CHECK(alive.use_count() == 1);
    CHECK(defer::flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
}
