// Results of a thread that come to a flow: items a second.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <utility>

#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/flow/generator.hpp>
#include <ropewalk/flow/threaded.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/generator.hpp>

namespace {

namespace flow = ropewalk::flow;
namespace task = ropewalk::task;

constexpr std::int64_t items = 2'000'000;

task::Generator<std::int64_t> numbers(std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        co_yield i;
    }
}

template <class Source>
flow::Generator<> add(std::int64_t& sum, Source source) {
    auto stage = flow::wrap(std::move(source));
    co_yield stage;
    for (const std::int64_t number : stage) {
        sum += number;
        co_yield stage;
    }
}

/// `limit`: how many results may wait for the flow.
void threaded(benchmark::State& state) {
    const auto limit = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        ropewalk::Reactor reactor;
        std::int64_t sum = 0;
        flow::Deferred(add(sum, flow::Threaded(numbers(items), {.limit = limit}))).addBoth([&reactor] {
            reactor.stop();
        });
        reactor.run();
        if (sum != items * (items - 1) / 2) {
            state.SkipWithError("wrong sum");
        }
    }
    state.SetItemsProcessed(state.iterations() * items);
}
BENCHMARK(threaded)->Arg(64)->Arg(1024)->Arg(4096)->Unit(benchmark::kMillisecond)->UseRealTime();

} // namespace
