#include "compare.hpp"
#include "expectation.hpp"
#include "normalise.hpp"
#include "run_program.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using golden::difference;
using golden::Order;
using Lines = std::vector<std::string>;

TEST_CASE("equal lines don't differ") {
    CHECK(difference(Lines{}, Lines{}).empty());
    CHECK(difference(Lines{"a", "b"}, Lines{"a", "b"}).empty());
}

TEST_CASE("a difference shows what is missing and what is too much") {
    CHECK(difference(Lines{"a", "b", "c"}, Lines{"a", "c", "d"}) == "  a\n- b\n  c\n+ d\n");
    CHECK(difference(Lines{"a"}, Lines{}) == "- a\n");
    CHECK(difference(Lines{}, Lines{"a"}) == "+ a\n");
    CHECK(difference(Lines{"a", "b"}, Lines{"b", "a"}) != "");
    CHECK(difference(Lines{"a"}, Lines{"a "}) != "");
}

TEST_CASE("in any order, lines are a set with repetitions") {
    CHECK(difference(Lines{"a", "b", "a"}, Lines{"b", "a", "a"}, Order::anyOrder).empty());
    CHECK(difference(Lines{"a", "b", "a"}, Lines{"b", "b", "a"}, Order::anyOrder) == "  a\n- a\n  b\n+ b\n");
}

TEST_CASE("an ellipsis is text like any other in a recording") {
    CHECK(difference(Lines{"5 ..."}, Lines{"5 ..."}).empty());
    CHECK(difference(Lines{"5 ..."}, Lines{"5 now"}) != "");
    CHECK(difference(Lines{"..."}, Lines{"a"}) != "");
}

TEST_CASE("in a text of ours an ellipsis stands for any text and any lines") {
    const auto differs = [](const Lines& expected, const Lines& actual) {
        return !difference(expected, actual, Order::exact, true).empty();
    };
    CHECK_FALSE(differs({"...", "run", "...", "stack"}, {"main", "run", "fire", "call", "stack"}));
    CHECK_FALSE(differs({"...", "run", "...", "stack"}, {"run", "stack"}));
    CHECK_FALSE(differs({"a", "...", "b", "c"}, {"a", "b", "x", "b", "c"}));
    CHECK_FALSE(differs({"...:run...", "..."}, {"reactor.cpp:12:run()"}));
    CHECK_FALSE(differs({"..."}, {}));
    CHECK(differs({"...", "run", "...", "stack"}, {"stack", "run"}));
    CHECK(differs({"run", "..."}, {"main", "run"}));
    CHECK(differs({"...", "stack"}, {"stack", "more"}));
    CHECK(differs({"in ...run"}, {"in runner"}));
}

TEST_CASE("a program's two streams and its status are kept apart") {
    const auto finished = golden::runProgram({"/bin/sh", "-c", "echo out; echo err >&2; exit 3"}, {}, 60s);
    CHECK(finished.out == "out\n");
    CHECK(finished.err == "err\n");
    CHECK(finished.status == 3);
    CHECK_FALSE(finished.timedOut);
}

TEST_CASE("a program that a signal ends has a status below zero") {
    CHECK(golden::runProgram({"/bin/sh", "-c", "kill -TERM $$"}, {}, 60s).status == -SIGTERM);
}

TEST_CASE("a program reads its input from a file, else finds its end at once") {
    const auto file =
        std::filesystem::temp_directory_path() / ("golden_compare_test." + std::to_string(::getpid()));
    std::ofstream(file) << "one\ntwo\n";
    CHECK(golden::runProgram({"/bin/cat"}, file, 60s).out == "one\ntwo\n");
    std::filesystem::remove(file);
    CHECK(golden::runProgram({"/bin/cat"}, {}, 60s).out.empty());
}

TEST_CASE("much output doesn't block a program") {
    const auto finished =
        golden::runProgram({"/bin/sh", "-c", "yes | head -n 100000 | tee /dev/stderr"}, {}, 60s);
    CHECK(finished.out.size() == 200000);
    CHECK(finished.err.size() == 200000);
}

TEST_CASE("a program that doesn't end is killed with its children, and keeps what it printed") {
    const auto finished = golden::runProgram({"/bin/sh", "-c", "echo begun; sleep 600; echo done"}, {}, 1s);
    CHECK(finished.timedOut);
    CHECK(finished.out == "begun\n");
}

TEST_CASE("a program that isn't there is an error") {
    CHECK_THROWS_AS(golden::runProgram({"/nowhere/program"}, {}, 60s), std::system_error);
}

TEST_CASE("each exception has a reason") {
    CHECK(golden::exceptionReason("# list\na/b: since\nc:\n", "a/b") == "since");
    CHECK(golden::exceptionReason("a/b: since\nc:\n", "c") == std::nullopt);
    CHECK(golden::exceptionReason("a/b: since\n", "b") == std::nullopt);
    CHECK(golden::exceptionReason("", "a") == std::nullopt);
}

TEST_CASE("a text of ours may stand in place of a recording only with a reason") {
    namespace fs = std::filesystem;
    const fs::path folder =
        fs::temp_directory_path() / ("golden_expectation_test." + std::to_string(::getpid()));
    fs::create_directories(folder / "expected");
    fs::create_directories(folder / "recordings");
    std::ofstream(folder / "recordings" / "a.out") << "recorded\n";
    std::ofstream(folder / "expected" / "b.out") << "ours\n";
    std::ofstream(folder / "exceptions.txt") << "# none\n";

    CHECK(golden::expectationFor(folder, "a", "out").lines == Lines{"recorded"});
    CHECK_FALSE(golden::expectationFor(folder, "a", "out").own);
    CHECK(golden::expectationFor(folder, "a", "err").lines.empty());
    CHECK(golden::expectationFor(folder, "b", "out").lines == Lines{"ours"});
    CHECK(golden::expectationFor(folder, "b", "out").own);
    CHECK_THROWS_AS(golden::expectationFor(folder, "c", "out"), std::runtime_error);

    std::ofstream(folder / "expected" / "a.err") << "...\n";
    CHECK_THROWS_AS(golden::expectationFor(folder, "a", "err"), std::runtime_error);
    std::ofstream(folder / "exceptions.txt") << "a: it says where\n";
    CHECK(golden::expectationFor(folder, "a", "err").own);
    fs::remove_all(folder);
}

} // namespace
