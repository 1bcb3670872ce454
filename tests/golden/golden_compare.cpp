// Runs a program and compares what it prints with what is expected of a case; exits with 0 if it is the same.

#include "compare.hpp"
#include "expectation.hpp"
#include "normalise.hpp"
#include "run_program.hpp"

#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view usage =
    "usage: golden_compare FOLDER CASE [--status N] [--limit SECONDS] [--any-order] -- PROGRAM [ARGUMENTS]\n"
    "\n"
    "FOLDER holds recordings/, expected/ and exceptions.txt; CASE names a file there without its ending.\n";

struct Options {
    std::string folder;
    std::string caseName;
    int status = 0;
    std::chrono::seconds limit{60};
    golden::Order order = golden::Order::exact;
    std::vector<std::string> command;
};

Options parse(std::span<char*> arguments) {
    const std::vector<std::string> words(arguments.begin(), arguments.end());
    if (words.size() < 2) {
        throw std::invalid_argument("which case?");
    }
    Options options;
    options.folder = words[0];
    options.caseName = words[1];
    auto word = words.begin() + 2;
    const auto value = [&] {
        if (++word == words.end()) {
            throw std::invalid_argument("a number is missing");
        }
        return std::stoi(*word);
    };
    for (; word != words.end() && *word != "--"; ++word) {
        if (*word == "--status") {
            options.status = value();
        } else if (*word == "--limit") {
            options.limit = std::chrono::seconds(value());
        } else if (*word == "--any-order") {
            options.order = golden::Order::anyOrder;
        } else {
            throw std::invalid_argument("unknown word: " + *word);
        }
    }
    if (word != words.end()) {
        options.command.assign(word + 1, words.end());
    }
    if (options.command.empty()) {
        throw std::invalid_argument("which program?");
    }
    return options;
}

bool sameStream(const Options& options, std::string_view stream, std::string_view printed) {
    const auto expected = golden::expectationFor(options.folder, options.caseName, stream);
    const auto actual = golden::normalise(printed);
    const std::string text = golden::difference(expected.lines, actual, options.order, expected.own);
    if (text.empty()) {
        return true;
    }
    std::cout << options.caseName << "." << stream << " differs (- expected, + printed, both normalised):\n"
              << text;
    std::cout << "as it was printed:\n" << printed << "\n";
    return false;
}

bool compare(const Options& options) {
    const auto input = golden::inputFor(options.folder, options.caseName);
    const auto finished = golden::runProgram(options.command, input, options.limit);
    bool same = sameStream(options, "out", finished.out);
    same = sameStream(options, "err", finished.err) && same;
    if (finished.timedOut) {
        std::cout << options.caseName << ": still running after " << options.limit.count() << " s\n";
        return false;
    }
    if (finished.status != options.status) {
        std::cout << options.caseName << ": exit status " << finished.status << ", expected "
                  << options.status << "\n";
        return false;
    }
    return same;
}

} // namespace

int main(int argc, char* argv[]) {
    Options options;
    try {
        options = parse(std::span(argv + 1, argv + argc));
    } catch (const std::exception& error) {
        std::cerr << "golden_compare: " << error.what() << "\n" << usage;
        return 2;
    }
    try {
        return compare(options) ? EXIT_SUCCESS : EXIT_FAILURE;
    } catch (const std::exception& error) {
        std::cerr << "golden_compare: " << error.what() << "\n";
        return 2;
    }
}
