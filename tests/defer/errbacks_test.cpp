#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <type_traits>

#include "probes.hpp"

namespace defer = ropewalk::defer;

using defer::Deferred;
using probes::Words;
using ropewalk::Failure;
using ropewalk::NoResultError;
using ropewalk::Result;
using ropewalk::ValueError;

namespace {

/// The result of a failed Deferred<T> after this errback.
template <class T, class G>
Deferred<T> afterErrback(G errback) {
    const Deferred<T> d;
    static_assert(std::is_same_v<decltype(d.addErrback(errback)), Deferred<T>>);
    d.addErrback(std::move(errback));
    d.errback(ValueError("first"));
    return d;
}

TEST_CASE("an errback's value converts to the end's type") {
    CHECK(defer::successResultOf(afterErrback<int>([](const Failure&) { return 5; })) == 5);
    CHECK(defer::successResultOf(afterErrback<std::string>([](const Failure&) { return "text"; })) == "text");
    CHECK(defer::successResultOf(afterErrback<double>([](const Failure&) { return 2; })) == 2.0);
    CHECK(*defer::successResultOf(
              afterErrback<std::unique_ptr<int>>([] { return std::make_unique<int>(3); })) == 3);
    CHECK(defer::successResultOf(afterErrback<std::optional<int>>([] { return 4; })) == 4);
    CHECK(defer::successResultOf(afterErrback<std::shared_ptr<const int>>([] { return nullptr; })) ==
          nullptr);
}

TEST_CASE("on a void chain its value is nobody's") {
    CHECK_NOTHROW(defer::successResultOf(afterErrback<void>([](const Failure&) { return 5; })));
    CHECK_NOTHROW(defer::successResultOf(afterErrback<void>([] {})));
    CHECK_NOTHROW(
        defer::successResultOf(afterErrback<void>([] { return defer::succeed(std::string("text")); })));
    CHECK_NOTHROW(defer::successResultOf(afterErrback<void>([]() -> Result<std::string> { return "text"; })));
}

TEST_CASE("one that returns nothing leaves None") {
    const Deferred<int> d = afterErrback<int>([](const Failure&) {});
    std::string error;
    d.addErrback([&](const Failure&) { error = "still failing"; });
    d.addCallback([](int n) { return n; });
    d.addErrback([&](const Failure& f) { error = f.trap<NoResultError>().takenBy(); });
    CHECK(error == "an errback that returned nothing");
}

TEST_CASE("one that returns a Failure, or fail(), goes on failing with that") {
    CHECK(defer::failureResultOf(afterErrback<int>([](const Failure& f) { return f; })).check<ValueError>() !=
          nullptr);
    const auto second = afterErrback<int>([] { return Failure(ropewalk::KeyError("second")); });
    CHECK(defer::failureResultOf<ropewalk::KeyError>(second).getErrorMessage() == "second");
    const auto third = afterErrback<std::string>([] { return defer::fail(ropewalk::KeyError("third")); });
    CHECK(defer::failureResultOf<ropewalk::KeyError>(third).getErrorMessage() == "third");
}

TEST_CASE("one that returns a Deferred of another type: its value converts, fired before or after") {
    const Deferred<const char*> later;
    const Deferred<std::string> waits = afterErrback<std::string>([&] { return later; });
    defer::assertNoResult(waits);
    later.callback("later");
    CHECK(defer::successResultOf(waits) == "later");
    CHECK(defer::successResultOf(afterErrback<std::string>([] { return defer::succeed("now"); })) == "now");
    CHECK(defer::successResultOf(afterErrback<double>([] { return defer::succeed(2); })) == 2.0);
    defer::failureResultOf<ropewalk::KeyError>(
        afterErrback<std::string>([] { return defer::fail<const char*>(ropewalk::KeyError("no")); }));
}

TEST_CASE("one that returns a Deferred<void> leaves None, when that fires") {
    const Deferred<void> later;
    for (const Deferred<int>& d :
         {afterErrback<int>([] { return defer::succeed(); }), afterErrback<int>([&] { return later; })}) {
        if (d.paused() != 0) later.callback();
        bool ran = false;
        d.addCallback([&] { ran = true; });
        CHECK(ran);
    }
}

TEST_CASE("one that returns a Result: its value converts, its failure goes on") {
    const auto good = afterErrback<std::string>([](const Failure&) -> Result<const char*> { return "good"; });
    CHECK(defer::successResultOf(good) == "good");
    const auto bad = afterErrback<std::string>([](const Failure&) -> Result<const char*> {
        return std::unexpected(Failure(ropewalk::KeyError("bad")));
    });
    CHECK(defer::failureResultOf<ropewalk::KeyError>(bad).getErrorMessage() == "bad");
    bool ran = false;
    afterErrback<int>([](const Failure&) -> Result<void> { return {}; }).addCallback([&] { ran = true; });
    CHECK(ran);
}

struct Explosive {
    explicit Explosive(int n) {
        if (n > 1) throw ValueError("conversion");
    }
};

TEST_CASE("a conversion that throws makes the chain fail") {
    defer::failureResultOf<ValueError>(afterErrback<Explosive>([] { return 2; }));
    defer::failureResultOf<ValueError>(afterErrback<Explosive>([] { return defer::succeed(2); }));
    defer::failureResultOf<ValueError>(afterErrback<Explosive>([]() -> Result<int> { return 2; }));
    const Deferred<int> later;
    const Deferred<Explosive> d = afterErrback<Explosive>([&] { return later; });
    later.callback(2);
    const Failure f = defer::failureResultOf<ValueError>(d);
    CHECK(f.getErrorMessage() == "conversion");
    CHECK_NOTHROW(defer::successResultOf(afterErrback<Explosive>([] { return 1; })));
}

TEST_CASE("an errback may take a Failure, a const Failure&, auto, or nothing") {
    Words seen;
    const Deferred<int> d;
    d.addErrback([&](Failure f) {
        seen.push_back("value");
        return f;
    });
    d.addErrback([&](const Failure& f) {
        seen.push_back("reference");
        return f;
    });
    d.addErrback([&](auto f) {
        seen.push_back("auto");
        return f;
    });
    d.addErrback([&](Failure&& f) {
        seen.push_back("rvalue");
        return std::move(f);
    });
    d.addErrback([&] { seen.push_back("nothing"); });
    d.errback(ValueError("x"));
    CHECK(seen == Words{"value", "reference", "auto", "rvalue", "nothing"});
}

TEST_CASE("addCallbacks: the type is what f returns, and what g returns converts to it") {
    const auto pair = [](const Deferred<int>& d) {
        return d.addCallbacks([](int n) { return std::to_string(n); }, [](const Failure&) { return "none"; });
    };
    static_assert(std::is_same_v<decltype(pair(Deferred<int>())), Deferred<std::string>>);
    CHECK(defer::successResultOf(pair(defer::succeed(1))) == "1");
    CHECK(defer::successResultOf(pair(defer::fail(ValueError("x")))) == "none");
}

TEST_CASE("addCallbacks: g may return nothing, a Failure, a Deferred or a Result") {
    const auto after = [](auto g) {
        const Deferred<int> d = defer::fail(ValueError("x"));
        return d.addCallbacks([](int n) { return std::to_string(n); }, g);
    };
    bool ran = false;
    after([] {}).addCallback([&] { ran = true; });
    CHECK(ran);
    defer::failureResultOf<ValueError>(after([](const Failure& f) { return f; }));
    CHECK(defer::successResultOf(after([] { return defer::succeed("d"); })) == "d");
    CHECK(defer::successResultOf(after([]() -> Result<const char*> { return "r"; })) == "r");
    const Deferred<const char*> later;
    const Deferred<std::string> waits = after([&] { return later; });
    later.callback("later");
    CHECK(defer::successResultOf(waits) == "later");
}

TEST_CASE("addCallbacks: f may return nothing, a Failure, a Deferred or a Result") {
    const auto ignore = [](const Failure&) {};
    const auto nothing = defer::succeed(1).addCallbacks([](int) {}, [](const Failure&) { return 1; });
    static_assert(std::is_same_v<decltype(nothing), const Deferred<void>>);
    const auto failing = defer::succeed(1).addCallbacks([](int) { return Failure(ValueError("f")); }, ignore);
    static_assert(std::is_same_v<decltype(failing), const Deferred<int>>);
    defer::failureResultOf<ValueError>(failing);
    const Deferred<double> later;
    const auto waits =
        defer::succeed(1).addCallbacks([&](int) { return later; }, [](const Failure&) { return 1; });
    static_assert(std::is_same_v<decltype(waits), const Deferred<double>>);
    later.callback(1.5);
    CHECK(defer::successResultOf(waits) == 1.5);
    const auto result = defer::succeed(1).addCallbacks([](int) -> Result<char> { return 'c'; }, ignore);
    static_assert(std::is_same_v<decltype(result), const Deferred<char>>);
    CHECK(defer::successResultOf(result) == 'c');
}

TEST_CASE("a callback may return a Result: its value or its failure is the next result") {
    const auto half = [](int n) -> Result<int> {
        if (n % 2 != 0) return std::unexpected(Failure(ValueError("odd")));
        return n / 2;
    };
    const Deferred<int> even = defer::succeed(6).addCallback(half);
    CHECK(defer::successResultOf(even) == 3);
    const Deferred<int> odd = defer::succeed(7).addCallback(half);
    defer::failureResultOf<ValueError>(odd);
    const Deferred<void> nothing = defer::succeed(1).addCallback([](int) -> Result<void> { return {}; });
    CHECK_NOTHROW(defer::successResultOf(nothing));
}

TEST_CASE("addBoth: the type is what f returns") {
    const auto text = defer::succeed(1).addBoth([](const Result<int>& r) { return r ? "value" : "failure"; });
    static_assert(std::is_same_v<decltype(text), const Deferred<const char*>>);
    CHECK(defer::successResultOf(text) == std::string("value"));
    const auto same = Deferred<int>(defer::fail(ValueError("x"))).addBoth([](Result<int> r) { return r; });
    static_assert(std::is_same_v<decltype(same), const Deferred<int>>);
    defer::failureResultOf<ValueError>(same);
    const auto failing = defer::succeed(1).addBoth([] { return Failure(ValueError("x")); });
    static_assert(std::is_same_v<decltype(failing), const Deferred<int>>);
    defer::failureResultOf<ValueError>(failing);
    const auto waits = defer::succeed(1).addBoth([] { return defer::succeed('c'); });
    static_assert(std::is_same_v<decltype(waits), const Deferred<char>>);
    CHECK(defer::successResultOf(waits) == 'c');
}

} // namespace
