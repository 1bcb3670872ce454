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
using ropewalk::NoResultError;
using ropewalk::ValueError;

namespace {

TEST_CASE("fork: a second Deferred gets a copy of the result as it stands there") {
    const Deferred<int> d;
    d.addCallback([](int n) { return n + 1; });
    const Deferred<int> copy = d.fork();
    d.addCallback([](int n) { return n * 10; });
    CHECK_FALSE(copy == d);
    CHECK_FALSE(copy.called());
    d.callback(1);
    CHECK(defer::successResultOf(copy) == 2);
    CHECK(defer::successResultOf(d) == 20);
}

TEST_CASE("fork: of one that has fired") {
    const Deferred<std::string> d = defer::succeed(std::string("both"));
    CHECK(defer::successResultOf(d.fork()) == "both");
    CHECK(defer::successResultOf(d.fork()) == "both");
    CHECK(defer::successResultOf(d) == "both");
}

TEST_CASE("fork: a failure goes both ways, and each side has to handle it") {
    const Failure sent(ValueError("x"));
    {
        const Deferred<int> d;
        const Deferred<int> copy = d.fork();
        d.errback(sent);
        CHECK(defer::failureResultOf(copy) == sent);
    }
    CHECK(defer::flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("fork: None too, with its taker") {
    const Deferred<int> d = defer::fail(ValueError("x"));
    d.addErrback([] {});
    const Deferred<int> copy = d.fork();
    copy.addCallback([](int n) { return n; });
    CHECK(defer::failureResultOf<NoResultError>(copy).check<NoResultError>()->takenBy() ==
          std::string("an errback that returned nothing"));
}

TEST_CASE("fork: of a void Deferred") {
    const Deferred<void> d;
    const Deferred<void> copy = d.fork();
    d.callback();
    CHECK_NOTHROW(defer::successResultOf(copy));
    CHECK_NOTHROW(defer::successResultOf(d));
}

TEST_CASE("fork: cancelling the copy leaves the original alone, and the other way round it gets the error") {
    int calls = 0;
    const Deferred<int> d([&] { ++calls; });
    const Deferred<int> copy = d.fork();
    copy.cancel();
    CHECK(calls == 0);
    CHECK_FALSE(d.called());
    defer::failureResultOf<defer::CancelledError>(copy);
    const Deferred<int> second = d.fork();
    d.cancel();
    CHECK(calls == 1);
    defer::failureResultOf<defer::CancelledError>(second);
    defer::failureResultOf<defer::CancelledError>(d);
}

TEST_CASE("fork: dropping either leaves the other") {
    Deferred<int> d;
    Deferred<int> copy = d.fork();
    const Deferred<int> second = d.fork();
    copy = nullptr;
    d.callback(4);
    CHECK(defer::successResultOf(second) == 4);
    CHECK(defer::successResultOf(d) == 4);
}

TEST_CASE("fork: its callbacks run before those that follow in the original, and without recursion") {
    Words seen;
    const Deferred<int> d;
    const Deferred<int> copy = d.fork();
    copy.addCallback([&](int) { seen.push_back("copy"); });
    d.addCallback([&](int) { seen.push_back("original"); });
    d.callback(1);
    CHECK(seen == Words{"copy", "original"});
}

struct NoCopy {
    NoCopy() = default;
    NoCopy(NoCopy&&) = default;
    NoCopy(const NoCopy&) { throw ValueError("can't be copied just now"); }
};

TEST_CASE("fork: a copy that throws is the copy's failure") {
    const Deferred<NoCopy> d;
    const Deferred<NoCopy> copy = d.fork();
    d.callback(NoCopy());
    defer::failureResultOf<ValueError>(copy);
    CHECK_NOTHROW(defer::successResultOf(d));
}

} // namespace
