#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/throw.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <type_traits>
#include <vector>

namespace defer = ropewalk::defer;

namespace {

std::string textOf(const std::exception& error) {
    return error.what();
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string here(std::source_location where = std::source_location::current()) {
    return std::string(where.file_name()) + ":" + std::to_string(where.line());
}

template <class X>
X caught(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const X& found) {
        return found;
    }
}

template <class Error, class Base>
constexpr bool isA = std::is_base_of_v<Base, Error> && std::is_nothrow_copy_constructible_v<Error> &&
                     std::is_default_constructible_v<Error> && std::is_constructible_v<Error, const char*> &&
                     std::is_constructible_v<Error, std::string>;

static_assert(isA<ropewalk::Exception, std::exception>);
static_assert(isA<ropewalk::ValueError, std::invalid_argument>);
static_assert(isA<ropewalk::TypeError, std::invalid_argument>);
static_assert(isA<ropewalk::RuntimeError, std::runtime_error>);
static_assert(isA<ropewalk::AssertionError, std::logic_error>);
static_assert(isA<ropewalk::KeyError, std::out_of_range>);
static_assert(isA<ropewalk::IOError, std::system_error>);
static_assert(isA<ropewalk::NoCurrentExceptionError, ropewalk::RuntimeError>);
static_assert(isA<ropewalk::AbandonedError, ropewalk::RuntimeError>);
static_assert(isA<ropewalk::UnsupportedError, ropewalk::RuntimeError>);
static_assert(isA<defer::CancelledError, ropewalk::Exception>);
static_assert(isA<defer::QueueOverflow, ropewalk::Exception>);
static_assert(isA<defer::QueueUnderflow, ropewalk::Exception>);
static_assert(isA<defer::NotACoroutineError, ropewalk::TypeError>);
static_assert(std::is_base_of_v<ropewalk::TypeError, ropewalk::WrongTypeError>);
static_assert(std::is_base_of_v<ropewalk::RuntimeError, ropewalk::NoResultError>);
static_assert(std::is_base_of_v<std::logic_error, ropewalk::EmptyDeferredError>);

TEST_CASE("errors: what() is the text that was given, and nothing by default") {
    CHECK(textOf(ropewalk::Exception("oops")) == "oops");
    CHECK(textOf(ropewalk::Exception()) == "");
    CHECK(textOf(ropewalk::ValueError("bad")) == "bad");
    CHECK(textOf(ropewalk::ValueError()) == "");
    CHECK(textOf(ropewalk::KeyError("phase")) == "phase");
    CHECK(textOf(defer::AlreadyCalledError()) == "");
    CHECK(textOf(defer::QueueOverflow()) == "");
}

TEST_CASE("errors: a copy shares the text of the original") {
    const ropewalk::Exception original("a text that is too long to be kept inside of a string");
    const ropewalk::Exception copy = original;
    CHECK(copy.what() == original.what());
}

TEST_CASE("errors: IOError carries the system's code, and exactly the text it was given") {
    const std::error_code missing(ENOENT, std::generic_category());
    CHECK(textOf(ropewalk::IOError(missing, "no poem")) == "no poem");
    CHECK(ropewalk::IOError(missing, "no poem").code() == std::errc::no_such_file_or_directory);
    CHECK(textOf(ropewalk::IOError(missing)) == missing.message());
    CHECK(textOf(ropewalk::IOError("disk on fire")) == "disk on fire");
    CHECK(ropewalk::IOError("disk on fire").code() == std::errc::io_error);
}

TEST_CASE("errors: CancelledError says nothing unless there is a reason") {
    CHECK(textOf(defer::CancelledError()) == "");
    CHECK(defer::CancelledError().reason() == "");
    CHECK(textOf(defer::CancelledError("too late")) == "too late");
    CHECK(defer::CancelledError("too late").reason() == "too late");
    CHECK(caught<defer::CancelledError>(defer::detail::cancelled("too late")).reason() == "too late");
}

TEST_CASE("errors: defer::TimeoutError prints as Twisted's") {
    const defer::TimeoutError error(5);
    CHECK(textOf(error) == "(5, 'Deferred')");
    CHECK(error.seconds() == 5);
    CHECK(error.subject() == "Deferred");
    CHECK(textOf(defer::TimeoutError(0.25, "lock")) == "(0.25, 'lock')");
}

TEST_CASE("errors: AlreadyCalledError says where it was called first, and again, and where it was made") {
    const auto first = std::source_location::current();
    const auto again = std::source_location::current();
    const auto made = std::source_location::current();
    try {
        defer::detail::throwAlreadyCalled(first, again, made);
        FAIL("it returned");
    } catch (const defer::AlreadyCalledError& error) {
        CHECK(error.firstFired().line() == first.line());
        CHECK(error.now().line() == again.line());
        CHECK(error.madeAt().line() == made.line());
        CHECK(textOf(error) == "the Deferred was already called at " + here(first) + ", and again at " +
                                   here(again) + "; it was made at " + here(made));
    }
}

TEST_CASE("errors: a place that isn't known is left out") {
    const auto known = std::source_location::current();
    CHECK(textOf(defer::AlreadyCalledError({}, known, {})) ==
          "the Deferred was already called, and again at " + here(known));
}

TEST_CASE("errors: WrongTypeError names both types readably, and the places") {
    const auto made = std::source_location::current();
    const auto where = std::source_location::current();
    const auto error = caught<ropewalk::WrongTypeError>(
        defer::detail::wrongType(typeid(std::string), typeid(std::vector<std::string>), made, where));
    CHECK(textOf(error) == "wanted std::string, found std::vector<std::string>, at " + here(where) +
                               "; the Deferred was made at " + here(made));
    CHECK(error.wanted() == typeid(std::string));
    CHECK(error.actual() == typeid(std::vector<std::string>));
    CHECK(error.madeAt().line() == made.line());
    CHECK(error.where().line() == where.line());
    CHECK_THROWS_AS(defer::detail::throwWrongType(typeid(int), typeid(long), made, where),
                    ropewalk::WrongTypeError);
}

TEST_CASE("errors: NoResultError says who took the result, and where") {
    const auto taken = std::source_location::current();
    const auto where = std::source_location::current();
    const auto error = caught<ropewalk::NoResultError>(defer::detail::noResult("a coroutine", taken, where));
    CHECK(textOf(error) == "there is no result any more: a coroutine took it at " + here(taken) +
                               "; it was wanted at " + here(where));
    CHECK(std::string(error.takenBy()) == "a coroutine");
    CHECK(error.takenAt().line() == taken.line());
    CHECK(error.where().line() == where.line());
}

TEST_CASE("errors: EmptyDeferredError names the operation and the place") {
    const auto where = std::source_location::current();
    CHECK_THROWS_WITH_AS(defer::detail::throwEmpty("callback", where),
                         ("callback() on an empty Deferred, at " + here(where)).c_str(),
                         ropewalk::EmptyDeferredError);
}

TEST_CASE("errors: the others that the engine makes") {
    CHECK(textOf(caught<ropewalk::AbandonedError>(defer::detail::abandoned("the firer went away"))) ==
          "the firer went away");
    CHECK(textOf(caught<ropewalk::AbandonedError>(defer::detail::abandoned(""))) != "");
    const auto where = std::source_location::current();
    CHECK(
        contains(textOf(caught<ropewalk::RuntimeError>(defer::detail::returnedItself(where))), here(where)));
    CHECK(textOf(ropewalk::NoCurrentExceptionError()) != "");
}

} // namespace
