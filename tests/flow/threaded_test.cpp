// labels: threads
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/concurrent.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/flow/take.hpp>
#include <ropewalk/flow/threaded.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/generator.hpp>

namespace flow = ropewalk::flow;
namespace defer = ropewalk::defer;
namespace task = ropewalk::task;

namespace {

using Ints = std::vector<int>;
using ropewalk::Reactor;

task::Generator<int> countDown(int count) {
    for (; count > 0; --count) {
        co_yield count;
    }
}

/// Runs the reactor until the Deferred has fired, and gives what it fired with.
template <class D>
auto outcome(Reactor& reactor, D deferred) {
    deferred.addBoth([&reactor](auto result) {
        reactor.stop();
        return result;
    });
    reactor.run();
    return deferred;
}

/// Tells in which thread it is used and destroyed.
struct Places {
    std::atomic<std::thread::id> begun;
    std::atomic<std::thread::id> asked;
    std::atomic<std::thread::id> gone;
    std::atomic<int> living = 0;
};
class Located {
public:
    explicit Located(Places& places) : places_(&places) { ++places.living; }
    Located(Located&& other) noexcept : places_(std::exchange(other.places_, nullptr)) {}
    Located& operator=(Located&&) = delete;
    ~Located() {
        if (places_ != nullptr) {
            places_->gone = std::this_thread::get_id();
            --places_->living;
        }
    }
    std::optional<int> next() {
        places_->asked = std::this_thread::get_id();
        return left_ == 0 ? std::nullopt : std::optional(left_--);
    }

private:
    Places* places_;
    int left_ = 3;
};

/// Goes on until nobody takes any more.
struct Endless {
    explicit Endless(std::atomic<bool>& theEnd) : end(&theEnd) {}
    Endless(Endless&& other) noexcept : end(std::exchange(other.end, nullptr)) {}
    Endless& operator=(Endless&&) = delete;
    ~Endless() {
        if (end != nullptr) {
            *end = true;
        }
    }
    int next() { return ++n; }
    std::atomic<bool>* end;
    int n = 0;
};

struct Chunks {
    static constexpr bool chunked = true;
    std::optional<Ints> next() {
        ++n;
        return n > 3 ? std::nullopt : std::optional(Ints(static_cast<std::size_t>(n), n));
    }
    int n = 0;
};
struct Rows {
    static constexpr bool chunked = false;
    std::optional<Ints> next() { return n++ == 0 ? std::optional(Ints{1, 2}) : std::nullopt; }
    int n = 0;
};

} // namespace

TEST_CASE("what a thread makes comes to the flow, in order") {
    Reactor reactor;
    const auto d = outcome(reactor, flow::Deferred(flow::Threaded(countDown(5))));
    CHECK(defer::successResultOf(d) == Ints{5, 4, 3, 2, 1});
}

TEST_CASE("a range, something with next(), and a function that returns one") {
    Reactor reactor;
    CHECK(defer::successResultOf(outcome(reactor, flow::Deferred(flow::Threaded(Ints{1, 2, 3})))) ==
          Ints{1, 2, 3});
    Places places;
    CHECK(defer::successResultOf(outcome(reactor, flow::Deferred(flow::Threaded(Located(places))))) ==
          Ints{3, 2, 1});
    std::atomic<std::thread::id> called;
    const auto function = [&called] {
        called = std::this_thread::get_id();
        return countDown(2);
    };
    CHECK(defer::successResultOf(outcome(reactor, flow::Deferred(flow::Threaded(function)))) == Ints{2, 1});
    CHECK(called.load() != std::this_thread::get_id());
    CHECK(called.load() != std::thread::id());
}

TEST_CASE("the iterable is asked and destroyed in the thread") {
    Reactor reactor;
    Places places;
    const auto d = outcome(reactor, flow::Deferred(flow::Threaded(Located(places))));
    CHECK(defer::successResultOf(d).size() == 3);
    CHECK(places.living == 0); // before the flow learns of the end
    CHECK(places.asked.load() != std::this_thread::get_id());
    CHECK(places.gone.load() == places.asked.load());
}

TEST_CASE("an error crosses, after the results that came before it") {
    Reactor reactor;
    auto fails = []() -> task::Generator<int> {
        co_yield 1;
        throw ropewalk::ValueError("bad");
    };
    Ints seen;
    auto looks = [](Ints& list, auto source) -> flow::Generator<> {
        auto stage = flow::wrap(std::move(source));
        while (auto n = co_await stage) {
            list.push_back(*n);
        }
    };
    const auto d = outcome(reactor, flow::Deferred(looks(seen, flow::Threaded(fails()))));
    CHECK(seen == Ints{1});
    const auto failure = defer::failureResultOf(d);
    REQUIRE(failure.check<ropewalk::ValueError>() != nullptr);
    CHECK(failure.getErrorMessage() == "bad");
}

TEST_CASE("a trapped error is the last result") {
    Reactor reactor;
    auto fails = []() -> task::Generator<int> {
        co_yield 1;
        throw ropewalk::ValueError("bad");
    };
    const auto d =
        outcome(reactor, flow::Deferred(flow::Threaded(fails()), flow::trap<ropewalk::ValueError>));
    const auto results = defer::successResultOf(d);
    REQUIRE(results.size() == 2);
    CHECK(results[0].value() == 1);
    CHECK(results[1].error().check<ropewalk::ValueError>() != nullptr);
}

TEST_CASE("StopIteration is the end") {
    struct Three {
        int next() {
            if (++n > 3) {
                throw ropewalk::StopIteration();
            }
            return n;
        }
        int n = 0;
    };
    Reactor reactor;
    CHECK(defer::successResultOf(outcome(reactor, flow::Deferred(flow::Threaded(Three())))) == Ints{1, 2, 3});
}

TEST_CASE("a chunked iterable's items are many results each") {
    struct Some {
        bool chunked = true;
        std::optional<Ints> next() { return n++ == 0 ? std::optional(Ints{7, 8}) : std::nullopt; }
        int n = 0;
    };
    Reactor reactor;
    CHECK(defer::successResultOf(outcome(reactor, flow::Deferred(flow::Threaded(Chunks())))) ==
          Ints{1, 2, 2, 3, 3, 3});
    CHECK(defer::successResultOf(outcome(reactor, flow::Deferred(flow::Threaded(Rows())))) ==
          std::vector<Ints>{{1, 2}});
    CHECK(defer::successResultOf(outcome(reactor, flow::Deferred(flow::Threaded(Some())))) == Ints{7, 8});
}

TEST_CASE("results that can only be moved, and many of them") {
    Reactor reactor;
    auto many = [](int count) -> task::Generator<std::unique_ptr<int>> {
        for (int i = 0; i < count; ++i) {
            co_yield std::make_unique<int>(i);
        }
    };
    long sum = 0;
    auto adds = [](long& total, auto source) -> flow::Generator<> {
        auto stage = flow::wrap(std::move(source));
        int expected = 0;
        while (auto n = co_await stage) {
            total += **n == expected++ ? **n : 1'000'000'000;
        }
    };
    outcome(reactor, flow::Deferred(adds(sum, flow::Threaded(many(20'000), {.limit = 16}))));
    CHECK(sum == 199'990'000);
}

TEST_CASE("the thread doesn't run ahead by more than the limit") {
    Reactor reactor;
    std::atomic<int> made = 0;
    auto counts = [](std::atomic<int>& count) -> task::Generator<int> {
        while (true) {
            co_yield ++count;
        }
    };
    int taken = 0;
    int most = 0;
    auto slow = [](int& at, int& ahead, std::atomic<int>& count, auto source) -> flow::Generator<> {
        auto stage = flow::wrap(std::move(source));
        while (at < 200) {
            at = *co_await stage;
            ahead = std::max(ahead, count.load() - at);
            co_yield flow::Cooperate();
        }
    };
    outcome(reactor, flow::Deferred(slow(taken, most, made, flow::Threaded(counts(made), {.limit = 5}))));
    CHECK(taken == 200);
    CHECK(most <= 10); // what waits, what was taken at once, and the one that is in the making
    CHECK_THROWS_AS(flow::Threaded(Ints{}, {.limit = 0}), ropewalk::ValueError);
}

TEST_CASE("the reactor has its turn while a thread is fast") {
    Reactor reactor;
    std::atomic<bool> gone = false;
    int turns = 0;
    std::function<void()> turn = [&] {
        ++turns;
        reactor.callLater(ropewalk::Seconds(0), turn);
    };
    turn();
    auto takes = [](int& counted, auto source) -> flow::Generator<> {
        auto stage = flow::wrap(std::move(source));
        while (counted < 20) {
            co_await stage;
        }
    };
    outcome(reactor, flow::Deferred(takes(turns, flow::Threaded(Endless(gone)))));
    CHECK(turns >= 20);
    CHECK(gone);
}

TEST_CASE("merged with a stage that cooperates") {
    Reactor reactor;
    auto cooperates = [](int count) -> flow::Generator<int> {
        for (int i = 0; i < count; ++i) {
            co_yield flow::Cooperate();
            co_yield 100 + i;
        }
    };
    const auto d = outcome(reactor, flow::Deferred(flow::Merge(flow::Threaded(countDown(5)), cooperates(5))));
    Ints all = defer::successResultOf(d);
    std::ranges::sort(all);
    CHECK(all == Ints{1, 2, 3, 4, 5, 100, 101, 102, 103, 104});
}

TEST_CASE("results that wait are there at once") {
    Reactor reactor;
    std::atomic<bool> made = false;
    auto counts = [](std::atomic<bool>& all) -> task::Generator<int> {
        co_yield 1;
        co_yield 2;
        all = true;
    };
    Ints seen;
    auto late = [](Ints& list, std::atomic<bool>& all, auto source) -> flow::Generator<> {
        auto stage = flow::wrap(std::move(source));
        while (!all) {
            co_yield flow::Cooperate();
        }
        co_yield stage;
        for (const int n : stage.results) {
            list.push_back(n);
        }
        stage.results.clear();
        co_yield stage;
        list.push_back(stage.stop ? -1 : 0);
    };
    outcome(reactor, flow::Deferred(late(seen, made, flow::Threaded(counts(made)))));
    CHECK(seen == Ints{1, 2, -1});
}

TEST_CASE("a thread ends at its next item when nobody takes any more") {
    Reactor reactor;
    std::atomic<bool> gone = false;
    SUBCASE("the flow has had enough") {
        const auto d = outcome(reactor, flow::Deferred(flow::Take(flow::Threaded(Endless(gone)), 3)));
        CHECK(defer::successResultOf(d) == Ints{1, 2, 3});
    }
    SUBCASE("the flow is cancelled, and the thread waits for room") {
        const defer::Deferred<void> never;
        auto waits = [](auto source, const defer::Deferred<void>& other) -> flow::Generator<> {
            auto stage = flow::wrap(std::move(source));
            co_yield stage;
            co_yield other;
        };
        const auto d = flow::Deferred(waits(flow::Threaded(Endless(gone), {.limit = 2}), never));
        reactor.callLater(ropewalk::Seconds(0.02), [&] { d.cancel(); });
        CHECK(defer::failureResultOf(outcome(reactor, d)).check<defer::CancelledError>() != nullptr);
    }
    SUBCASE("the flow is cancelled while it waits for the thread") {
        std::atomic<bool> go = false;
        struct Held {
            Held(std::atomic<bool>& theGo, std::atomic<bool>& end) : go(&theGo), rest(end) {}
            int next() {
                while (!*go) {
                    std::this_thread::yield();
                }
                return rest.next();
            }
            std::atomic<bool>* go;
            Endless rest;
        };
        const auto d = flow::Deferred(flow::Threaded(Held(go, gone)));
        reactor.callLater(ropewalk::Seconds(0), [&] { d.cancel(); });
        reactor.callLater(ropewalk::Seconds(0.01), [&] { go = true; });
        CHECK(defer::failureResultOf(outcome(reactor, d)).check<defer::CancelledError>() != nullptr);
        go = true;
    }
    CHECK(gone); // the reactor has waited for its threads when it stopped
}

TEST_CASE("a reactor that stops ends the thread, and tells the flow") {
    Reactor reactor;
    std::atomic<bool> gone = false;
    defer::Deferred<Ints> d = nullptr;
    SUBCASE("the thread makes results") {
        d = flow::Deferred(flow::Threaded(Endless(gone)));
    }
    SUBCASE("the thread waits for room") {
        auto waits = [](auto source) -> flow::Generator<int> {
            auto stage = flow::wrap(std::move(source));
            co_yield stage;
            co_yield flow::Cooperate(ropewalk::Seconds(0.03));
            while (auto n = co_await stage) {
                co_yield *n;
            }
        };
        d = flow::Deferred(waits(flow::Threaded(Endless(gone), {.limit = 2})));
    }
    reactor.callLater(ropewalk::Seconds(0.02), [&] { reactor.stop(); });
    reactor.run();
    CHECK(gone);
    reactor.callLater(ropewalk::Seconds(0.04), [&] { reactor.stop(); });
    reactor.run();
    CHECK(defer::failureResultOf(d).check<ropewalk::AbandonedError>() != nullptr);

    // and the next run is as good as the first
    CHECK(defer::successResultOf(outcome(reactor, flow::Deferred(flow::Threaded(countDown(3))))) ==
          Ints{3, 2, 1});
}

TEST_CASE("a stage that is made while the reactor stops fails at once") {
    Reactor reactor;
    std::atomic<bool> gone = false;
    defer::Deferred<Ints> d = nullptr;
    defer::Deferred<void> held;
    reactor.addSystemEventTrigger("before", "shutdown", [&] { return held; });
    reactor.callWhenRunning([&] {
        // the first one teaches the reactor that there are threads
        flow::Deferred(flow::Threaded(countDown(1))).addCallback([&](const Ints&) {
            reactor.callLater(ropewalk::Seconds(0), [&] {
                d = flow::Deferred(flow::Threaded(Endless(gone)));
                held.callback();
            });
            reactor.stop();
        });
    });
    reactor.run();
    CHECK(defer::failureResultOf(d).check<ropewalk::AbandonedError>() != nullptr);
}

TEST_CASE("a reactor that goes without a shutdown ends the thread, too") {
    std::atomic<bool> gone = false;
    defer::Deferred<void> d = nullptr;
    {
        Reactor reactor;
        const defer::Deferred<void> never;
        auto waits = [](auto source, const defer::Deferred<void>& other) -> flow::Generator<> {
            auto stage = flow::wrap(std::move(source));
            co_yield stage;
            co_yield other;
        };
        d = flow::Deferred(waits(flow::Threaded(Endless(gone), {.limit = 2}), never));
        reactor.callLater(ropewalk::Seconds(0.02), [&] { reactor.crash(); });
        reactor.run();
    }
    CHECK(gone);
    CHECK_FALSE(d.called());
    CHECK(defer::flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
}

TEST_CASE("what never became a stage, and what never began, is destroyed") {
    Places places;
    {
        Reactor reactor;
        {
            const auto recipe = flow::Threaded(Located(places));
            CHECK(places.living == 1);
        }
        CHECK(places.living == 0);
        const auto d = flow::Deferred(flow::Threaded(Located(places)));
        CHECK(places.living == 1);
        d.cancel();
        d.addErrback([] {});
    }
    CHECK(places.living == 0);
}

TEST_CASE("a Block refuses to wait for a thread") {
    Reactor reactor;
    auto block = flow::Block(flow::Threaded(countDown(3)));
    CHECK_THROWS_AS(block.next(), ropewalk::Unsupported);
}
