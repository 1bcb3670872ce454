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
using ropewalk::Failure;
using ropewalk::RuntimeError;
using ropewalk::ValueError;

// Chains that would wait for each other for ever: the last link is refused, and says where it was made.
namespace {

TEST_CASE("two that wait for each other: the second fails with a RuntimeError, and the first gets it") {
    int alive = 0;
    {
        const Deferred<int> a;
        const Deferred<int> b;
        a.addCallback([&, c = probes::Counted(alive)](int) { return b; });
        b.addCallback([&, c = probes::Counted(alive)](int) { return a; });
        const std::string line = probes::here(1);
        a.callback(1);
        CHECK(a.paused() == 1);
        b.callback(2);
        CHECK(b.paused() == 0);
        CHECK(a.paused() == 0);
        const Failure f = defer::failureResultOf<RuntimeError>(a);
        CHECK(f.getErrorMessage() ==
              "the callback added at " + line + " returned a Deferred that waits for this one");
    }
    CHECK(alive == 0);
}

TEST_CASE("three in a ring") {
    const Deferred<int> a;
    const Deferred<int> b;
    const Deferred<int> c;
    a.addCallback([&](int) { return b; });
    b.addErrback([&](const Failure&) { return c; });
    c.addBoth([&] { return a; });
    a.callback(1);
    b.errback(ValueError("x"));
    c.callback(3);
    defer::failureResultOf<RuntimeError>(a);
    CHECK(b.paused() == 0);
    CHECK(c.paused() == 0);
}

TEST_CASE("a ring that isn't closed when the last one has a result already") {
    const Deferred<int> a;
    const Deferred<int> b;
    a.addCallback([&](int) { return b; });
    b.callback(2);
    a.callback(1);
    CHECK(defer::successResultOf(a) == 2);
}

TEST_CASE("chainDeferred refuses the Deferred itself") {
    const Deferred<int> a;
    CHECK_THROWS_AS(a.chainDeferred(a), RuntimeError);
    a.callback(1);
    CHECK(defer::successResultOf(a) == 1);
}

TEST_CASE("chainDeferred refuses a target that leads back here, and the chains stay as they were") {
    int alive = 0;
    {
        const Deferred<int> a;
        const Deferred<int> b;
        const Deferred<int> c;
        c.addCallback([n = probes::Counted(alive)](int i) { return i; });
        a.chainDeferred(b);
        CHECK_THROWS_AS(b.chainDeferred(a), RuntimeError);
        b.chainDeferred(c);
        CHECK_THROWS_AS(c.chainDeferred(a), RuntimeError);
        CHECK_THROWS_AS(c.chainDeferred(b), RuntimeError);
        a.callback(5);
        CHECK(defer::successResultOf(c) == 5);
    }
    CHECK(alive == 0);
}

TEST_CASE("returning the target that one is going to fire") {
    const Deferred<int> a;
    const Deferred<int> b;
    a.addCallback([&](int) { return b; });
    a.chainDeferred(b);
    a.callback(1);
    CHECK(a.paused() == 0);
    defer::failureResultOf<RuntimeError>(b);
}

TEST_CASE("returning it afterwards is no ring") {
    const Deferred<int> a;
    const Deferred<int> b;
    b.addCallback([](int n) { return n + 1; });
    a.chainDeferred(b);
    const Deferred<int> end = a.addCallback([&] { return b; });
    a.callback(1);
    CHECK(defer::successResultOf(end) == 2);
}

TEST_CASE("a target that waits for the source already") {
    const Deferred<int> source;
    const Deferred<int> waits = defer::succeed(0);
    const Deferred<int> target;
    waits.addCallback([&](int) { return source; });
    CHECK_THROWS_AS(waits.chainDeferred(source), RuntimeError);
    waits.chainDeferred(target);
    source.callback(4);
    CHECK(defer::successResultOf(target) == 4);
}

} // namespace
