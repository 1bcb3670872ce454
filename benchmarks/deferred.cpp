// Chains of callbacks and awaits, beside their floors: a vector of functions that are made, called and dropped, and a
// hand-written event that one coroutine awaits.
#include <benchmark/benchmark.h>

#include <coroutine>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/reactor.hpp>

namespace {

using namespace std::chrono_literals;
using ropewalk::Reactor;
using ropewalk::defer::Deferred;

void perOperation(benchmark::State& state, std::int64_t operations) {
    state.counters["each"] = benchmark::Counter(static_cast<double>(state.iterations() * operations),
                                                benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

int addend() {
    volatile int opaque = 1;
    return opaque;
}

// Callbacks.

void floorChain(benchmark::State& state) {
    const int k = addend();
    const std::int64_t depth = state.range(0);
    int sum = 0;
    for (auto _ : state) {
        std::vector<std::move_only_function<int(int)>> functions;
        for (std::int64_t i = 0; i < depth; ++i) {
            functions.emplace_back([k](int x) { return x + k; });
        }
        int x = sum & 1;
        for (auto& function : functions) {
            x = function(x);
        }
        sum += x;
    }
    benchmark::DoNotOptimize(sum);
    perOperation(state, depth);
}

void chain(benchmark::State& state) {
    const int k = addend();
    const std::int64_t depth = state.range(0);
    int sum = 0;
    for (auto _ : state) {
        Deferred<int> d;
        for (std::int64_t i = 1; i < depth; ++i) {
            d.addCallback([k](int x) { return x + k; });
        }
        d.addCallback([k, &sum](int x) {
            sum += x + k;
            return x + k;
        });
        d.callback(sum & 1);
    }
    benchmark::DoNotOptimize(sum);
    perOperation(state, depth);
}

void addedToFired(benchmark::State& state) {
    const int k = addend();
    Deferred<int> d;
    d.callback(0);
    for (auto _ : state) {
        d.addCallback([k](int x) { return x + k; });
    }
    perOperation(state, 1);
}

// Awaits.

struct Task {
    struct promise_type {
        Task get_return_object() noexcept { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { std::abort(); }
    };
};

struct Event {
    void fire(int x) {
        value = x;
        fired = true;
        if (waiter) {
            waiter.resume();
        }
    }
    struct Awaiter {
        Event* event;
        bool await_ready() const noexcept { return event->fired; }
        void await_suspend(std::coroutine_handle<> handle) noexcept { event->waiter = handle; }
        int await_resume() const noexcept { return event->value; }
    };
    Awaiter operator co_await() noexcept { return {this}; }

    int value = 0;
    bool fired = false;
    std::coroutine_handle<> waiter;
};

constexpr int waitersAtOnce = 100;
constexpr int awaitsEach = 1000;
constexpr int awaits = waitersAtOnce * awaitsEach;

/// What fires in the next turn, and the coroutines that are left.
template <class Promise>
struct Turns {
    void later(Promise promise, int value) { queue.emplace_back(std::move(promise), value); }
    template <class Fire>
    void drain(Fire fire) {
        due.swap(queue);
        for (auto& [promise, value] : due) {
            fire(promise, value);
        }
        due.clear();
    }
    std::vector<std::pair<Promise, int>> queue;
    std::vector<std::pair<Promise, int>> due;
    std::int64_t sum = 0;
};

Task floorAwaitsReady(int count, std::int64_t& sum) {
    for (int i = 0; i < count; ++i) {
        auto event = std::make_unique<Event>();
        event->fire(i);
        sum += co_await *event;
    }
}

Deferred<void> awaitsReady(int count, std::int64_t& sum) {
    for (int i = 0; i < count; ++i) {
        Deferred<int> d;
        d.callback(i);
        sum += co_await d;
    }
}

Task floorAwaitsPending(Turns<Event*>& turns) {
    for (int i = 0; i < awaitsEach; ++i) {
        auto event = std::make_unique<Event>();
        turns.later(event.get(), i);
        turns.sum += co_await *event;
    }
}

Deferred<void> awaitsPending(Turns<Deferred<int>>& turns) {
    for (int i = 0; i < awaitsEach; ++i) {
        Deferred<int> d;
        turns.later(d, i);
        turns.sum += co_await d;
    }
}

Deferred<void> awaitsCalls(Reactor& reactor, std::int64_t& sum, int& left) {
    for (int i = 0; i < awaitsEach; ++i) {
        Deferred<int> d;
        reactor.callLater(0s, [d, i] { d.callback(i); });
        sum += co_await d;
    }
    if (--left == 0) {
        reactor.stop();
    }
}

void floorAwaitReady(benchmark::State& state) {
    std::int64_t sum = 0;
    for (auto _ : state) {
        floorAwaitsReady(awaits, sum);
    }
    benchmark::DoNotOptimize(sum);
    perOperation(state, awaits);
}

void awaitReady(benchmark::State& state) {
    std::int64_t sum = 0;
    for (auto _ : state) {
        awaitsReady(awaits, sum);
    }
    benchmark::DoNotOptimize(sum);
    perOperation(state, awaits);
}

void floorAwaitPending(benchmark::State& state) {
    Turns<Event*> turns;
    for (auto _ : state) {
        for (int i = 0; i < waitersAtOnce; ++i) {
            floorAwaitsPending(turns);
        }
        while (!turns.queue.empty()) {
            turns.drain([](Event* event, int value) { event->fire(value); });
        }
    }
    perOperation(state, awaits);
}

void awaitPending(benchmark::State& state) {
    Turns<Deferred<int>> turns;
    for (auto _ : state) {
        for (int i = 0; i < waitersAtOnce; ++i) {
            awaitsPending(turns);
        }
        while (!turns.queue.empty()) {
            turns.drain([](const Deferred<int>& d, int value) { d.callback(value); });
        }
    }
    perOperation(state, awaits);
}

void awaitCallLater(benchmark::State& state) {
    Reactor reactor;
    std::int64_t sum = 0;
    for (auto _ : state) {
        int left = waitersAtOnce;
        for (int i = 0; i < waitersAtOnce; ++i) {
            awaitsCalls(reactor, sum, left);
        }
        reactor.run();
    }
    perOperation(state, awaits);
}

BENCHMARK(floorChain)->Arg(1)->Arg(10)->Arg(100);
BENCHMARK(chain)->Arg(1)->Arg(10)->Arg(100);
BENCHMARK(addedToFired);
BENCHMARK(floorAwaitReady)->Unit(benchmark::kMicrosecond);
BENCHMARK(awaitReady)->Unit(benchmark::kMicrosecond);
BENCHMARK(floorAwaitPending)->Unit(benchmark::kMicrosecond);
BENCHMARK(awaitPending)->Unit(benchmark::kMicrosecond);
BENCHMARK(awaitCallLater)->Unit(benchmark::kMicrosecond);

} // namespace
