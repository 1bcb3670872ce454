#include "python_text.hpp"

#include <doctest/doctest.h>

#include <ropewalk/defer/errors.hpp>

#include <any>
#include <optional>
#include <ranges>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace {

using python::repr;
using python::str;
using ropewalk::Exception;
using ropewalk::Failure;

TEST_CASE("simple values") {
    CHECK(repr(true) == "True");
    CHECK(repr(false) == "False");
    CHECK(repr(ropewalk::None{}) == "None");
    CHECK(repr(-28) == "-28");
    CHECK(repr(std::size_t{7}) == "7");
    CHECK(str("plain") == "plain");
    CHECK(repr("plain") == "'plain'");
}

TEST_CASE("floating-point numbers are the shortest that read back the same") {
    CHECK(repr(1.0) == "1.0");
    CHECK(repr(0.0) == "0.0");
    CHECK(repr(0.1) == "0.1");
    CHECK(repr(100000.0) == "100000.0");
    CHECK(repr(0.0001) == "0.0001");
    CHECK(repr(0.00001) == "1e-05");
    CHECK(repr(1e16) == "1e+16");
}

TEST_CASE("floating-point numbers with so many digits") {
    CHECK(python::fixed(1.0, 2) == "1.00");
    CHECK(python::fixed(-0.128, 2) == "-0.13");
    CHECK(python::fixed(1e308, 3).size() == 309 + 1 + 3);
}

TEST_CASE("strings in quotes") {
    CHECK(repr(std::string("it's")) == "\"it's\"");
    CHECK(repr(std::string("it's \"so\"")) == R"('it\'s "so"')");
    CHECK(repr(std::string("a\nb\\")) == R"('a\nb\\')");
}

TEST_CASE("lists and tuples") {
    CHECK(str(std::vector{3, 2, 1}) == "[3, 2, 1]");
    CHECK(str(std::vector<int>{}) == "[]");
    CHECK(str(std::vector<std::string>{"one", "two"}) == "['one', 'two']");
    CHECK(str(std::pair(1, "one")) == "(1, 'one')");
    CHECK(str(std::tuple(std::string("one"))) == "('one',)");
    CHECK(str(std::vector{std::tuple(std::optional("one"), 1),
                          std::tuple(std::optional<const char*>(), 2)}) == "[('one', 1), (None, 2)]");
    CHECK(str(std::vector<std::variant<int, std::string>>{1, "two"}) == "[1, 'two']");
}

TEST_CASE("values of any type") {
    using Any = std::any;
    CHECK(str(Any(1)) == "1");
    CHECK(str(Any(std::string("one"))) == "one");
    CHECK(str(Any()) == "None");
    CHECK(str(Any(1.5)) == "<double>");
    CHECK(str(std::vector<Any>{1, std::string("one"), std::tuple(Any(2), Any(std::string("two")))}) ==
          "[1, 'one', (2, 'two')]");
    CHECK(repr(Any(std::vector<Any>{1, std::tuple(std::string("one"))})) == "[1, ('one',)]");
    const Failure failure{Exception("lost")};
    CHECK(repr(Any(failure)) == failure.repr());
}

TEST_CASE("a list of a range that can be read once") {
    std::istringstream numbers("3 2 1");
    CHECK(python::list(std::views::istream<int>(numbers)) == std::vector{3, 2, 1});
}

TEST_CASE("failures, errors and the results of a DeferredList") {
    const Failure failure{Exception("d2 failure")};
    CHECK(str(failure) == failure.str());
    CHECK(repr(failure) == failure.repr());
    const std::vector<ropewalk::Result<std::string>> results{"d1 result", std::unexpected(failure)};
    CHECK(str(results) == "[(True, 'd1 result'), (False, " + failure.repr() + ")]");
    CHECK(repr(Exception("3")) == "Exception(3)");
    CHECK(repr(Exception("uh oh")) == "Exception('uh oh')");
    CHECK(repr(Exception()) == "Exception()");
    CHECK(str(Exception("uh oh")) == "uh oh");
    CHECK(python::type(failure) == "<class 'ropewalk::Failure'>");
}

TEST_CASE("print puts blanks between") {
    std::ostringstream out;
    python::printTo(out, "We got:", std::vector{1, 2}, 3, true);
    python::printTo(out);
    CHECK(out.str() == "We got: [1, 2] 3 True\n\n");
}

} // namespace
