#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <ostream>
#include <string>

#include "probes.hpp"

namespace defer = ropewalk::defer;

using defer::AlreadyCalledError;
using defer::CancelledError;
using defer::Deferred;
using probes::Words;
using ropewalk::Failure;
using ropewalk::ValueError;

namespace {

TEST_CASE("37.1: cancel() without a canceller fails with CancelledError at once") {
    Words seen;
    Deferred<int> d;
    d.addCallbacks([&](int) { seen.push_back("callback"); },
                   [&](const Failure& f) {
                       seen.push_back(f.check<CancelledError>() != nullptr ? "cancelled" : "other");
                   });
    d.cancel();
    CHECK(seen == Words{"cancelled"});
    CHECK(d.called());
}

TEST_CASE("37.2, 37.4: one later callback is dropped, and the next fire throws") {
    Deferred<int> d;
    d.cancel();
    CHECK_NOTHROW(d.callback(1));
    SUBCASE("a callback") {
        CHECK_THROWS_AS(d.callback(2), AlreadyCalledError);
    }
    SUBCASE("an errback") {
        CHECK_THROWS_AS(d.errback(ValueError("x")), AlreadyCalledError);
    }
    defer::failureResultOf<CancelledError>(d);
}

TEST_CASE("37.3, 37.4: or one errback, which nobody reports") {
    Deferred<int> d;
    d.cancel();
    CHECK_NOTHROW(d.errback(ValueError("dropped")));
    SUBCASE("a callback") {
        CHECK_THROWS_AS(d.callback(2), AlreadyCalledError);
    }
    SUBCASE("an errback") {
        CHECK_THROWS_AS(d.errback(ValueError("x")), AlreadyCalledError);
    }
    defer::failureResultOf<CancelledError>(d);
}

TEST_CASE("38.1: cancelling again does nothing, and allows no further fire") {
    int errbacks = 0;
    Deferred<int> d;
    d.addErrback([&] { ++errbacks; });
    d.cancel();
    d.cancel();
    d.cancel();
    CHECK(errbacks == 1);
    CHECK_NOTHROW(d.callback(1));
    CHECK_THROWS_AS(d.callback(2), AlreadyCalledError);
}

TEST_CASE("38.2: nor after the fire that was dropped") {
    Deferred<int> d;
    d.cancel();
    d.callback(1);
    d.cancel();
    CHECK_THROWS_AS(d.callback(2), AlreadyCalledError);
    defer::failureResultOf<CancelledError>(d);
}

TEST_CASE(
    "39.1, 39.2: a canceller is called once, with the Deferred; if it fires nothing, CancelledError follows") {
    int calls = 0;
    Deferred<int> given = nullptr;
    bool calledThen = true;
    Deferred<int> d([&](const Deferred<int>& self) {
        ++calls;
        given = self;
        calledThen = self.called();
    });
    d.cancel();
    CHECK(calls == 1);
    CHECK(given == d);
    CHECK_FALSE(calledThen);
    defer::failureResultOf<CancelledError>(d);
}

TEST_CASE("39.3: later fires are not dropped then") {
    Deferred<int> d([](const Deferred<int>&) {});
    d.cancel();
    CHECK_THROWS_AS(d.callback(1), AlreadyCalledError);
    CHECK_THROWS_AS(d.errback(ValueError("x")), AlreadyCalledError);
    defer::failureResultOf<CancelledError>(d);
}

TEST_CASE("39.4: cancelling again doesn't call it again") {
    int calls = 0;
    Deferred<int> d([&] { ++calls; });
    d.cancel();
    d.cancel();
    CHECK(calls == 1);
    defer::failureResultOf<CancelledError>(d);
}

TEST_CASE("40.1: a canceller may call back, and there is no CancelledError") {
    Deferred<int> d([](const Deferred<int>& self) { self.callback(5); });
    d.cancel();
    CHECK(defer::successResultOf(d) == 5);
    CHECK_THROWS_AS(d.callback(1), AlreadyCalledError);
}

TEST_CASE("40.2: or fail with an error of its own") {
    Deferred<int> d([](const Deferred<int>& self) { self.errback(ValueError("mine")); });
    d.cancel();
    CHECK(defer::failureResultOf<ValueError>(d).getErrorMessage() == "mine");
}

TEST_CASE("41.1, 41.2: cancelling a fired Deferred doesn't call the canceller, and changes nothing") {
    int calls = 0;
    Deferred<int> d([&] { ++calls; });
    SUBCASE("with a value") {
        d.callback(1);
        d.cancel();
        CHECK(defer::successResultOf(d) == 1);
    }
    SUBCASE("with a failure") {
        d.errback(ValueError("x"));
        d.cancel();
        defer::failureResultOf<ValueError>(d);
    }
    SUBCASE("and paused") {
        d.pause();
        d.callback(1);
        d.cancel();
        d.unpause();
        CHECK(defer::successResultOf(d) == 1);
    }
    CHECK(calls == 0);
    CHECK_THROWS_AS(d.callback(2), AlreadyCalledError);
}

TEST_CASE("42.1, 42.2, 42.3: cancelling one that waits goes to the inner, whose CancelledError comes back") {
    int outerCalls = 0;
    int innerCalls = 0;
    Deferred<int> inner([&] { ++innerCalls; });
    Deferred<int> outer([&] { ++outerCalls; });
    outer.addCallback([&](int) { return inner; });
    outer.callback(1);
    outer.cancel("enough");
    CHECK(innerCalls == 1);
    CHECK(outerCalls == 0);
    CHECK(inner.called());
    CHECK(defer::failureResultOf<CancelledError>(outer).getErrorMessage() == "enough");
}

TEST_CASE("42.1: down to the innermost") {
    Deferred<int> c;
    Deferred<int> b = defer::succeed(0);
    b.addCallback([&](int) { return c; });
    Deferred<int> a = defer::succeed(0);
    a.addCallback([&](int) { return b; });
    a.cancel();
    CHECK(c.called());
    defer::failureResultOf<CancelledError>(a);
    CHECK_NOTHROW(c.callback(1));
    CHECK_THROWS_AS(c.callback(1), AlreadyCalledError);
}

TEST_CASE("42.3: or what the inner's canceller makes of it") {
    Deferred<int> inner([](const Deferred<int>& self) { self.callback(3); });
    Deferred<int> outer = defer::succeed(0);
    outer.addCallback([&](int) { return inner; });
    outer.cancel();
    CHECK(defer::successResultOf(outer) == 3);
}

TEST_CASE("42.1: an inner one that nobody holds any more is cancelled all the same") {
    Deferred<int> outer = defer::succeed(0);
    outer.addCallback([](int) { return Deferred<int>(); });
    CHECK(outer.paused() == 1);
    outer.cancel("gone");
    CHECK(outer.paused() == 0);
    CHECK(defer::failureResultOf<CancelledError>(outer).getErrorMessage() == "gone");
}

TEST_CASE("42.1: an inner one that has fired and is paused has nothing to cancel") {
    Deferred<int> inner;
    inner.pause();
    inner.callback(2);
    Deferred<int> outer = defer::succeed(0);
    outer.addCallback([&](int) { return inner; });
    outer.cancel();
    defer::assertNoResult(outer);
    inner.unpause();
    CHECK(defer::successResultOf(outer) == 2);
}

TEST_CASE("43.1, 43.2: what a canceller throws comes out of cancel(), and the Deferred can still be fired") {
    Deferred<int> d([] { throw ValueError("can't"); });
    CHECK_THROWS_WITH_AS(d.cancel(), "can't", ValueError);
    CHECK_FALSE(d.called());
    SUBCASE("with a value") {
        d.callback(4);
        CHECK(defer::successResultOf(d) == 4);
    }
    SUBCASE("with a failure") {
        d.errback(ValueError("x"));
        defer::failureResultOf<ValueError>(d);
    }
    CHECK_THROWS_AS(d.callback(5), AlreadyCalledError);
}

TEST_CASE("43.3: or cancelled again, with the same canceller") {
    int calls = 0;
    Deferred<int> d([&] {
        if (++calls == 1) throw ValueError("not yet");
    });
    CHECK_THROWS_AS(d.cancel(), ValueError);
    d.cancel();
    CHECK(calls == 2);
    defer::failureResultOf<CancelledError>(d);
}

TEST_CASE("43.1: also out of the outer's cancel() when it is the inner's canceller that throws") {
    Deferred<int> inner([] { throw ValueError("can't"); });
    Deferred<int> outer = defer::succeed(0);
    outer.addCallback([&](int) { return inner; });
    CHECK_THROWS_AS(outer.cancel(), ValueError);
    CHECK(outer.paused() == 1);
    inner.callback(6);
    CHECK(defer::successResultOf(outer) == 6);
}

TEST_CASE("43.1: a canceller that fires and then throws has fired") {
    Deferred<int> d([](const Deferred<int>& self) {
        self.callback(1);
        throw ValueError("after all");
    });
    CHECK_THROWS_AS(d.cancel(), ValueError);
    CHECK(defer::successResultOf(d) == 1);
    CHECK_NOTHROW(d.cancel());
}

TEST_CASE("44.1: cancelling the target of chainDeferred leaves the source alone") {
    int calls = 0;
    Deferred<int> source([&] { ++calls; });
    Deferred<int> target;
    source.chainDeferred(target);
    target.cancel();
    CHECK(calls == 0);
    CHECK_FALSE(source.called());
    defer::failureResultOf<CancelledError>(target);
}

TEST_CASE("44.2: the source's result is dropped when it comes, once") {
    Deferred<int> source;
    Deferred<int> target;
    source.chainDeferred(target);
    target.cancel();
    SUBCASE("a value") {
        source.callback(1);
    }
    SUBCASE("a failure") {
        source.errback(ValueError("dropped"));
    }
    CHECK(probes::contains(source.str(), "current result: None"));
    CHECK_THROWS_AS(target.callback(2), AlreadyCalledError);
    defer::failureResultOf<CancelledError>(target);
}

TEST_CASE(
    "45.1, 45.2: a paused unfired Deferred takes its CancelledError at once, and runs errbacks on unpause") {
    bool errback = false;
    Deferred<int> d;
    d.addErrback([&](const Failure& f) { errback = f.check<CancelledError>() != nullptr; });
    d.pause();
    d.cancel();
    CHECK(d.called());
    CHECK(probes::contains(d.str(), "CancelledError"));
    CHECK_FALSE(errback);
    d.unpause();
    CHECK(errback);
}

struct Owner {
    Deferred<int> d = nullptr;
};

TEST_CASE("46.1: firing lets the canceller go, even one that refers back to the Deferred") {
    const auto owner = std::make_shared<Owner>();
    const std::weak_ptr<Owner> watch = owner;
    owner->d = Deferred<int>([owner] { (void)owner; });
    CHECK(watch.use_count() == 2);
    SUBCASE("a value") {
        owner->d.callback(1);
    }
    SUBCASE("a failure") {
        owner->d.errback(ValueError("x"));
        owner->d.addErrback([] {});
    }
    SUBCASE("a cancellation") {
        owner->d.cancel();
        owner->d.addErrback([] {});
    }
    CHECK(watch.use_count() == 1);
}

TEST_CASE("46.1: even one that has the only handle") {
    auto owner = std::make_shared<Owner>();
    const std::weak_ptr<Owner> watch = owner;
    Owner& alone = *owner;
    int seen = 0;
    alone.d = Deferred<int>([kept = std::move(owner)] { (void)kept; });
    alone.d.addCallbacks([&](int n) { seen = n; }, [&] { seen = -1; });
    CHECK(watch.use_count() == 1);
    SUBCASE("a value") {
        alone.d.callback(1);
        CHECK(seen == 1);
    }
    SUBCASE("a failure") {
        alone.d.errback(ValueError("x"));
        CHECK(seen == -1);
    }
    SUBCASE("a cancellation") {
        alone.d.cancel();
        CHECK(seen == -1);
    }
    CHECK(watch.expired());
}

TEST_CASE("a reason for cancelling is the error's text") {
    Deferred<int> d;
    d.cancel("the user closed the window");
    const Failure f = defer::failureResultOf<CancelledError>(d);
    CHECK(f.getErrorMessage() == "the user closed the window");
    CHECK(f.check<CancelledError>()->reason() == "the user closed the window");
    Deferred<int> without;
    without.cancel();
    CHECK(defer::failureResultOf<CancelledError>(without).check<CancelledError>()->reason().empty());
}

TEST_CASE("a reason goes to an inner Deferred too, and past a canceller that fires nothing") {
    Deferred<int> inner([] {});
    Deferred<int> outer = defer::succeed(0);
    outer.addCallback([&](int) { return inner; });
    outer.cancel(std::string("late"));
    CHECK(defer::failureResultOf<CancelledError>(outer).getErrorMessage() == "late");
}

TEST_CASE("the error of a cancellation shows where cancel was called") {
    Deferred<int> d;
    d.cancel();
    const std::string place = ", line " + std::to_string(probes::line(1)) + ',';
    CHECK(probes::contains(defer::failureResultOf<CancelledError>(d).getTraceback(), place));
}

} // namespace
