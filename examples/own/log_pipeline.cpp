// A log file as a flow: a thread reads it, and the stages after it break lines, filter, count and report, while the reactor
// goes on ticking. Without a file it writes one first, of so many megabytes, and removes it in the end.

#include "option_parser.hpp"
#include "python_text.hpp"

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/failure.hpp>
#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/flow/filter.hpp>
#include <ropewalk/flow/generator.hpp>
#include <ropewalk/flow/line_break.hpp>
#include <ropewalk/flow/threaded.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/generator.hpp>
#include <ropewalk/task/looping_call.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace flow = ropewalk::flow;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using python::print;

auto& reactor = ropewalk::reactor();

constexpr std::size_t megabyte = std::size_t{1} << 20;

struct Progress {
    std::uint64_t bytes = 0;
    std::uint64_t lines = 0;
    std::uint64_t errors = 0;
};

// A thread of the reactor's pool runs this.
task::Generator<std::string> blocks(std::filesystem::path path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw ropewalk::IOError("can't read " + path.string());
    }
    for (;;) {
        std::string block(megabyte / 16, '\0');
        file.read(block.data(), static_cast<std::streamsize>(block.size()));
        block.resize(static_cast<std::size_t>(file.gcount()));
        if (block.empty()) {
            break;
        }
        co_yield std::move(block);
    }
}

// Lets the reactor have a turn, whenever a slice of time is used up.
template <class Source>
flow::Generator<std::string> inSlices(Source source, ropewalk::Seconds slice, Progress& progress) {
    auto blocks = flow::wrap(std::move(source));
    ropewalk::Seconds began = reactor.readTime();
    while (auto block = co_await blocks) {
        progress.bytes += block->size();
        co_yield std::move(*block);
        if (reactor.readTime() - began >= slice) {
            co_yield flow::Cooperate();
            began = reactor.readTime();
        }
    }
}

std::string_view word(std::string_view line, int index) {
    for (; index > 0; --index) {
        line.remove_prefix(std::min(line.find(' '), line.size() - 1) + 1);
    }
    return line.substr(0, line.find(' '));
}

flow::Generator<> count(std::filesystem::path path, Progress& progress,
                        std::map<std::string, std::uint64_t, std::less<>>& counts) {
    auto isError = [&progress](std::string_view line) {
        ++progress.lines;
        return word(line, 2) == "ERROR";
    };
    auto errors = flow::wrap(flow::Filter(
        isError,
        flow::LineBreak(inSlices(flow::Threaded(blocks(std::move(path)), {.limit = 16}), 5ms, progress),
                        {.delimiter = "\n", .trailer = true})));
    while (auto line = co_await errors) {
        ++progress.errors;
        const std::string_view module = word(*line, 3);
        auto found = counts.find(module);
        if (found == counts.end()) {
            found = counts.emplace(module, 0).first;
        }
        ++found->second;
    }
}

void writeLog(const std::filesystem::path& path, std::uint64_t bytes) {
    constexpr std::array<std::string_view, 4> levels = {"INFO", "INFO", "WARNING", "ERROR"};
    constexpr std::array<std::string_view, 5> modules = {"auth", "cache", "http", "mail", "store"};
    std::ofstream file(path, std::ios::binary);
    std::string text;
    std::uint64_t number = 0;
    for (std::uint64_t written = 0; written < bytes; written += text.size()) {
        text.clear();
        while (text.size() < megabyte && written + text.size() < bytes) {
            const std::uint64_t dice = ++number * 2654435761U % 4294967296U >> 8;
            char time[32];
            std::snprintf(time, sizeof time, "2003-04-11 %02d:%02d:%02d.%03d ",
                          static_cast<int>(number / 3'600'000 % 24), static_cast<int>(number / 60'000 % 60),
                          static_cast<int>(number / 1000 % 60), static_cast<int>(number % 1000));
            text += time;
            text += levels[dice % levels.size()];
            text += ' ';
            text += modules[dice / levels.size() % modules.size()];
            text += " request ";
            text += std::to_string(number);
            text += " took ";
            text += std::to_string(dice % 1000);
            text += " ms\n";
        }
        file.write(text.data(), static_cast<std::streamsize>(text.size()));
    }
    if (!file.flush()) {
        throw ropewalk::IOError("can't write " + path.string());
    }
}

int main(int argc, char* argv[]) try {
    python::OptionParser parser("%prog [options]\n");
    parser.addOption("--file", "The log to read. Default: one that is written first.");
    parser.addOption("--megabytes", "How long a log is written.", "1024");
    parser.parse(argc, argv);

    std::filesystem::path path = parser.text("--file");
    const bool made = path.empty();
    if (made) {
        path =
            std::filesystem::temp_directory_path() /
            ("log_pipeline." + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
        writeLog(path, parser.number<std::uint64_t>("--megabytes") * megabyte);
    }

    ropewalk::Seconds last{0};
    ropewalk::Seconds longest{0};
    task::LoopingCall tick([&] {
        const ropewalk::Seconds now = reactor.readTime();
        longest = last.count() == 0 ? longest : std::max(longest, now - last);
        last = now;
    });
    Progress progress;
    const auto show = [&] {
        std::cerr << '\r' << progress.bytes / megabyte << " MB, " << progress.lines << " lines, "
                  << progress.errors << " errors" << std::flush;
    };
    task::LoopingCall progressLine(show);

    bool failed = false;
    std::map<std::string, std::uint64_t, std::less<>> counts;
    reactor.callWhenRunning([&] {
        tick.start(10ms);
        progressLine.start(250ms);
        flow::Deferred(count(path, progress, counts))
            .addErrback([&](const ropewalk::Failure& failure) {
                failed = true;
                std::cerr << '\n' << failure.getErrorMessage() << '\n';
            })
            .addBoth([] { reactor.stop(); });
    });
    reactor.run();
    if (made) {
        std::filesystem::remove(path);
    }
    if (failed) {
        return 1;
    }

    show();
    std::cerr << '\n';
    print("read", progress.bytes, "bytes,", progress.lines, "lines,", progress.errors, "errors");
    for (const auto& [module, errors] : counts) {
        print(module + ":", errors);
    }
    print("longest gap between two ticks of 10 ms:", python::fixed(longest.count() * 1000, 1), "ms");
} catch (...) {
    return python::uncaught();
}
