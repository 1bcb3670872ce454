#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <string>
#include <vector>

#include <fuzz/int_n_scenario.hpp>
#include <fuzz/line_scenario.hpp>
#include <fuzz/netstring_scenario.hpp>

// How the data is cut on its way makes no difference; nor does what is made of it differ from a plain model.
namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += word;
    return text;
}

rc::Gen<std::string> textOf(std::vector<std::string> words) {
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::move(words))),
                        joined);
}

} // namespace

TEST_CASE("lines are the same in every split, whatever they make the receiver do") {
    CHECK(rc::check([] {
        const auto choice = static_cast<char>(*rc::gen::inRange(0, 64));
        const std::string text = *textOf({"\r\n", "\r", "\n", "\n\n", "a", "ab", "aab", "aba", "--x", "-",
                                          "rr", "p", "t", "c", "xyz", "1234567"});
        const std::string differs = fuzz::checkLines(choice + text);
        if (!differs.empty()) RC_FAIL(differs);
    }));
}

TEST_CASE("netstrings are the same in every split, and so are errors") {
    CHECK(rc::check([] {
        const auto choice = static_cast<char>(*rc::gen::inRange(0, 4));
        const std::string text = *textOf({"0:,", "1:a,", "5:hello,", "5:pause,", "5:throw,",
                                          "12:hello world!,", "3:p", "99999:", "1", "0", ":", ",", "x"});
        const std::string differs = fuzz::checkNetstrings(choice + text);
        if (!differs.empty()) RC_FAIL(differs);
    }));
}

TEST_CASE("strings after their length are the same in every split, also those that are left out") {
    CHECK(rc::check([] {
        const auto choice = static_cast<char>(*rc::gen::inRange(0, 64));
        std::vector<std::string> words = {"p", "t", "c", "abc"};
        for (const int byte : {0, 1, 2, 3, 4, 5, 255}) words.emplace_back(1, static_cast<char>(byte));
        const std::string differs = fuzz::checkIntN(choice + *textOf(words));
        if (!differs.empty()) RC_FAIL(differs);
    }));
}
