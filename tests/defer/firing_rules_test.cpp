#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/defer/trail.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "probes.hpp"

namespace defer = ropewalk::defer;

using defer::AlreadyCalledError;
using defer::Deferred;
using probes::Words;
using ropewalk::Failure;
using ropewalk::NoCurrentExceptionError;
using ropewalk::RuntimeError;
using ropewalk::ValueError;

namespace {

TEST_CASE("9.1: errback(exception) makes a Failure of it, whose way begins there") {
    Deferred<int> d;
    d.errback(ValueError("not thrown"));
    const unsigned line = probes::line(1);
    const Failure f = defer::failureResultOf<ValueError>(d);
    CHECK(f.getErrorMessage() == "not thrown");
    CHECK(f.trail()[0].line() == line);
}

TEST_CASE("9.2: errback() takes the exception that is being handled") {
    Deferred<int> d;
    const std::exception* thrown = nullptr;
    try {
        throw ValueError("thrown");
    } catch (const ValueError& error) {
        thrown = &error;
        d.errback();
        CHECK(defer::failureResultOf(d).check<ValueError>() == thrown);
    }
    CHECK(thrown != nullptr);
}

TEST_CASE("9.3: so does fail()") {
    try {
        throw ValueError("thrown");
    } catch (const ValueError& error) {
        const Deferred<int> d = defer::fail();
        CHECK(defer::failureResultOf(d).check<ValueError>() == &error);
    }
}

TEST_CASE("9.4: errback() with no exception about throws NoCurrentExceptionError, and fires nothing") {
    Deferred<int> d;
    CHECK_THROWS_AS(d.errback(), NoCurrentExceptionError);
    CHECK_FALSE(d.called());
    d.callback(1);
    CHECK(defer::successResultOf(d) == 1);
}

TEST_CASE("9.5: fail() too") {
    CHECK_THROWS_AS((void)defer::fail(), NoCurrentExceptionError);
}

TEST_CASE("10.1: callback after callback throws AlreadyCalledError") {
    Deferred<int> d;
    d.callback(1);
    CHECK_THROWS_AS(d.callback(2), AlreadyCalledError);
    CHECK(defer::successResultOf(d) == 1);
}

TEST_CASE("10.2: errback after callback throws AlreadyCalledError") {
    Deferred<int> d;
    d.callback(1);
    CHECK_THROWS_AS(d.errback(ValueError("x")), AlreadyCalledError);
    CHECK(defer::successResultOf(d) == 1);
}

TEST_CASE("10.3: callback after errback throws AlreadyCalledError") {
    Deferred<int> d;
    d.errback(ValueError("x"));
    CHECK_THROWS_AS(d.callback(2), AlreadyCalledError);
    CHECK(defer::failureResultOf<ValueError>(d).getErrorMessage() == "x");
}

TEST_CASE("10.4: errback after errback throws AlreadyCalledError") {
    Deferred<int> d;
    d.errback(ValueError("x"));
    CHECK_THROWS_AS(d.errback(RuntimeError("y")), AlreadyCalledError);
    CHECK(defer::failureResultOf<ValueError>(d).getErrorMessage() == "x");
}

TEST_CASE("10.1: also when its callbacks wait, or it is paused, or is a Deferred<void>") {
    Deferred<int> waiting;
    waiting.addCallback([](int) { return Deferred<int>(); });
    waiting.callback(1);
    CHECK_THROWS_AS(waiting.callback(2), AlreadyCalledError);
    Deferred<int> paused;
    paused.pause();
    paused.callback(1);
    CHECK_THROWS_AS(paused.callback(2), AlreadyCalledError);
    Deferred<void> empty;
    empty.callback();
    CHECK_THROWS_AS(empty.callback(), AlreadyCalledError);
}

AlreadyCalledError secondFire(const Deferred<int>& d) {
    try {
        d.callback(2);
    } catch (const AlreadyCalledError& error) {
        return error;
    }
    FAIL("no AlreadyCalledError");
    return {};
}

TEST_CASE("11.1: AlreadyCalledError says where the Deferred was made") {
    Deferred<int> d;
    const std::string made = probes::here(1);
    d.callback(1);
    const AlreadyCalledError error = secondFire(d);
    CHECK(made.ends_with(':' + std::to_string(error.madeAt().line())));
    CHECK(probes::contains(error.what(), "made at " + made));
}

TEST_CASE("11.2: and where it was first called, whatever called it") {
    Deferred<int> d;
    std::string first;
    SUBCASE("callback") {
        d.callback(1);
        first = probes::here(1);
    }
    SUBCASE("errback") {
        d.errback(ValueError("x"));
        first = probes::here(1);
        d.addErrback([] {});
    }
    SUBCASE("callback with a Failure") {
        d.callback(Failure(ValueError("x")));
        first = probes::here(1);
        d.addErrback([] {});
    }
    SUBCASE("chainDeferred, which names the place of the chaining") {
        Deferred<int> source;
        source.chainDeferred(d);
        first = probes::here(1);
        source.callback(1);
    }
    const AlreadyCalledError error = secondFire(d);
    CHECK(first.ends_with(':' + std::to_string(error.firstFired().line())));
    CHECK(probes::contains(error.what(), "already called at " + first));
    CHECK(probes::contains(error.what(), "again at "));
}

TEST_CASE("12.1: a function added to a fired Deferred runs before the adding returns") {
    Words seen;
    const Deferred<int> d = defer::succeed(1);
    const Deferred<int> second = d.addCallback([&](int n) {
        seen.push_back("callback");
        return n;
    });
    CHECK(seen == Words{"callback"});
    second.addBoth([&] { seen.push_back("both"); });
    CHECK(seen == Words{"callback", "both"});
    Deferred<int> failed = defer::fail(ValueError("x"));
    failed.addErrback([&](const Failure&) { seen.push_back("errback"); });
    CHECK(seen == Words{"callback", "both", "errback"});
    failed.addCallbacks([&] { seen.push_back("pair"); }, [] {});
    CHECK(seen == Words{"callback", "both", "errback", "pair"});
}

TEST_CASE("12.2: every adding returns the same Deferred, with the type that it has then") {
    Deferred<int> d;
    const Deferred<std::string> a = d.addCallback([](int n) { return std::to_string(n); });
    const Deferred<std::string> b = a.addErrback([](const Failure&) { return "x"; });
    const Deferred<double> c = b.addBoth([] { return 1.5; });
    const Deferred<void> e = c.addCallbacks([](double) {}, [] {});
    CHECK(a == d);
    CHECK(b == d);
    CHECK(c == d);
    CHECK(e == d);
}

TEST_CASE(
    "13.1, 13.2: one added inside a running callback runs when that has returned, after all that were there") {
    Words seen;
    Deferred<void> d;
    d.addCallback([&] {
        seen.push_back("1 begins");
        d.addCallback([&] { seen.push_back("3"); });
        seen.push_back("1 ends");
    });
    d.addCallback([&] { seen.push_back("2"); });
    d.callback();
    CHECK(seen == Words{"1 begins", "1 ends", "2", "3"});
}

TEST_CASE("13.1: one that is added while a callback of a fired Deferred runs waits too") {
    Words seen;
    Deferred<void> d;
    d.callback();
    d.addCallback([&] {
        d.addCallback([&] {
            d.addCallback([&] { seen.push_back("third"); });
            seen.push_back("second");
        });
        seen.push_back("first");
    });
    CHECK(seen == Words{"first", "second", "third"});
}

TEST_CASE(
    "14.1: a callback that returns its own Deferred makes it fail with a RuntimeError that says where") {
    Deferred<int> d;
    d.addCallback([d](int) { return d; });
    const std::string line = probes::here(1);
    d.callback(1);
    CHECK(d.paused() == 0);
    const Failure f = defer::failureResultOf<RuntimeError>(d);
    CHECK(probes::contains(f.getErrorMessage(), line));
}

TEST_CASE("14.1: so does an errback, and a function on both sides") {
    Deferred<int> d;
    d.addErrback([d](const Failure&) { return d; });
    d.errback(ValueError("x"));
    defer::failureResultOf<RuntimeError>(d);
    Deferred<int> e;
    e.addBoth([e] { return e; });
    e.callback(1);
    defer::failureResultOf<RuntimeError>(e);
}

TEST_CASE("15.1: `called` is true when the first callback runs") {
    Deferred<void> d;
    bool called = false;
    d.addCallback([&] { called = d.called(); });
    CHECK_FALSE(d.called());
    d.callback();
    CHECK(called);
}

TEST_CASE("15.2: and the canceller is gone by then") {
    int alive = 0;
    int atFirstCallback = -1;
    Deferred<void> d([c = probes::Counted(alive)] { (void)c; });
    CHECK(alive == 1);
    d.addBoth([&] { atFirstCallback = alive; });
    SUBCASE("callback") {
        d.callback();
    }
    SUBCASE("errback") {
        d.errback(ValueError("x"));
    }
    SUBCASE("chainDeferred") {
        defer::succeed().chainDeferred(d);
    }
    CHECK(atFirstCallback == 0);
}

TEST_CASE("16.1: callback(otherDeferred) isn't flattened: the first callback gets the Deferred itself") {
    Deferred<int> inner;
    Deferred<Deferred<int>> outer;
    Deferred<int> got = nullptr;
    outer.addCallback([&](const Deferred<int>& d) { got = d; });
    outer.callback(inner);
    CHECK(got == inner);
    CHECK_FALSE(inner.called());
    CHECK(outer.paused() == 0);
}

TEST_CASE("16.1: and may return it, which is waited for as ever") {
    Deferred<int> inner;
    Deferred<Deferred<int>> outer;
    const Deferred<int> flat = outer.addCallback([](Deferred<int> d) { return d; });
    outer.callback(inner);
    defer::assertNoResult(flat);
    inner.callback(3);
    CHECK(defer::successResultOf(flat) == 3);
}

} // namespace
