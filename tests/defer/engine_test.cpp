#include "probes.hpp"

#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/living.hpp>
#include <ropewalk/defer/queue.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <coroutine>
#include <memory>
#include <string>

// What user code may do from the destructors and cancellers that the engine calls in the middle of its work.
namespace {

using namespace ropewalk;
using defer::CancelledError;
using defer::Deferred;
using probes::AtExit;
using probes::contains;
using probes::Words;

/// Nothing that was made since is left. In a build without checks the leak sanitizer says so.
class NothingLeft {
public:
    NothingLeft() = default;
    NothingLeft(const NothingLeft&) = delete;
    NothingLeft& operator=(const NothingLeft&) = delete;
    ~NothingLeft() { CHECK(defer::livingDeferreds().size() == before_); }

private:
    std::size_t before_ = defer::livingDeferreds().size();
};

struct ThrowsWhenItGoes {
    ThrowsWhenItGoes() = default;
    ThrowsWhenItGoes(ThrowsWhenItGoes&& other) noexcept : armed(std::exchange(other.armed, false)) {}
    ThrowsWhenItGoes& operator=(ThrowsWhenItGoes&&) = delete;
    ~ThrowsWhenItGoes() noexcept(false) {
        if (armed) throw ValueError("out of a destructor");
    }

    bool armed = true;
};

TEST_CASE("the canceller's destructor may drop the last handle of the Deferred that fires") {
    const NothingLeft nothingLeft;
    auto handle = std::make_unique<Deferred<int>>(nullptr);
    SUBCASE("callback") {
        *handle = Deferred<int>([drop = AtExit([&] { handle = nullptr; })] {});
        handle->callback(1);
    }
    SUBCASE("errback") {
        *handle = Deferred<int>([drop = AtExit([&] { handle = nullptr; })] {});
        handle->errback(ValueError("unhandled"));
        CHECK(defer::flushLoggedErrors<ValueError>().size() == 1);
    }
    SUBCASE("cancel") {
        *handle = Deferred<int>([drop = AtExit([&] { handle = nullptr; })] {});
        handle->cancel();
        CHECK(defer::flushLoggedErrors<CancelledError>().size() == 1);
    }
    CHECK(handle == nullptr);
}

TEST_CASE("a callback may destroy the handle that chainDeferred was called on") {
    auto source = std::make_unique<Deferred<int>>();
    Deferred<int> target;
    target.addCallback([&](int) { source = nullptr; });
    source->callback(1);
    const Deferred<int> same = source->chainDeferred(target);
    CHECK(source == nullptr);
    CHECK(same.called());
}

TEST_CASE("a chain that goes cancels the chain that waits for it") {
    const NothingLeft nothingLeft;
    Deferred<int> innermost;
    Deferred<int> outer;
    {
        Deferred<int> inner;
        inner.addCallback([&, cancel = AtExit([&] { outer.cancel(); })](int) { return innermost; });
        inner.callback(1);
        outer.addCallback([inner](int) { return inner; });
        outer.callback(1);
    }
    innermost = nullptr;
    defer::failureResultOf<CancelledError>(outer);
}

TEST_CASE(
    "the returned Deferred goes with the callback, and its canceller's destructor cancels the outer chain") {
    const NothingLeft nothingLeft;
    Words seen;
    Deferred<int> outer;
    outer.addCallback([&](int) { return Deferred<int>([cancel = AtExit([&] { outer.cancel(); })] {}); });
    outer.addErrback([&](const Failure& failure) {
        seen.push_back(failure.check<CancelledError>() != nullptr ? "cancelled" : "failed");
        return 2;
    });
    outer.addCallback([&](int n) { seen.push_back(std::to_string(n)); });
    outer.callback(1);
    CHECK(seen == Words{"cancelled", "2"});
}

TEST_CASE("a closure that holds the Deferred it returned is dropped, and its destructor") {
    const NothingLeft nothingLeft;
    Words seen;
    Deferred<int> outer;
    Deferred<int> inner;
    const auto finish = [&] {
        outer.addErrback([&](const Failure&) {
            seen.push_back("failed");
            return 2;
        });
        outer.addCallback([&](int n) { seen.push_back(std::to_string(n)); });
        outer.callback(1);
    };
    SUBCASE("cancels the outer chain") {
        outer.addCallback([inner, cancel = AtExit([&] { outer.cancel(); })](int) { return inner; });
        finish();
        CHECK(seen == Words{"failed", "2"});
    }
    SUBCASE("fires the inner one") {
        outer.addCallback([inner, fire = AtExit([&] { inner.callback(7); })](int) { return inner; });
        finish();
        CHECK(seen == Words{"7"});
    }
    SUBCASE("fires the inner one, whose value is converted") {
        outer.addErrback([inner, fire = AtExit([&] { inner.callback(8); })](const Failure&) {
            return inner.addCallback([](int n) { return static_cast<short>(n); });
        });
        outer.addCallback([&](int n) { seen.push_back(std::to_string(n)); });
        outer.errback(ValueError("no"));
        CHECK(seen == Words{"8"});
    }
}

TEST_CASE("a list that is cancelled leaves alone a member that waits for its burial") {
    const NothingLeft nothingLeft;
    Deferred<int> member;
    const auto list = defer::DeferredList(std::vector{member});
    Deferred<int> other;
    other.addCallback([last = AtExit([&] {
                           member = nullptr;
                           list.cancel();
                       })](int) {});
    other = nullptr;
    CHECK_FALSE(list.called());
}

TEST_CASE("a handle that escapes from a dying chain can be used") {
    const NothingLeft nothingLeft;
    Deferred<int> escaped = nullptr;
    Deferred<int> last;
    const auto waits = [&]() -> Deferred<int> {
        Deferred<int> local;
        last.addCallback([local](int) {});
        const AtExit escape([&] { escaped = local; });
        co_return co_await local;
    };
    const Deferred<int> own = waits();
    last = nullptr;
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
    REQUIRE(escaped);

    escaped.addErrback([] { FAIL("it is dead"); });
    Deferred<int> target;
    escaped.chainDeferred(target);
    Deferred<int> outer;
    outer.addCallback([&](int) { return escaped; });
    outer.callback(1);
    defer::failureResultOf<AbandonedError>(outer);
    escaped.cancel();
    escaped.callback(1);
    escaped = nullptr;
    CHECK_FALSE(target.called());
}

TEST_CASE(
    "a canceller throws when a running coroutine that was cancelled awaits: it is logged, and the wait goes on") {
    const NothingLeft nothingLeft;
    Deferred<int> first;
    Deferred<int> second([] { throw ValueError("can't"); });
    Deferred<int> own = nullptr;
    const auto body = [&]() -> Deferred<int> {
        co_await first;
        own.cancel();
        co_return co_await second;
    };
    own = body();
    first.callback(1);
    CHECK(defer::flushLoggedErrors<ValueError>().size() == 1);
    CHECK_FALSE(own.called());
    second.callback(2);
    CHECK(defer::successResultOf(own) == 2);
}

TEST_CASE("a coroutine that was cancelled while it ran may end inside its co_await") {
    const NothingLeft nothingLeft;
    Deferred<int> first;
    Deferred<int> second;
    Deferred<int> own = nullptr;
    const auto body = [&]() -> Deferred<int> {
        co_await first;
        own.cancel();
        co_return co_await second;
    };
    own = body();
    bool seen = false;
    own.addErrback([&](const Failure& failure) { seen = failure.check<CancelledError>() != nullptr; });
    first.callback(1);
    CHECK(seen);
}

TEST_CASE("waiting in a circle is an error at the last link") {
    const NothingLeft nothingLeft;
    Deferred<int> first;
    Deferred<int> outer;
    Deferred<int> own = nullptr;
    SUBCASE("a coroutine awaits itself") {
        const auto body = [&]() -> Deferred<int> {
            co_await first;
            co_return co_await own;
        };
        own = body();
        first.callback(1);
        CHECK(contains(defer::failureResultOf<RuntimeError>(own).getErrorMessage(),
                       "waits for this coroutine"));
    }
    SUBCASE("a coroutine awaits a chain that waits for it") {
        const auto body = [&]() -> Deferred<int> {
            co_await first;
            co_return co_await outer;
        };
        own = body();
        outer.addCallback([&](int) { return own; });
        outer.callback(1);
        first.callback(1);
        CHECK(contains(defer::failureResultOf<RuntimeError>(outer).getErrorMessage(),
                       "waits for this coroutine"));
    }
    SUBCASE("a callback returns the coroutine that awaits its chain") {
        const auto body = [&]() -> Deferred<int> { co_return co_await outer; };
        outer.addCallback([&](int) { return own; });
        own = body();
        outer.callback(1);
        CHECK(contains(defer::failureResultOf<RuntimeError>(own).getErrorMessage(), "waits for this one"));
    }
}

TEST_CASE("a target of chainDeferred that was fired otherwise waits for nobody") {
    const NothingLeft nothingLeft;
    Deferred<int> source;
    Deferred<int> target;
    source.addCallback([target](int) { return target; });
    source.chainDeferred(target);
    target.pause();
    target.callback(1);
    CHECK_FALSE(contains(target.str(), "waiting on"));
    source.callback(0);
    target.unpause();
    defer::failureResultOf<defer::AlreadyCalledError>(source);
}

TEST_CASE(
    "a target of chainDeferred that was fired otherwise, and waits for its source, gets what it waits for") {
    const NothingLeft nothingLeft;
    Words seen;
    Deferred<int> source;
    Deferred<int> target;
    target.callback(1);
    source.chainDeferred(target);
    source.addErrback([&](const Failure& failure) {
        seen.push_back(failure.check<defer::AlreadyCalledError>() != nullptr ? "already called" : "failed");
        target.cancel();
        return 2;
    });
    target.addCallback([&](int) { return source; });
    target.addCallback([&](int n) { seen.push_back(std::to_string(n)); });
    source.callback(0);
    CHECK(seen == Words{"already called", "2"});
}

TEST_CASE("a queue that goes lets go of those who wait") {
    const NothingLeft nothingLeft;
    bool gone = false;
    {
        defer::DeferredQueue<int> queue;
        queue.get().addCallback([last = AtExit([&] { gone = true; })](int) {});
        CHECK_FALSE(gone);
    }
    CHECK(gone);
}

TEST_CASE(
    "an exception out of a destructor of an abandoned coroutine is logged, and leaves its Deferred unfired") {
    const NothingLeft nothingLeft;
    Deferred<int> awaited;
    const auto body = [](Deferred<int> d) -> Deferred<int> {
        const ThrowsWhenItGoes local;
        co_return co_await std::move(d);
    };
    const Deferred<int> own = body(awaited);
    awaited = nullptr;
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
    CHECK(defer::flushLoggedErrors<ValueError>().size() == 1);
    CHECK_FALSE(own.called());
}

TEST_CASE("an exception out of a local's destructor is how the coroutine ended") {
    Deferred<int> awaited;
    const auto body = [](Deferred<int> d) -> Deferred<int> {
        const ThrowsWhenItGoes local;
        co_return co_await d;
    };
    const Deferred<int> own = body(awaited);
    awaited.callback(1);
    defer::failureResultOf<ValueError>(own);
}

struct SomebodyElses {
    std::coroutine_handle<>* resumes;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) const noexcept { *resumes = coroutine; }
    int await_resume() const noexcept { return 3; }
};

TEST_CASE("a coroutine that somebody else resumes runs its chain when it ends") {
    std::coroutine_handle<> resumes;
    const auto body = [&]() -> Deferred<int> { co_return co_await SomebodyElses{&resumes}; };
    int seen = 0;
    body().addCallback([&](int n) { seen = n; });
    resumes.resume();
    CHECK(seen == 3);
}

} // namespace
