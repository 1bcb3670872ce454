#include <ropewalk/defer/if_pending.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <ropewalk/defer/coroutine.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/testing.hpp>

namespace defer = ropewalk::defer;
using defer::Deferred;
using defer::DeferredIfPending;
using ropewalk::Failure;

namespace {

Deferred<int> awaiting(DeferredIfPending maybe) {
    co_await maybe;
    co_return 7;
}

Deferred<bool> tried(DeferredIfPending maybe) {
    const auto result = co_await maybe.result();
    co_return result.has_value();
}

} // namespace

TEST_CASE("nothing to wait for: a coroutine goes on at once, and the Deferred has fired") {
    CHECK(!DeferredIfPending());
    CHECK(defer::successResultOf(awaiting(DeferredIfPending())) == 7);
    CHECK(defer::successResultOf(tried(DeferredIfPending())));
    const Deferred<void> fired = DeferredIfPending();
    CHECK(fired.called());
}

TEST_CASE("something to wait for: it is a Deferred") {
    const Deferred<void> pending;
    const auto waiting = awaiting(DeferredIfPending(pending));
    defer::assertNoResult(waiting);
    pending.callback();
    CHECK(defer::successResultOf(waiting) == 7);
}

TEST_CASE("an error comes out where it is awaited, or as a result") {
    const ropewalk::ValueError error("no");
    CHECK(defer::failureResultOf(awaiting(DeferredIfPending(defer::fail<void>(Failure(error)))))
              .check<ropewalk::ValueError>() != nullptr);
    CHECK_FALSE(defer::successResultOf(tried(DeferredIfPending(defer::fail<void>(Failure(error))))));
}

TEST_CASE("an error that nobody asks for isn't reported") {
    { const DeferredIfPending failed(Failure(ropewalk::ValueError("no"))); }
    CHECK(defer::flushLoggedErrors().empty());
    CHECK_FALSE(defer::successResultOf(tried(DeferredIfPending(Failure(ropewalk::ValueError("no"))))));
}

TEST_CASE("callbacks may be added either way") {
    std::vector<std::string> calls;
    DeferredIfPending().addCallback([&] { calls.emplace_back("ready"); });
    const Deferred<void> pending;
    DeferredIfPending(pending).addBoth([&] { calls.emplace_back("pending"); });
    DeferredIfPending(defer::fail<void>(Failure(ropewalk::ValueError("no")))).addErrback([&](const Failure&) {
        calls.emplace_back("failed");
    });
    CHECK(calls == std::vector<std::string>{"ready", "failed"});
    pending.callback();
    CHECK(calls.back() == "pending");
}

TEST_CASE("a coroutine that waits for it can be cancelled") {
    const Deferred<void> pending;
    const auto waiting = awaiting(DeferredIfPending(pending));
    waiting.cancel();
    CHECK(defer::failureResultOf(waiting).check<defer::CancelledError>() != nullptr);
}
