#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/defer/timeout.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "probes.hpp"

namespace defer = ropewalk::defer;

using defer::Deferred;
using probes::Words;
using ropewalk::EmptyDeferredError;
using ropewalk::Failure;
using ropewalk::Result;
using ropewalk::ValueError;
using ropewalk::WrongTypeError;

namespace {

static_assert(sizeof(Deferred<std::string>) == sizeof(void*));
static_assert(std::is_nothrow_copy_constructible_v<Deferred<int>>);
static_assert(std::is_nothrow_move_constructible_v<Deferred<int>>);
static_assert(std::is_nothrow_move_assignable_v<Deferred<int>>);
static_assert(std::is_nothrow_destructible_v<Deferred<int>>);
static_assert(!std::is_convertible_v<Deferred<int>, bool>);
static_assert(!std::is_convertible_v<Deferred<int>, Deferred<long>>);

/// A chain that is fired with an int, with a string at its end, and its two handles.
struct Converted {
    Deferred<int> front;
    Deferred<std::string> end = front.addCallback([](int n) { return std::to_string(n); });
};

TEST_CASE("a handle is const-callable in all it does") {
    const Deferred<int> d;
    const auto fire = [d] { d.callback(2); };
    fire();
    CHECK(defer::successResultOf(d) == 2);
}

TEST_CASE("callback is for a handle of the type that the chain was made with") {
    const Deferred<int> front;
    const std::string madeAt = probes::here(1);
    const Deferred<std::string> end = front.addCallback([](int n) { return std::to_string(n); });
    try {
        end.callback("text");
        FAIL("no WrongTypeError");
    } catch (const WrongTypeError& error) {
        const std::string line = probes::here(3);
        CHECK(error.wanted() == typeid(int));
        CHECK(error.actual() == typeid(std::string));
        CHECK(error.what() ==
              "wanted int, found std::string, at " + line + "; the Deferred was made at " + madeAt);
    }
    CHECK_FALSE(front.called());
    front.callback(3);
    CHECK(defer::successResultOf(end) == "3");
}

TEST_CASE("errback, cancel, pause, unpause, called and paused are for any handle") {
    const Converted failed;
    failed.end.pause();
    CHECK(failed.front.paused() == 1);
    failed.front.unpause();
    CHECK_FALSE(failed.end.called());
    failed.end.errback(ValueError("x"));
    CHECK(failed.front.called());
    defer::failureResultOf<ValueError>(failed.end);
    const Converted cancelled;
    cancelled.end.cancel();
    CHECK(cancelled.front.called());
    defer::failureResultOf<defer::CancelledError>(cancelled.front);
}

TEST_CASE("a callback that takes the value needs a handle of the end's type") {
    const Converted c;
    CHECK_THROWS_AS(c.front.addCallback([](int n) { return n; }), WrongTypeError);
    CHECK_THROWS_AS(c.front.addCallback([](auto) {}), WrongTypeError);
    CHECK_THROWS_AS(c.front.addCallbacks([](int n) { return n; }, [](const Failure&) { return 1; }),
                    WrongTypeError);
    CHECK_THROWS_AS(c.front.addBoth([](const Result<int>& r) { return r; }), WrongTypeError);
    CHECK_THROWS_AS(c.front.addErrback([](const Failure&) { return 1; }), WrongTypeError);
    CHECK_THROWS_AS(c.front.addErrback([](const Failure&) { return Deferred<int>(); }), WrongTypeError);
    CHECK_THROWS_AS(c.front.addErrback([](const Failure&) -> Result<int> { return 1; }), WrongTypeError);
    c.front.callback(3);
    CHECK_THROWS_AS(c.front.addCallback([](int n) { return n; }), WrongTypeError);
    CHECK(defer::successResultOf(c.end) == "3");
}

TEST_CASE("after a WrongTypeError the chain is what it was") {
    const Converted c;
    CHECK_THROWS_AS(c.front.addCallback([](int) { return 1.5; }), WrongTypeError);
    CHECK_THROWS_AS(c.front.addBoth([](const Result<int>&) { return 1.5; }), WrongTypeError);
    CHECK_THROWS_AS(c.front.addCallbacks([](int) { return 1.5; }, [] {}), WrongTypeError);
    std::string got;
    c.end.addCallback([&](const std::string& s) { got = s; });
    c.front.callback(8);
    CHECK(got == "8");
}

TEST_CASE("so do chainDeferred, on both sides, and fork") {
    const Converted source;
    const Deferred<int> ints;
    CHECK_THROWS_AS(source.front.chainDeferred(ints), WrongTypeError);
    CHECK_THROWS_AS((void)source.front.fork(), WrongTypeError);
    const Converted target;
    CHECK_THROWS_AS(source.end.chainDeferred(target.end), WrongTypeError);
    CHECK_FALSE(target.front.called());
    ints.chainDeferred(target.front);
    ints.callback(6);
    CHECK(defer::successResultOf(target.end) == "6");
}

TEST_CASE("so does a member of a list") {
    const Converted c;
    CHECK_THROWS_AS(defer::DeferredList(c.front, c.front), WrongTypeError);
    CHECK_THROWS_AS(defer::DeferredList(std::vector{c.front}), WrongTypeError);
    CHECK_THROWS_AS(defer::gatherResults(c.front), WrongTypeError);
}

TEST_CASE("so does a Deferred that a callback returns; there the chain fails") {
    const Converted inner;
    const Deferred<int> outer = defer::succeed().addCallback([&] { return inner.front; });
    const Failure f = defer::failureResultOf<WrongTypeError>(outer);
    CHECK(f.check<WrongTypeError>()->wanted() == typeid(int));
    CHECK(f.check<WrongTypeError>()->actual() == typeid(std::string));
    inner.front.callback(2);
    CHECK(defer::successResultOf(inner.end) == "2");
}

Deferred<int> awaitValue(Deferred<int> d) {
    co_return co_await d + 1;
}

Deferred<int> awaitResult(Deferred<int> d) {
    const Result<int> r = co_await d.result();
    co_return *r + 1;
}

Deferred<int> awaitWithoutValue(Deferred<void> d) {
    co_await d;
    co_return 5;
}

TEST_CASE("so does co_await; there the coroutine fails") {
    const Converted c;
    defer::failureResultOf<WrongTypeError>(awaitValue(c.front));
    defer::failureResultOf<WrongTypeError>(awaitResult(c.front));
}

TEST_CASE("without the value any handle will do: Twisted's statements work as they stand") {
    Words seen;
    const auto gotPoem = [&](const std::string& poem) { seen.push_back("got " + poem); };
    const auto failed = [&](const Failure& f) { seen.push_back("failed: " + f.getErrorMessage()); };
    const auto poemDone = [&] { seen.push_back("done"); };
    const auto use = [&](const Deferred<std::string>& d) {
        d.addCallback(gotPoem);
        d.addErrback(failed);
        d.addBoth(poemDone);
    };
    const Deferred<std::string> poem;
    use(poem);
    poem.callback("Ecstasy");
    const Deferred<std::string> none;
    use(none);
    none.errback(ValueError("no poem"));
    CHECK(seen == Words{"got Ecstasy", "done", "failed: no poem", "done"});
}

TEST_CASE("without the value: an errback on a stale handle leaves None for the handle of the end's type") {
    Words seen;
    const auto end = [&](const Deferred<std::string>& d) {
        d.addCallback([&](const std::string& s) { seen.push_back(s); }).addErrback([&](const Failure& f) {
            seen.push_back(f.check<ropewalk::NoResultError>() != nullptr ? "None" : "failure");
        });
    };
    const Deferred<void> front;
    const Deferred<std::string> text =
        front.addCallback([] { return std::string("a text of some length, on the heap"); });
    SUBCASE("one that returns nothing") {
        front.addErrback([](const Failure&) {});
        end(text);
        front.errback(ValueError("x"));
    }
    SUBCASE("one whose value nobody can use") {
        front.addErrback([](const Failure&) { return 1.5; });
        end(text);
        front.errback(ValueError("x"));
    }
    SUBCASE("one that returns a Result") {
        front.addErrback([](const Failure&) -> Result<int> { return 1; });
        end(text);
        front.errback(ValueError("x"));
    }
    SUBCASE("one that returns a Deferred<void>") {
        front.addErrback([](const Failure&) { return defer::succeed(); });
        end(text);
        front.errback(ValueError("x"));
    }
    SUBCASE("one that returns a Deferred of another type") {
        front.addErrback([](const Failure&) { return defer::succeed(1.5); });
        end(text);
        front.errback(ValueError("x"));
    }
    SUBCASE("one that returns a Deferred that fires later") {
        const Deferred<double> later;
        front.addErrback([&](const Failure&) { return later; });
        end(text);
        front.errback(ValueError("x"));
        later.callback(1.5);
    }
    SUBCASE("added when the failure is there") {
        front.errback(ValueError("x"));
        front.addErrback([] {});
        end(text);
    }
    CHECK(seen == Words{"None"});
}

TEST_CASE("without the value: a stale handle of another type than void") {
    const Converted c;
    c.front.addErrback([](const Failure& f) { return f; });
    c.front.addErrback([](const Failure&) {});
    bool ran = false;
    c.front.addCallback([&] { ran = true; });
    c.front.callback(1);
    CHECK(ran);
}

TEST_CASE("without the value: waiting") {
    const Deferred<void> front;
    front.addCallback([] { return std::string("text"); });
    const Deferred<int> coroutine = awaitWithoutValue(front);
    const Deferred<void> returned = defer::succeed().addCallback([&] { return front; });
    defer::assertNoResult(coroutine);
    front.callback();
    CHECK(defer::successResultOf(coroutine) == 5);
    CHECK_NOTHROW(defer::successResultOf(returned));
}

TEST_CASE("a callback that takes nothing gives every handle before it a new end") {
    const Deferred<int> d;
    const Deferred<double> real = d.addCallback([] { return 2.5; });
    CHECK_THROWS_AS(d.addCallback([](int) {}), WrongTypeError);
    d.callback(1);
    CHECK(defer::successResultOf(real) == 2.5);
}

TEST_CASE("a callback that only returns a Failure keeps the type") {
    const Deferred<int> d;
    const Deferred<int> same = d.addCallback([](int) { return Failure(ValueError("x")); });
    same.addCallback([](int n) { return n; });
    d.callback(1);
    defer::failureResultOf<ValueError>(same);
    const Deferred<int> e;
    const Deferred<int> thrown = e.addCallback([](int) { return defer::fail(ValueError("y")); });
    e.callback(1);
    CHECK(defer::failureResultOf<ValueError>(thrown).getErrorMessage() == "y");
}

TEST_CASE("a coroutine's Deferred, and a list's, are fired by their makers alone") {
    const Deferred<int> gate;
    const Deferred<int> coroutine = awaitValue(gate);
    CHECK_THROWS_AS(coroutine.callback(1), ropewalk::RuntimeError);
    CHECK_THROWS_AS(coroutine.errback(ValueError("x")), ropewalk::RuntimeError);
    const auto list = defer::DeferredList(gate);
    CHECK_THROWS_AS(list.errback(ValueError("x")), ropewalk::RuntimeError);
    gate.callback(1);
    CHECK(defer::successResultOf(coroutine) == 2);
}

// Empty handles.

struct NoClock {
    struct Call {
        bool active() const { return false; }
        void cancel() const {}
    };
    template <class F>
    Call callLater(std::chrono::seconds, F) {
        return {};
    }
};

void checkThrowsEmpty(const Deferred<int>& d) {
    NoClock clock;
    CHECK_THROWS_AS(d.addCallback([](int) {}), EmptyDeferredError);
    CHECK_THROWS_AS(d.addErrback([] {}), EmptyDeferredError);
    CHECK_THROWS_AS(d.addBoth([] {}), EmptyDeferredError);
    CHECK_THROWS_AS(d.addCallbacks([](int) {}, [] {}), EmptyDeferredError);
    CHECK_THROWS_AS(d.callback(1), EmptyDeferredError);
    CHECK_THROWS_AS(d.callback(Failure(ValueError("x"))), EmptyDeferredError);
    CHECK_THROWS_AS(d.errback(ValueError("x")), EmptyDeferredError);
    CHECK_THROWS_AS(d.cancel(), EmptyDeferredError);
    CHECK_THROWS_AS(d.pause(), EmptyDeferredError);
    CHECK_THROWS_AS(d.unpause(), EmptyDeferredError);
    CHECK_THROWS_AS((void)d.called(), EmptyDeferredError);
    CHECK_THROWS_AS((void)d.paused(), EmptyDeferredError);
    CHECK_THROWS_AS(d.chainDeferred(Deferred<int>()), EmptyDeferredError);
    CHECK_THROWS_AS(Deferred<int>().chainDeferred(d), EmptyDeferredError);
    CHECK_THROWS_AS((void)d.fork(), EmptyDeferredError);
    CHECK_THROWS_AS(d.addTimeout(std::chrono::seconds(1), clock), EmptyDeferredError);
    CHECK_THROWS_AS(defer::DeferredList(d, d), EmptyDeferredError);
    CHECK(d.str() == "<Deferred: empty handle>");
    CHECK(d == nullptr);
    CHECK_FALSE(static_cast<bool>(d));
}

TEST_CASE("whatever is asked of an empty handle throws") {
    checkThrowsEmpty(nullptr);
    Deferred<int> reset;
    reset = nullptr;
    checkThrowsEmpty(reset);
}

TEST_CASE("of a moved-from one too") {
    Deferred<int> d;
    const Deferred<int> moved = std::move(d);
    checkThrowsEmpty(d);
    CHECK(static_cast<bool>(moved));
    Deferred<int> e;
    const Deferred<int> exchanged = std::exchange(e, nullptr);
    exchanged.callback(1);
    CHECK(e == nullptr);
    CHECK(exchanged.called());
}

TEST_CASE("the error says which call, and where") {
    const Deferred<int> d = nullptr;
    try {
        d.callback(1);
    } catch (const EmptyDeferredError& error) {
        CHECK(probes::contains(error.what(), "callback() on an empty Deferred, at " + probes::here(2)));
    }
}

TEST_CASE("an empty handle that a callback returns, or a coroutine awaits, makes that fail") {
    const Deferred<int> returned = defer::succeed().addCallback([] { return Deferred<int>(nullptr); });
    defer::failureResultOf<EmptyDeferredError>(returned);
    defer::failureResultOf<EmptyDeferredError>(awaitValue(nullptr));
    defer::failureResultOf<EmptyDeferredError>(awaitResult(nullptr));
}

TEST_CASE("handles compare by the chain that they name, whatever their types") {
    const Converted c;
    const Deferred<int> copy = c.front;
    CHECK(copy == c.front);
    CHECK(c.front == c.end);
    CHECK(c.front != Deferred<int>());
    CHECK(Deferred<int>(nullptr) == Deferred<std::string>(nullptr));
    CHECK(c.front != nullptr);
}

TEST_CASE("copying and assigning: the chain lives as long as one handle does, also through self-assignment") {
    int alive = 0;
    Deferred<int> a;
    a.addCallback([c = probes::Counted(alive)](int n) {
        (void)c;
        return n;
    });
    Deferred<int> b = a;
    a = b;
    Deferred<int>& same = a;
    a = same;
    a = nullptr;
    CHECK(alive == 1);
    b = Deferred<int>();
    CHECK(alive == 0);
}

} // namespace
