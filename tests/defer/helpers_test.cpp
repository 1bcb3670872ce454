#include <ropewalk/defer/helpers.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace defer = ropewalk::defer;
namespace log = ropewalk::log;

using defer::Deferred;
using defer::failureResultOf;
using defer::successResultOf;
using ropewalk::Failure;
using ropewalk::NoCurrentExceptionError;
using ropewalk::Result;
using ropewalk::ValueError;

namespace {

template <class D, class T>
constexpr bool isDeferredOf = std::is_same_v<std::remove_cvref_t<D>, Deferred<T>>;

Deferred<int> addLater(Deferred<int> first, int second) {
    co_return co_await first + second;
}

struct Poet {
    std::string name;
    std::string greet(const std::string& other) const { return name + " greets " + other; }
    Deferred<std::string> write() { return defer::succeed(name + "'s poem"); }
};

TEST_CASE("54.1: maybeDeferred makes a value a Deferred that has fired with it") {
    const auto d = defer::maybeDeferred([] { return 7; });
    static_assert(isDeferredOf<decltype(d), int>);
    CHECK(successResultOf(d) == 7);
    int called = 0;
    const auto nothing = defer::maybeDeferred([&] { ++called; });
    static_assert(isDeferredOf<decltype(nothing), void>);
    CHECK_NOTHROW(successResultOf(nothing));
    CHECK(called == 1);
}

TEST_CASE("54.2: maybeDeferred makes what was thrown a Deferred that has failed with that object") {
    const std::exception* thrown = nullptr;
    const auto d = defer::maybeDeferred([&]() -> int {
        try {
            throw ValueError("no poem");
        } catch (const ValueError& error) {
            thrown = &error;
            throw;
        }
    });
    CHECK(failureResultOf<ValueError>(d).check<std::exception>() == thrown);
    const auto late = defer::maybeDeferred([]() -> Deferred<int> { throw ValueError("no poem"); });
    static_assert(isDeferredOf<decltype(late), int>);
    failureResultOf<ValueError>(late);
}

TEST_CASE(
    "54.3: maybeDeferred makes a returned Failure, or a failed Result, a Deferred that has failed with it") {
    const Failure failure(ValueError("no poem"));
    const auto failed = defer::maybeDeferred([&] { return failure; });
    CHECK(failureResultOf(failed) == failure);
    const auto result = defer::maybeDeferred([&]() -> Result<int> { return std::unexpected(failure); });
    static_assert(isDeferredOf<decltype(result), int>);
    CHECK(failureResultOf(result) == failure);
    CHECK(successResultOf(defer::maybeDeferred([]() -> Result<int> { return 3; })) == 3);
    failureResultOf<ValueError>(defer::maybeDeferred([] { return defer::fail(ValueError("no poem")); }));
}

TEST_CASE("54.4: maybeDeferred gives a returned Deferred itself") {
    const Deferred<int> returned;
    const auto d = defer::maybeDeferred([&] { return returned; });
    static_assert(isDeferredOf<decltype(d), int>);
    CHECK(d == returned);
    CHECK_FALSE(d.called());
}

TEST_CASE("54.5: maybeDeferred runs a coroutine") {
    Deferred<int> first;
    const auto sum = defer::maybeDeferred(addLater, first, 2);
    defer::assertNoResult(sum);
    first.callback(1);
    CHECK(successResultOf(sum) == 3);
    const auto coroutine = []() -> Deferred<std::string> { co_return "poem"; };
    CHECK(successResultOf(defer::maybeDeferred(coroutine)) == "poem");
}

TEST_CASE("maybeDeferred: arguments are passed on, member functions take their object first") {
    Poet poet{"Dora"};
    const auto twice = [](std::unique_ptr<int> n, int& times) { return *n * times; };
    int times = 2;
    CHECK(successResultOf(defer::maybeDeferred(twice, std::make_unique<int>(21), times)) == 42);
    CHECK(successResultOf(defer::maybeDeferred(&Poet::greet, poet, "Emil")) == "Dora greets Emil");
    CHECK(successResultOf(defer::maybeDeferred(&Poet::write, &poet)) == "Dora's poem");
    CHECK(*successResultOf(defer::maybeDeferred([] { return std::make_unique<int>(5); })) == 5);
}

TEST_CASE("55.1: succeed gives what a new Deferred is after callback") {
    const auto quick = defer::succeed(7);
    static_assert(isDeferredOf<decltype(quick), int>);
    Deferred<int> slow;
    slow.callback(7);
    const auto state = [](const Deferred<int>& d) {
        const std::string text = d.str();
        return text.substr(text.find(' ', text.find("0x")));
    };
    CHECK(state(quick) == state(slow));
    CHECK(quick.called());
    CHECK(quick.paused() == 0);
    CHECK_THROWS_AS(quick.callback(8), defer::AlreadyCalledError);
    CHECK(successResultOf(quick) == successResultOf(slow));
    CHECK_NOTHROW(successResultOf(defer::succeed()));
    const auto literal = defer::succeed("poem");
    static_assert(isDeferredOf<decltype(literal), const char*>);
    CHECK(*successResultOf(defer::succeed(std::make_unique<int>(3))) == 3);
}

TEST_CASE("55.2: execute captures what the function returns") {
    CHECK(successResultOf(defer::execute([](int a, int b) { return a + b; }, 1, 2)) == 3);
    int called = 0;
    const auto nothing = defer::execute([&] { ++called; });
    static_assert(isDeferredOf<decltype(nothing), void>);
    CHECK_NOTHROW(successResultOf(nothing));
    CHECK(called == 1);
    CHECK(successResultOf(defer::execute(&Poet::greet, Poet{"Dora"}, "Emil")) == "Dora greets Emil");
}

TEST_CASE("55.3: execute captures what the function throws") {
    failureResultOf<ValueError>(defer::execute([]() -> int { throw ValueError("no poem"); }));
    failureResultOf<ValueError>(defer::execute([] { throw ValueError("no poem"); }));
}

TEST_CASE("execute: a Deferred is a value like any other") {
    const Deferred<int> inner;
    const auto outer = defer::execute([&] { return inner; });
    static_assert(isDeferredOf<decltype(outer), Deferred<int>>);
    CHECK(successResultOf(outer) == inner);
}

TEST_CASE("fail: converts to a Deferred of any type, failed with that error") {
    const Deferred<int> number = defer::fail(ValueError("no poem"));
    failureResultOf<ValueError>(number);
    const Deferred<std::unique_ptr<int>> pointer = defer::fail(ValueError("no poem"));
    failureResultOf<ValueError>(pointer);
    const Failure failure(ValueError("no poem"));
    const auto typed = defer::fail<std::string>(failure);
    static_assert(isDeferredOf<decltype(typed), std::string>);
    CHECK(failureResultOf(typed) == failure);
    const auto choose = [](bool good) -> Deferred<int> {
        if (!good) return defer::fail(ValueError("no poem"));
        return defer::succeed(1);
    };
    failureResultOf<ValueError>(choose(false));
    CHECK(successResultOf(choose(true)) == 1);
}

TEST_CASE("fail: what nobody asks for is no error") {
    CHECK_NOTHROW(static_cast<void>(defer::fail(ValueError("made, and never a Deferred"))));
}

TEST_CASE("fail: without an argument takes the exception that is being handled") {
    CHECK_THROWS_AS(static_cast<void>(defer::fail()), NoCurrentExceptionError);
    try {
        throw ValueError("no poem");
    } catch (...) {
        const Deferred<int> d = defer::fail();
        failureResultOf<ValueError>(d);
    }
}

TEST_CASE("56.1: ensureDeferred gives a Deferred itself") {
    const Deferred<int> d;
    CHECK(defer::ensureDeferred(d) == d);
    static_assert(isDeferredOf<decltype(defer::ensureDeferred(d)), int>);
    CHECK(successResultOf(defer::ensureDeferred(defer::succeed(1))) == 1);
}

TEST_CASE("56.2: ensureDeferred of a coroutine is the coroutine's Deferred, which runs") {
    Deferred<int> first;
    const auto sum = defer::ensureDeferred(addLater(first, 2));
    first.callback(1);
    CHECK(successResultOf(sum) == 3);
}

TEST_CASE("57.1: logError logs the failure") {
    std::vector<std::string> logged;
    const log::ScopedObserver watch([&](const log::LogEvent& event) {
        REQUIRE(event.failure != nullptr);
        logged.push_back(event.failure->getErrorMessage());
        CHECK(event.level == log::LogLevel::critical);
    });
    defer::logError(Failure(ValueError("no poem")));
    CHECK(logged == std::vector<std::string>{"no poem"});
    CHECK(defer::flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("57.2: logError returns the identical failure, so that a chain goes on failing") {
    const Failure failure(ValueError("no poem"));
    CHECK(defer::logError(failure) == failure);
    Deferred<int> d;
    d.addErrback(defer::logError);
    d.errback(failure);
    CHECK(failureResultOf(d) == failure);
    CHECK(defer::flushLoggedErrors<ValueError>().size() == 2);
}

TEST_CASE("passthru: returns what it was given") {
    CHECK(successResultOf(defer::succeed(3).addCallback(defer::passthru)) == 3);
    CHECK(*successResultOf(defer::succeed(std::make_unique<int>(4)).addCallback(defer::passthru)) == 4);
}

} // namespace
