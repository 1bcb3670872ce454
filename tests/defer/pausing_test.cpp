#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include "probes.hpp"

namespace defer = ropewalk::defer;

using defer::Deferred;
using probes::Words;
using ropewalk::Failure;
using ropewalk::ValueError;

namespace {

TEST_CASE("17.1: pauses nest: nothing runs until unpause was called as often") {
    int runs = 0;
    Deferred<void> d;
    d.addCallback([&] { ++runs; });
    d.pause();
    d.pause();
    CHECK(d.paused() == 2);
    d.callback();
    CHECK(runs == 0);
    d.unpause();
    CHECK(runs == 0);
    CHECK(d.paused() == 1);
    d.unpause();
    CHECK(runs == 1);
    CHECK(d.paused() == 0);
}

TEST_CASE("17.1: what is added to a paused Deferred waits with the rest") {
    Words seen;
    Deferred<void> d;
    d.callback();
    d.pause();
    d.addCallback([&] { seen.push_back("first"); });
    d.addBoth([&] { seen.push_back("second"); });
    CHECK(seen.empty());
    d.unpause();
    CHECK(seen == Words{"first", "second"});
    d.addCallback([&] { seen.push_back("third"); });
    CHECK(seen.size() == 3);
}

TEST_CASE("17.1: a pause in the middle holds the callbacks that follow") {
    Words seen;
    Deferred<void> d;
    d.addCallback([&] {
        seen.push_back("first");
        d.pause();
    });
    d.addCallback([&] { seen.push_back("second"); });
    d.callback();
    CHECK(seen == Words{"first"});
    d.unpause();
    CHECK(seen == Words{"first", "second"});
}

TEST_CASE("17.1: a pause that a callback takes back changes nothing") {
    Words seen;
    Deferred<void> d;
    d.addCallback([&] {
        d.pause();
        d.unpause();
        seen.push_back("first");
    });
    d.addCallback([&] { seen.push_back("second"); });
    d.callback();
    CHECK(seen == Words{"first", "second"});
}

TEST_CASE("17.2: pause and unpause do no harm to an unfired Deferred") {
    Deferred<int> d;
    int got = 0;
    d.addCallback([&](int n) { got = n; });
    d.pause();
    d.unpause();
    CHECK_FALSE(d.called());
    CHECK(d.paused() == 0);
    d.callback(3);
    CHECK(got == 3);
}

TEST_CASE("unpause without a pause throws, and changes nothing") {
    Deferred<int> d;
    CHECK_THROWS_AS(d.unpause(), ropewalk::RuntimeError);
    d.callback(3);
    CHECK_THROWS_AS(d.unpause(), ropewalk::RuntimeError);
    CHECK(defer::successResultOf(d) == 3);
    Deferred<int> outer;
    outer.addCallback([](int) { return Deferred<int>(); });
    outer.callback(1);
    CHECK_THROWS_AS(outer.unpause(), ropewalk::RuntimeError);
    CHECK(outer.paused() == 1);
}

TEST_CASE("18.1: an errback that is added while paused waits for unpause") {
    Words seen;
    Deferred<int> d;
    d.pause();
    d.errback(ValueError("late"));
    d.addErrback([&](const Failure& f) { seen.push_back(f.getErrorMessage()); });
    CHECK(seen.empty());
    d.unpause();
    CHECK(seen == Words{"late"});
}

TEST_CASE(
    "19.1, 19.2: who returns a Deferred that has fired and is paused waits for its unpause, then gets its result") {
    Deferred<int> inner;
    inner.pause();
    Deferred<void> outer;
    const Deferred<int> end = outer.addCallback([&] { return inner; });
    SUBCASE("a value") {
        inner.callback(6);
        outer.callback();
        defer::assertNoResult(end);
        CHECK(outer.paused() == 1);
        inner.unpause();
        CHECK(defer::successResultOf(end) == 6);
    }
    SUBCASE("a failure") {
        inner.errback(ValueError("x"));
        outer.callback();
        defer::assertNoResult(end);
        inner.unpause();
        CHECK(defer::failureResultOf<ValueError>(end).getErrorMessage() == "x");
    }
    CHECK(outer.paused() == 0);
}

TEST_CASE(
    "20.1: a paused outer doesn't keep the inner it waits for from firing and running its own callbacks") {
    Words seen;
    Deferred<int> inner;
    Deferred<void> outer;
    outer.addCallback([&] { return inner; }).addCallback([&](int n) {
        seen.push_back("outer " + std::to_string(n));
    });
    outer.callback();
    outer.pause();
    CHECK(outer.paused() == 2);
    inner.addBoth([&] { seen.push_back("inner"); });
    inner.callback(8);
    CHECK(seen == Words{"inner"});
    CHECK(outer.paused() == 1);
    outer.unpause();
    CHECK(seen == Words{"inner", "outer 8"});
}

TEST_CASE("20.2: these see None") {
    Deferred<int> inner;
    Deferred<void> outer;
    outer.addCallback([&] { return inner; });
    outer.callback();
    outer.pause();
    bool valueSeen = false;
    std::string error;
    inner.addCallback([&](int) { valueSeen = true; });
    inner.addErrback([&](const Failure& f) { error = f.getErrorMessage(); });
    inner.callback(8);
    CHECK_FALSE(valueSeen);
    CHECK(probes::contains(error, "a chain that waited for it took it"));
    outer.unpause();
}

} // namespace
