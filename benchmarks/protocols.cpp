// Lines and strings out of reads of 64 KiB, beside a plain loop over memchr, which shows what the search alone
// costs.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include <ropewalk/protocols/int_n_string_receiver.hpp>
#include <ropewalk/protocols/line_only_receiver.hpp>
#include <ropewalk/protocols/line_receiver.hpp>
#include <ropewalk/protocols/netstring_receiver.hpp>
#include <ropewalk/protocols/string_transport.hpp>

namespace {

using namespace ropewalk::protocols;

constexpr std::size_t readSize = 65536;

template <class Base>
struct CountsLines final : Base {
    void lineReceived(std::string_view line) override {
        ++count;
        bytes += static_cast<std::int64_t>(line.size());
    }
    std::int64_t count = 0;
    std::int64_t bytes = 0;
};

template <class Base>
struct CountsStrings final : Base {
    void stringReceived(std::string_view string) override {
        ++count;
        bytes += static_cast<std::int64_t>(string.size());
    }
    std::int64_t count = 0;
    std::int64_t bytes = 0;
};

/// As many messages as fit into a read.
std::string readOf(const std::string& message) {
    std::string data;
    while (data.size() + message.size() <= readSize) {
        data += message;
    }
    return data;
}

std::string lineOf(const benchmark::State& state) {
    return std::string(static_cast<std::size_t>(state.range(0)), 'x') + "\r\n";
}

template <class Receiver>
void reads(benchmark::State& state, const std::string& data) {
    Receiver receiver;
    receiver.makeConnection(std::make_shared<StringTransport>());
    for (auto _ : state) {
        receiver.dataReceived(data);
    }
    benchmark::DoNotOptimize(receiver.bytes);
    state.SetItemsProcessed(receiver.count);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(data.size()));
}

void plainSearch(benchmark::State& state) {
    const std::string data = readOf(lineOf(state));
    std::int64_t count = 0;
    std::int64_t bytes = 0;
    for (auto _ : state) {
        const char* line = data.data();
        const char* const end = line + data.size();
        while (const void* found = std::memchr(line, '\n', static_cast<std::size_t>(end - line))) {
            const char* const next = static_cast<const char*>(found) + 1;
            ++count;
            bytes += next - line - 2;
            line = next;
        }
    }
    benchmark::DoNotOptimize(bytes);
    state.SetItemsProcessed(count);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(data.size()));
}
BENCHMARK(plainSearch)->Arg(16)->Arg(80)->Arg(1000);

void lineReceiver(benchmark::State& state) {
    reads<CountsLines<LineReceiver>>(state, readOf(lineOf(state)));
}
BENCHMARK(lineReceiver)->Arg(16)->Arg(80)->Arg(1000);

void lineOnlyReceiver(benchmark::State& state) {
    reads<CountsLines<LineOnlyReceiver>>(state, readOf(lineOf(state)));
}
BENCHMARK(lineOnlyReceiver)->Arg(16)->Arg(80)->Arg(1000);

// Reads that end in the middle of a line: its two parts are put together.
void lineReceiverCut(benchmark::State& state) {
    std::string data = readOf(lineOf(state));
    data = data.substr(data.size() - 8) + data.substr(0, data.size() - 8);
    reads<CountsLines<LineReceiver>>(state, data);
}
BENCHMARK(lineReceiverCut)->Arg(16)->Arg(80)->Arg(1000);

void netstringReceiver(benchmark::State& state) {
    const auto size = static_cast<std::size_t>(state.range(0));
    reads<CountsStrings<NetstringReceiver>>(state, readOf(formatNetstring(std::string(size, 'x'))));
}
BENCHMARK(netstringReceiver)->Arg(16)->Arg(80)->Arg(1000);

void int32StringReceiver(benchmark::State& state) {
    const auto size = static_cast<std::size_t>(state.range(0));
    std::string message = {0, 0, static_cast<char>(size >> 8), static_cast<char>(size & 0xFF)};
    reads<CountsStrings<Int32StringReceiver>>(state, readOf(message.append(size, 'x')));
}
BENCHMARK(int32StringReceiver)->Arg(16)->Arg(80)->Arg(1000);

} // namespace
