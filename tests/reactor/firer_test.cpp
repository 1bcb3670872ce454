#include <ropewalk/reactor/firer.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <support/memory_driver.hpp>

using namespace std::chrono_literals;
using ropewalk::Failure;
using ropewalk::Firer;
using ropewalk::defer::assertNoResult;
using ropewalk::defer::Deferred;
using ropewalk::defer::failureResultOf;
using ropewalk::defer::flushLoggedErrors;
using ropewalk::defer::successResultOf;

static_assert(!std::is_copy_constructible_v<Firer<int>> && std::is_nothrow_move_constructible_v<Firer<int>> &&
              std::is_nothrow_move_assignable_v<Firer<int>>);

TEST_CASE("a firer fires its Deferred in the reactor's next turn") {
    MemoryReactor made;
    Deferred<std::unique_ptr<int>> value;
    Deferred<void> nothing;
    Deferred<int> failure;
    Deferred<int> either;
    auto fireValue = made.reactor.firer(value);
    auto fireNothing = made.reactor.firer(nothing);
    auto fireFailure = made.reactor.firer(failure);
    auto fireEither = made.reactor.firer(either);
    CHECK(fireValue);
    fireValue(std::make_unique<int>(7));
    fireNothing();
    fireFailure.errback(std::runtime_error("failed"));
    fireEither.fire(ropewalk::Result<int>(8));
    CHECK_FALSE(fireValue);
    CHECK_FALSE(value.called());
    made.reactor.iterate();
    CHECK(*successResultOf(value) == 7);
    successResultOf(nothing);
    failureResultOf<std::runtime_error>(failure);
    CHECK(successResultOf(either) == 8);
}

TEST_CASE("a firer fires once") {
    MemoryReactor made;
    Deferred<int> d;
    auto fire = made.reactor.firer(d);
    fire(1);
    CHECK_THROWS_AS(fire(2), ropewalk::defer::AlreadyCalledError);
    CHECK_THROWS_AS(fire.errback(std::runtime_error("2")), ropewalk::defer::AlreadyCalledError);
    made.reactor.iterate();
    CHECK(successResultOf(d) == 1);
}

TEST_CASE("a firer that is dropped uncalled fails its Deferred") {
    MemoryReactor made;
    Deferred<int> d;
    Deferred<int> replaced;
    {
        auto fire = made.reactor.firer(d);
        auto moved = std::move(fire);
        CHECK_FALSE(fire);
        auto other = made.reactor.firer(replaced);
        other = std::move(moved);
        made.reactor.iterate();
        failureResultOf<ropewalk::AbandonedError>(replaced);
        assertNoResult(d);
    }
    made.reactor.iterate();
    const Failure failure = failureResultOf<ropewalk::AbandonedError>(d);
    CHECK(failure.getErrorMessage().find("firer_test.cpp:") != std::string::npos);
}

TEST_CASE(
    "a firer's Deferred may be cancelled meanwhile; one that was fired otherwise is an error in the log") {
    MemoryReactor made;
    Deferred<int> cancelled;
    auto fire = made.reactor.firer(cancelled);
    cancelled.cancel();
    failureResultOf<ropewalk::defer::CancelledError>(cancelled);
    fire(1);
    Deferred<int> fired;
    auto again = made.reactor.firer(fired);
    fired.callback(1);
    again(2);
    made.reactor.iterate();
    CHECK(successResultOf(fired) == 1);
    CHECK(flushLoggedErrors<ropewalk::defer::AlreadyCalledError>().size() == 1);
}

TEST_CASE("a firer keeps its Deferred, and the order of callFromThread") {
    MemoryReactor made;
    std::vector<std::string> calls;
    Deferred<int> d;
    d.addCallback([&](int) { calls.emplace_back("fired"); });
    auto fire = made.reactor.firer(std::exchange(d, nullptr));
    made.reactor.callFromThread([&] { calls.emplace_back("before"); });
    fire(1);
    made.reactor.callFromThread([&] { calls.emplace_back("after"); });
    made.reactor.iterate();
    CHECK(calls == std::vector<std::string>{"before", "fired", "after"});
    CHECK_THROWS_AS(made.reactor.firer(d), ropewalk::EmptyDeferredError);
}
