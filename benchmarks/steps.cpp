// Work in steps: the Cooperator beside a bare libuv loop that steps as many generators in slices of 10 ms, and generators
// beside the plainest one there can be.
#include "bare_generator.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <uv.h>

#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/cooperator.hpp>

namespace {

namespace task = ropewalk::task;

constexpr int tasks = 100;
constexpr std::int64_t stepsEach = 10'000;

void perStep(benchmark::State& state, std::int64_t steps) {
    state.counters["each"] = benchmark::Counter(static_cast<double>(state.iterations() * steps),
                                                benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// Cooperative tasks.

Bare<int> bareSteps(std::int64_t count, std::int64_t& total) {
    for (std::int64_t i = 0; i < count; ++i) {
        ++total;
        co_yield 0;
    }
}

/// One step each in turn until 10 ms are up.
struct Slices {
    std::vector<Bare<int>> ring;
    std::size_t at = 0;

    void run(uv_idle_t* idle) {
        const std::uint64_t end = uv_hrtime() + 10'000'000;
        while (!ring.empty()) {
            at = at < ring.size() ? at : 0;
            if (ring[at].next()) {
                ++at;
            } else {
                std::swap(ring[at], ring.back());
                ring.pop_back();
            }
            if (uv_hrtime() >= end) {
                return;
            }
        }
        uv_idle_stop(idle);
    }
};

void libuvSlices(benchmark::State& state) {
    for (auto _ : state) {
        std::int64_t total = 0;
        uv_loop_t loop;
        uv_loop_init(&loop);
        Slices slices;
        for (int i = 0; i < tasks; ++i) {
            slices.ring.push_back(bareSteps(stepsEach, total));
        }
        uv_idle_t idle;
        uv_idle_init(&loop, &idle);
        idle.data = &slices;
        uv_idle_start(&idle, [](uv_idle_t* handle) { static_cast<Slices*>(handle->data)->run(handle); });
        uv_run(&loop, UV_RUN_DEFAULT);
        uv_close(reinterpret_cast<uv_handle_t*>(&idle), nullptr);
        uv_run(&loop, UV_RUN_DEFAULT);
        uv_loop_close(&loop);
        benchmark::DoNotOptimize(total);
    }
    perStep(state, tasks * stepsEach);
}
BENCHMARK(libuvSlices)->Unit(benchmark::kMillisecond);

task::Steps<> steps(std::int64_t count, std::int64_t& total) {
    for (std::int64_t i = 0; i < count; ++i) {
        ++total;
        co_yield {};
    }
}

void coiterate(benchmark::State& state) {
    for (auto _ : state) {
        std::int64_t total = 0;
        ropewalk::Reactor reactor;
        int left = tasks;
        for (int i = 0; i < tasks; ++i) {
            task::coiterate(steps(stepsEach, total)).addCallback([&] {
                if (--left == 0) {
                    reactor.stop();
                }
            });
        }
        reactor.run();
        benchmark::DoNotOptimize(total);
    }
    perStep(state, tasks * stepsEach);
}
BENCHMARK(coiterate)->Unit(benchmark::kMillisecond);

// Generators: every other one of the numbers, three times as large and one more.

Bare<std::int64_t> bareSource(std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        co_yield i;
    }
}
Bare<std::int64_t> bareMap(Bare<std::int64_t> numbers) {
    while (numbers.next()) {
        co_yield numbers.value() * 3 + 1;
    }
}
Bare<std::int64_t> bareFilter(Bare<std::int64_t> numbers) {
    while (numbers.next()) {
        if (numbers.value() % 2 != 0) {
            co_yield numbers.value();
        }
    }
}

constexpr std::int64_t numbers = 1'000'000;

void bareGenerators(benchmark::State& state) {
    for (auto _ : state) {
        std::int64_t sum = 0;
        const auto all = bareFilter(bareMap(bareSource(numbers)));
        while (all.next()) {
            sum += all.value();
        }
        benchmark::DoNotOptimize(sum);
    }
    perStep(state, numbers);
}
BENCHMARK(bareGenerators)->Unit(benchmark::kMillisecond);

using Numbers = task::Generator<std::int64_t>;

Numbers source(std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        co_yield i;
    }
}
Numbers map(Numbers all) {
    for (const std::int64_t n : all) {
        co_yield n * 3 + 1;
    }
}
Numbers filter(Numbers all) {
    for (const std::int64_t n : all) {
        if (n % 2 != 0) {
            co_yield n;
        }
    }
}

void generators(benchmark::State& state) {
    for (auto _ : state) {
        std::int64_t sum = 0;
        for (const std::int64_t n : filter(map(source(numbers)))) {
            sum += n;
        }
        benchmark::DoNotOptimize(sum);
    }
    perStep(state, numbers);
}
BENCHMARK(generators)->Unit(benchmark::kMillisecond);

} // namespace
