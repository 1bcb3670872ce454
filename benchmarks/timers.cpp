// Timed calls through the reactor beside libuv's own timers: what a call costs that is made and run, made and
// cancelled, or moved. Delays, sizes and the shape of the loop are those of the comparison with other event
// loops: a thousand live calls of a minute where calls are cancelled or moved, and a turn of the loop for
// every thousand operations.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <vector>

#include <uv.h>

#include <ropewalk/reactor/reactor.hpp>

namespace {

using namespace std::chrono_literals;
using ropewalk::DelayedCall;
using ropewalk::Reactor;

constexpr int live = 1000;
constexpr int idleMilliseconds = 60000;

std::vector<std::uint16_t> delays(std::size_t count) {
    std::vector<std::uint16_t> drawn(count);
    std::uint32_t x = 12345;
    for (std::uint16_t& delay : drawn) {
        x = x * 1664525U + 1013904223U;
        delay = static_cast<std::uint16_t>((x >> 8) % 1000);
    }
    return drawn;
}

double cpuSeconds() {
    timespec now = {};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Most of the time is waiting, so it is the processor's time that counts.
template <class Run>
void perCall(benchmark::State& state, std::int64_t count, Run run) {
    for (auto _ : state) {
        const double before = cpuSeconds();
        run();
        state.SetIterationTime(cpuSeconds() - before);
    }
    state.SetItemsProcessed(state.iterations() * count);
    state.counters["per call"] =
        benchmark::Counter(static_cast<double>(state.iterations() * count),
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

struct UvTimers {
    UvTimers() { uv_loop_init(&loop); }
    UvTimers(const UvTimers&) = delete;
    UvTimers& operator=(const UvTimers&) = delete;
    ~UvTimers() {
        uv_run(&loop, UV_RUN_NOWAIT);
        uv_loop_close(&loop);
    }

    uv_timer_t* callLater(std::uint64_t milliseconds) {
        auto* timer = static_cast<uv_timer_t*>(std::malloc(sizeof(uv_timer_t)));
        uv_timer_init(&loop, timer);
        timer->data = this;
        uv_timer_start(timer, expired, milliseconds, 0);
        return timer;
    }
    static void cancel(uv_timer_t* timer) {
        uv_close(reinterpret_cast<uv_handle_t*>(timer), [](uv_handle_t* handle) { std::free(handle); });
    }
    static void expired(uv_timer_t* timer) {
        ++static_cast<UvTimers*>(timer->data)->run;
        cancel(timer);
    }

    uv_loop_t loop;
    std::int64_t run = 0;
};

void uvMadeAndRun(benchmark::State& state) {
    const std::int64_t count = state.range(0);
    const auto drawn = delays(static_cast<std::size_t>(count));
    UvTimers timers;
    perCall(state, count, [&] {
        for (const std::uint16_t delay : drawn) {
            timers.callLater(delay);
        }
        uv_run(&timers.loop, UV_RUN_DEFAULT);
    });
}

void madeAndRun(benchmark::State& state) {
    const std::int64_t count = state.range(0);
    const auto drawn = delays(static_cast<std::size_t>(count));
    Reactor reactor;
    std::int64_t run = 0;
    perCall(state, count, [&] {
        run = 0;
        for (const std::uint16_t delay : drawn) {
            reactor.callLater(std::chrono::milliseconds(delay), [&] {
                if (++run == count) {
                    reactor.stop();
                }
            });
        }
        reactor.run();
    });
}

void uvMadeAndCancelled(benchmark::State& state) {
    const std::int64_t count = state.range(0);
    UvTimers timers;
    std::vector<uv_timer_t*> calls;
    for (int i = 0; i < live; ++i) {
        calls.push_back(timers.callLater(idleMilliseconds));
    }
    perCall(state, count, [&] {
        for (std::int64_t i = 0; i < count; i += live) {
            for (uv_timer_t*& call : calls) {
                UvTimers::cancel(call);
                call = timers.callLater(idleMilliseconds);
            }
            uv_run(&timers.loop, UV_RUN_NOWAIT);
        }
    });
    for (uv_timer_t* call : calls) {
        UvTimers::cancel(call);
    }
}

/// Calls `work` in every turn of the reactor, as often as it takes to make `count` operations.
template <class Work>
void everyTurn(Reactor& reactor, std::int64_t count, Work work) {
    struct Turn {
        Reactor& reactor;
        Work work;
        std::int64_t left;
        void operator()() {
            work();
            left -= live;
            if (left > 0) {
                reactor.callLater(0s, Turn(*this));
            } else {
                reactor.stop();
            }
        }
    };
    reactor.callWhenRunning(Turn{reactor, work, count});
    reactor.run();
}

std::int64_t calledTooEarly = 0;

void madeAndCancelled(benchmark::State& state) {
    const std::int64_t count = state.range(0);
    Reactor reactor;
    std::vector<DelayedCall> calls;
    for (int i = 0; i < live; ++i) {
        calls.push_back(reactor.callLater(60s, [] { ++calledTooEarly; }));
    }
    perCall(state, count, [&] {
        everyTurn(reactor, count, [&] {
            for (DelayedCall& call : calls) {
                call.cancel();
                call = reactor.callLater(60s, [] { ++calledTooEarly; });
            }
        });
    });
}

void uvMoved(benchmark::State& state) {
    const std::int64_t count = state.range(0);
    UvTimers timers;
    std::vector<uv_timer_t*> calls;
    for (int i = 0; i < live; ++i) {
        calls.push_back(timers.callLater(idleMilliseconds));
    }
    perCall(state, count, [&] {
        for (std::int64_t i = 0; i < count; i += live) {
            for (uv_timer_t* call : calls) {
                uv_timer_start(call, &UvTimers::expired, idleMilliseconds, 0);
            }
            uv_run(&timers.loop, UV_RUN_NOWAIT);
        }
    });
    for (uv_timer_t* call : calls) {
        UvTimers::cancel(call);
    }
}

void moved(benchmark::State& state) {
    const std::int64_t count = state.range(0);
    Reactor reactor;
    std::vector<DelayedCall> calls;
    for (int i = 0; i < live; ++i) {
        calls.push_back(reactor.callLater(60s, [] { ++calledTooEarly; }));
    }
    perCall(state, count, [&] {
        everyTurn(reactor, count, [&] {
            for (const DelayedCall& call : calls) {
                call.reset(60s);
            }
        });
    });
}

BENCHMARK(uvMadeAndRun)->Arg(1'000'000)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(madeAndRun)->Arg(1'000'000)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(uvMadeAndCancelled)->Arg(1'000'000)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(madeAndCancelled)->Arg(1'000'000)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(uvMoved)->Arg(1'000'000)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(moved)->Arg(1'000'000)->UseManualTime()->Unit(benchmark::kMillisecond);

} // namespace
