#include <ropewalk/flow/line_break.hpp>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/errors.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/flow/yield.hpp>

namespace flow = ropewalk::flow;

using Strings = std::vector<std::string>;

namespace {

Strings linesOf(Strings pieces, flow::LineBreakOptions options) {
    Strings lines;
    for (std::string& line : flow::Block(flow::LineBreak(std::move(pieces), std::move(options)))) {
        lines.push_back(std::move(line));
    }
    return lines;
}

} // namespace

TEST_CASE("LineBreak joins what comes in pieces, across pauses") {
    using Yield = flow::Yield<std::string>;
    Strings lines;
    for (const std::string& line : flow::Block(flow::LineBreak(
             std::vector<Yield>{"Hello ", "World\nHappy", flow::Cooperate(), " Days", " Are Here\n"},
             {.delimiter = "\n"}))) {
        lines.push_back(line);
    }
    CHECK(lines == Strings{"Hello World", "Happy Days Are Here"});
}

TEST_CASE("LineBreak's delimiter is that of the network, if none is given") {
    CHECK(linesOf({"a\r\nb\nc\r\n"}, {}) == Strings{"a", "b\nc"});
}

TEST_CASE("a delimiter may come in two pieces") {
    CHECK(linesOf({"a\r", "\nb\r\n\r", "\r\nc"}, {.trailer = true}) == Strings{"a", "b", "\r", "c"});
    CHECK(linesOf({"a-", "-", "-b--", "-c"}, {.delimiter = "---", .trailer = true}) ==
          Strings{"a", "b", "c"});
}

TEST_CASE("empty lines are lines, and empty pieces are nothing") {
    CHECK(linesOf({"\n", "", "\n\n"}, {.delimiter = "\n"}) == Strings{"", "", ""});
    CHECK(linesOf({}, {}).empty());
    CHECK(linesOf({""}, {.trailer = true}).empty());
}

TEST_CASE("what follows the last delimiter is an error, or a line") {
    CHECK(linesOf({"a\r\nb"}, {.trailer = true}) == Strings{"a", "b"});
    flow::Block block(flow::LineBreak("a\r\na rather long text at the end"));
    CHECK(block.next() == "a");
    CHECK_THROWS_WITH_AS((void)block.next(), "trailing data remains: 'a rather long text a…'",
                         ropewalk::RuntimeError);
    CHECK_THROWS_AS((void)block.next(), ropewalk::StopIteration);
}

TEST_CASE("a line may have maxlength bytes, without its delimiter, and no more") {
    const flow::LineBreakOptions options{.delimiter = "\r\n", .maxlength = 4};
    CHECK(linesOf({"four\r\n", "fo", "ur\r", "\n"}, options) == Strings{"four", "four"});
    for (const Strings& pieces :
         {Strings{"ok\r\nfives\r\n"}, Strings{"ok\r\nfiv", "es\r\n"}, Strings{"ok\r\nfive", "s\r", "\n"},
          Strings{"ok\r\n", "endless and no end"}}) {
        flow::Block block(flow::LineBreak(pieces, options));
        CHECK(block.next() == "ok");
        CHECK_THROWS_AS((void)block.next(), ropewalk::LineTooLong);
        CHECK_THROWS_AS((void)block.next(), ropewalk::StopIteration);
    }
    CHECK_THROWS_WITH((void)linesOf({"fives\r\n"}, options),
                      "a line of more than 4 bytes, which begins with 'fives'");
    CHECK_THROWS_AS((void)linesOf({"fives"}, {.maxlength = 4, .trailer = true}), ropewalk::LineTooLong);
}

TEST_CASE("an endless line is not kept") {
    // 100 MB, of which no more than maxlength may be held: the failure comes with the first piece that is too much.
    int pieces = 0;
    const auto endless = [&pieces]() -> flow::Generator<std::string> {
        for (; pieces < 100'000; ++pieces) {
            co_yield std::string(1000, 'x');
        }
    };
    flow::Block block{flow::LineBreak(endless())};
    CHECK_THROWS_AS((void)block.next(), ropewalk::LineTooLong);
    CHECK(pieces <= 16);
}

TEST_CASE("an empty delimiter is refused") {
    CHECK_THROWS_AS(flow::LineBreak("a", {.delimiter = ""}), ropewalk::ValueError);
}

TEST_CASE("however a text is cut, the lines are the same") {
    CHECK(rc::check([] {
        const auto alphabet = rc::gen::element('a', 'b', '\r', '\n');
        const auto text = *rc::gen::container<std::string>(alphabet);
        const auto delimiter = *rc::gen::element<std::string>("\n", "\r\n", "\r\r\n", "ab");
        Strings pieces;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t size = *rc::gen::inRange<std::size_t>(1, 5);
            pieces.push_back(text.substr(at, size));
            at += size;
        }
        Strings expected;
        std::string_view rest = text;
        for (std::size_t end; (end = rest.find(delimiter)) != std::string_view::npos;
             rest.remove_prefix(end + delimiter.size())) {
            expected.emplace_back(rest.substr(0, end));
        }
        if (!rest.empty()) {
            expected.emplace_back(rest);
        }
        RC_ASSERT(linesOf(pieces, {.delimiter = delimiter, .trailer = true}) == expected);
    }));
}

TEST_CASE("a line may be as long as can be, if that is wanted") {
    CHECK(linesOf({"ab", "c\nd", "\n"}, {.delimiter = "\n", .maxlength = std::string::npos}) ==
          Strings{"abc", "d"});
}

TEST_CASE("a LineBreak whose source can be copied may be copied") {
    const flow::LineBreak twice(Strings{"a\r\nb\r\n"});
    flow::LineBreak other(twice);
    for (int i = 0; i < 2; ++i) {
        flow::Block block(other);
        CHECK(block.next() == "a");
    }
}
