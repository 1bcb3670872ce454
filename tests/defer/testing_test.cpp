// labels: threads
#include <ropewalk/defer/testing.hpp>

#include <ropewalk/defer/errors.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace defer = ropewalk::defer;
namespace log = ropewalk::log;

using defer::Deferred;
using ropewalk::AssertionError;
using ropewalk::Failure;

namespace {

/// The text of the AssertionError that `call` throws, or "held".
template <class F>
std::string complaint(F call) {
    try {
        call();
        return "held";
    } catch (const AssertionError& error) {
        return error.what();
    }
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string place(int line) {
    return "testing_test.cpp:" + std::to_string(line);
}

TEST_CASE("successResultOf: the value, once") {
    Deferred<std::string> d;
    d.callback("poem");
    CHECK(defer::successResultOf(d) == "poem");
    Deferred<std::unique_ptr<int>> moved;
    moved.callback(std::make_unique<int>(42));
    CHECK(*defer::successResultOf(moved) == 42);
    Deferred<void> nothing;
    nothing.callback();
    CHECK_NOTHROW(defer::successResultOf(nothing));
}

TEST_CASE("successResultOf: the value at the end of the chain, for the handle of that type") {
    Deferred<int> d;
    const Deferred<std::string> text = d.addCallback([](int n) { return std::to_string(n); });
    d.callback(42);
    CHECK_THROWS_AS(defer::successResultOf(d), ropewalk::WrongTypeError);
    CHECK(defer::successResultOf(text) == "42");
}

TEST_CASE("successResultOf: of one that has no result yet, says why, and leaves it alone") {
    const int made = __LINE__ + 1;
    Deferred<int> d;
    const std::string text = complaint([&] { defer::successResultOf(d); });
    CHECK(contains(text, "hasn't been fired"));
    CHECK(contains(text, place(made)));
    CHECK(contains(text, place(made + 1) + ": "));
    d.pause();
    d.callback(1);
    CHECK(contains(complaint([&] { defer::successResultOf(d); }), "is paused"));
    d.unpause();
    Deferred<int> inner;
    d.addCallback([&](int) { return inner; });
    CHECK(contains(complaint([&] { defer::successResultOf(d); }), "waits for a Deferred"));
    inner.callback(2);
    CHECK(defer::successResultOf(d) == 2);
}

TEST_CASE("successResultOf: of one that has failed, shows the failure, which is handled then") {
    Deferred<int> d;
    d.errback(ropewalk::ValueError("no poem"));
    const std::string text = complaint([&] { defer::successResultOf(d); });
    CHECK(contains(text, "ropewalk::ValueError: no poem"));
}

TEST_CASE("successResultOf: of one whose result was taken, says by whom") {
    Deferred<int> d;
    Deferred<int> target;
    d.chainDeferred(target);
    d.callback(1);
    CHECK(contains(complaint([&] { defer::successResultOf(d); }), "took it at"));
    CHECK(defer::successResultOf(target) == 1);
}

TEST_CASE("successResultOf: of a coroutine that waits") {
    Deferred<int> d;
    const auto coroutine = [](Deferred<int> awaited) -> Deferred<int> { co_return co_await awaited + 1; };
    const Deferred<int> waiting = coroutine(d);
    CHECK(contains(complaint([&] { defer::successResultOf(waiting); }), "coroutine hasn't ended"));
    d.callback(1);
    CHECK(defer::successResultOf(waiting) == 2);
}

TEST_CASE("failureResultOf: the failure, once, whatever the handle's type") {
    Deferred<int> d;
    d.addCallback([](int n) { return std::to_string(n); });
    const Failure failure(ropewalk::ValueError("no poem"));
    d.errback(failure);
    CHECK(defer::failureResultOf(d) == failure);
    CHECK(contains(complaint([&] { defer::failureResultOf(d); }), "but "));
}

TEST_CASE("failureResultOf: with classes") {
    const auto failed = [] {
        Deferred<int> d;
        d.errback(ropewalk::ValueError("no poem"));
        return d;
    };
    CHECK(defer::failureResultOf<ropewalk::ValueError>(failed()).getErrorMessage() == "no poem");
    CHECK(defer::failureResultOf<ropewalk::KeyError, std::exception>(failed()).getErrorMessage() ==
          "no poem");
    const std::string text =
        complaint([&] { defer::failureResultOf<ropewalk::KeyError, ropewalk::RuntimeError>(failed()); });
    CHECK(contains(text, "ropewalk::KeyError or ropewalk::RuntimeError"));
    CHECK(contains(text, "ropewalk::ValueError: no poem"));
}

TEST_CASE("failureResultOf: of a success, which stays, and of one without a result") {
    Deferred<std::string> d;
    CHECK(contains(complaint([&] { defer::failureResultOf(d); }), "hasn't been fired"));
    d.callback("poem");
    CHECK(contains(complaint([&] { defer::failureResultOf(d); }), "a result of type std::string"));
    CHECK(defer::successResultOf(d) == "poem");
}

TEST_CASE("assertNoResult: holds until there is a result") {
    Deferred<int> d;
    Deferred<int> inner;
    d.addCallback([&](int) { return inner; });
    CHECK_NOTHROW(defer::assertNoResult(d));
    d.callback(1);
    CHECK_NOTHROW(defer::assertNoResult(d));
    inner.callback(2);
    CHECK(contains(complaint([&] { defer::assertNoResult(d); }), "a result of type int"));
    CHECK(defer::successResultOf(d) == 2);
}

TEST_CASE("assertNoResult: shows a failure, which is handled then") {
    Deferred<int> d;
    d.errback(ropewalk::ValueError("no poem"));
    CHECK(contains(complaint([&] { defer::assertNoResult(d); }), "no poem"));
}

TEST_CASE("testing: an empty handle is told so") {
    const Deferred<int> d = nullptr;
    CHECK_THROWS_AS(defer::successResultOf(d), ropewalk::EmptyDeferredError);
    CHECK_THROWS_AS(defer::failureResultOf(d), ropewalk::EmptyDeferredError);
    CHECK_THROWS_AS(defer::assertNoResult(d), ropewalk::EmptyDeferredError);
}

TEST_CASE("flushLoggedErrors: an unhandled error, as soon as the last handle goes") {
    {
        Deferred<int> d;
        d.errback(ropewalk::ValueError("lost"));
        CHECK(defer::flushLoggedErrors().empty());
    }
    const std::vector<Failure> errors = defer::flushLoggedErrors<ropewalk::ValueError>();
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].getErrorMessage() == "lost");
}

TEST_CASE("flushLoggedErrors: an abandoned coroutine") {
    const auto coroutine = [](Deferred<int> awaited) -> Deferred<void> { co_await awaited; };
    {
        const Deferred<int> d;
        coroutine(d);
        CHECK(defer::flushLoggedErrors().empty());
    }
    CHECK(defer::flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
}

TEST_CASE("flushLoggedErrors: those of the given classes, in order; the rest stays") {
    log::err(ropewalk::ValueError("1"));
    log::err(ropewalk::TypeError("2"));
    log::err(ropewalk::KeyError("3"));
    log::err(ropewalk::ValueError("4"));
    const std::vector<Failure> errors = defer::flushLoggedErrors<ropewalk::KeyError, ropewalk::ValueError>();
    REQUIRE(errors.size() == 3);
    CHECK(errors[0].getErrorMessage() == "1");
    CHECK(errors[1].getErrorMessage() == "3");
    CHECK(errors[2].getErrorMessage() == "4");
    CHECK(defer::flushLoggedErrors().size() == 1);
    CHECK(defer::flushLoggedErrors().empty());
}

TEST_CASE("flushLoggedErrors: errors from other threads") {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([] {
            for (int n = 0; n < 50; ++n) log::err(ropewalk::RuntimeError("in a thread"));
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(defer::flushLoggedErrors<ropewalk::RuntimeError>().size() == 200);
}

TEST_CASE("LoggedErrors: one of a publisher's own") {
    log::LogPublisher publisher;
    defer::LoggedErrors errors(publisher);
    const Failure failure{ropewalk::ValueError("bad")};
    publisher({.level = log::LogLevel::critical, .text = "why", .failure = &failure});
    publisher({.level = log::LogLevel::critical, .text = "no error"});
    CHECK(errors.size() == 1);
    const std::vector<defer::LoggedError> taken = errors.take();
    REQUIRE(taken.size() == 1);
    CHECK(taken[0].text == "why");
    CHECK(taken[0].str() == "why\n" + failure.getTraceback());
    CHECK(errors.size() == 0);
}

} // namespace
