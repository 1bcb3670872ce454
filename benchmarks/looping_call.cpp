// Turns of LoopingCalls on a Clock: one of them, and a thousand side by side with intervals of their own.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <vector>

#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/task/clock.hpp>
#include <ropewalk/task/looping_call.hpp>

namespace {

using namespace std::chrono_literals;
using ropewalk::task::Clock;
using ropewalk::task::LoopingCall;

constexpr std::int64_t turns = 1'000'000;

void report(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations() * turns);
}

void oneLoop(benchmark::State& state) {
    for (auto _ : state) {
        Clock clock;
        std::int64_t calls = 0;
        LoopingCall loop([&] { ++calls; });
        loop.clock = &clock;
        loop.start(1s, false);
        for (std::int64_t i = 0; i < turns; ++i) {
            clock.advance(1s);
        }
        if (calls != turns) {
            state.SkipWithError("a turn is missing");
        }
    }
    report(state);
}
BENCHMARK(oneLoop)->Unit(benchmark::kMillisecond);

void oneLoopWithDeferred(benchmark::State& state) {
    for (auto _ : state) {
        Clock clock;
        LoopingCall loop([] { return ropewalk::defer::succeed(); });
        loop.clock = &clock;
        loop.start(1s, false);
        for (std::int64_t i = 0; i < turns; ++i) {
            clock.advance(1s);
        }
    }
    report(state);
}
BENCHMARK(oneLoopWithDeferred)->Unit(benchmark::kMillisecond);

void thousandLoops(benchmark::State& state) {
    for (auto _ : state) {
        Clock clock;
        std::int64_t calls = 0;
        std::vector<std::unique_ptr<LoopingCall>> loops;
        for (int i = 0; i < 1000; ++i) {
            loops.push_back(std::make_unique<LoopingCall>([&] { ++calls; }));
            loops.back()->clock = &clock;
            loops.back()->start(1s + i * 1ms, false);
        }
        while (calls < turns) {
            clock.advance(100ms);
        }
    }
    report(state);
}
BENCHMARK(thousandLoops)->Unit(benchmark::kMillisecond);

} // namespace
