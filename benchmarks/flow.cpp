// Flows: a source, a map, a filter and a sum, as the flow's generators and as the plainest ones there can be; merges of few
// and of many sources; lines.
#include "bare_generator.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/concurrent.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/flow/filter.hpp>
#include <ropewalk/flow/line_break.hpp>
#include <ropewalk/flow/map.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/task/clock.hpp>

namespace {

namespace flow = ropewalk::flow;

constexpr long items = 1'000'000;

void perItem(benchmark::State& state) {
    state.counters["each"] = benchmark::Counter(static_cast<double>(state.iterations() * items),
                                                benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

Bare<long> bareSource(long n) {
    for (long i = 0; i < n; ++i) {
        co_yield i;
    }
}
Bare<long> bareMap(Bare<long> source) {
    while (source.next()) {
        co_yield source.value() * 3 + 1;
    }
}
Bare<long> bareFilter(Bare<long> source) {
    while (source.next()) {
        if (const long x = source.value(); (x & 1) != 0) {
            co_yield x;
        }
    }
}

Bare<long> bareSum(Bare<long> source) {
    long total = 0;
    while (source.next()) {
        total += source.value();
    }
    co_yield total;
}

void bareGenerators(benchmark::State& state) {
    for (auto _ : state) {
        Bare<long> sum = bareSum(bareFilter(bareMap(bareSource(items))));
        sum.next();
        benchmark::DoNotOptimize(sum.value());
    }
    perItem(state);
}
BENCHMARK(bareGenerators)->Unit(benchmark::kMillisecond);

flow::Generator<long> source(long n) {
    for (long i = 0; i < n; ++i) {
        co_yield i;
    }
}

// The alternating yield.

flow::Generator<long> map(flow::Generator<long> from) {
    auto producer = flow::wrap(std::move(from));
    co_yield producer;
    for (const long x : producer) {
        co_yield x * 3 + 1;
        co_yield producer;
    }
}
flow::Generator<long> filter(flow::Generator<long> from) {
    auto producer = flow::wrap(std::move(from));
    co_yield producer;
    for (const long x : producer) {
        if ((x & 1) != 0) {
            co_yield x;
        }
        co_yield producer;
    }
}
flow::Generator<> sum(flow::Generator<long> from, long& total) {
    auto producer = flow::wrap(std::move(from));
    co_yield producer;
    for (const long x : producer) {
        total += x;
        co_yield producer;
    }
}

void alternatingYield(benchmark::State& state) {
    ropewalk::task::Clock clock;
    for (auto _ : state) {
        long total = 0;
        flow::Deferred(sum(filter(map(source(items))), total), clock);
        benchmark::DoNotOptimize(total);
    }
    perItem(state);
}
BENCHMARK(alternatingYield)->Unit(benchmark::kMillisecond);

// The same, awaited.

flow::Generator<long> awaitedMap(flow::Generator<long> from) {
    auto producer = flow::wrap(std::move(from));
    while (const auto x = co_await producer) {
        co_yield *x * 3 + 1;
    }
}
flow::Generator<long> awaitedFilter(flow::Generator<long> from) {
    auto producer = flow::wrap(std::move(from));
    while (const auto x = co_await producer) {
        if ((*x & 1) != 0) {
            co_yield *x;
        }
    }
}
flow::Generator<> awaitedSum(flow::Generator<long> from, long& total) {
    auto producer = flow::wrap(std::move(from));
    while (const auto x = co_await producer) {
        total += *x;
    }
}

void awaited(benchmark::State& state) {
    ropewalk::task::Clock clock;
    for (auto _ : state) {
        long total = 0;
        flow::Deferred(awaitedSum(awaitedFilter(awaitedMap(source(items))), total), clock);
        benchmark::DoNotOptimize(total);
    }
    perItem(state);
}
BENCHMARK(awaited)->Unit(benchmark::kMillisecond);

void stages(benchmark::State& state) {
    ropewalk::task::Clock clock;
    for (auto _ : state) {
        long total = 0;
        for (const long x :
             flow::Block(flow::Filter([](long y) { return (y & 1) != 0; },
                                      flow::Map([](long y) { return y * 3 + 1; }, source(items))))) {
            total += x;
        }
        benchmark::DoNotOptimize(total);
    }
    perItem(state);
}
BENCHMARK(stages)->Unit(benchmark::kMillisecond);

void merge(benchmark::State& state) {
    const long count = state.range(0);
    for (auto _ : state) {
        std::vector<flow::Generator<long>> sources;
        for (long i = 0; i < count; ++i) {
            sources.push_back(source(items / count));
        }
        long total = 0;
        for (const long x : flow::Block(flow::Merge(std::move(sources)))) {
            total += x;
        }
        benchmark::DoNotOptimize(total);
    }
    perItem(state);
}
BENCHMARK(merge)->Arg(2)->Arg(10)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);

flow::Generator<std::string> text(std::size_t blocks) {
    std::string block;
    while (block.size() < 65536) {
        block += "2003-04-11 08:38:34 GET /index.html 200 a line of a log, as it comes\n";
    }
    for (std::size_t i = 0; i < blocks; ++i) {
        co_yield block;
    }
}

void lines(benchmark::State& state) {
    constexpr std::size_t blocks = 160;
    std::int64_t count = 0;
    for (auto _ : state) {
        auto source = flow::wrap(flow::LineBreak(text(blocks), {.delimiter = "\n"}));
        for (const std::string& line : flow::Block(source)) {
            benchmark::DoNotOptimize(line.data());
            ++count;
        }
    }
    state.SetItemsProcessed(count);
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * blocks * 65536));
}
BENCHMARK(lines)->Unit(benchmark::kMillisecond);

} // namespace
