#include <ropewalk/defer/deferred_list.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/names.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace defer = ropewalk::defer;

using defer::Deferred;
using defer::DeferredList;
using defer::fireOnOneCallback;
using defer::FirstError;
using ropewalk::Failure;
using ropewalk::Result;
using ropewalk::ValueError;

namespace {

using Members = std::vector<Deferred<int>>;
using Results = std::vector<Result<int>>;

std::string textOf(const Result<int>& result) {
    return result ? std::to_string(*result) : result.error().getErrorMessage();
}

std::string textOf(const Results& results) {
    std::string text;
    for (const auto& result : results) text += textOf(result) + " ";
    return text;
}

template <class T>
std::string resultOf(const Deferred<T>& d) {
    return textOf(defer::successResultOf(d));
}

FirstError firstErrorOf(const auto& d) {
    return defer::failureResultOf<FirstError>(d).template trap<FirstError>();
}

/// What a callback that is added now would get.
std::string seenNow(const Deferred<int>& d) {
    std::string seen = "nothing";
    d.addBoth([&](Result<int> result) {
        seen = result ? textOf(result) : ropewalk::typeName(result.error().type());
        return result;
    });
    return seen;
}

TEST_CASE("58.1: a list fires when all its members have fired, and not before") {
    Members members(3);
    const DeferredList list(members);
    members[0].callback(1);
    members[1].callback(2);
    defer::assertNoResult(list);
    members[2].callback(3);
    CHECK(resultOf(list) == "1 2 3 ");
}

TEST_CASE("58.2: the results are in the members' order, whatever the order in which they fired") {
    Members members(3);
    const DeferredList list(members);
    members[2].callback(3);
    members[0].callback(1);
    members[1].callback(2);
    CHECK(resultOf(list) == "1 2 3 ");
}

TEST_CASE("58.3: a member that succeeded gives its value, one that failed its Failure") {
    Members members(2);
    const DeferredList list(members);
    const Failure failure(ValueError("no poem"));
    members[0].callback(1);
    members[1].errback(failure);
    const Results results = defer::successResultOf(list);
    CHECK(results[0].value() == 1);
    CHECK(results[1].error() == failure);
    CHECK(defer::failureResultOf(members[1]) == failure);
}

TEST_CASE("58.4: a list never fails by itself, even if all its members do") {
    Members members(2);
    const DeferredList list(members, {.consumeErrors = true});
    members[0].errback(ValueError("a"));
    members[1].errback(ValueError("b"));
    CHECK(resultOf(list) == "a b ");
}

TEST_CASE("59.1: a list of nothing fires at once with nothing") {
    const DeferredList list(Members{});
    CHECK(defer::successResultOf(list).empty());
}

TEST_CASE("59.2: so it does with fireOnOneErrback") {
    const DeferredList list(Members{}, {.fireOnOneErrback = true});
    CHECK(defer::successResultOf(list).empty());
}

TEST_CASE("59.3: so it does with fireOnOneCallback (Twisted's never fires)") {
    const DeferredList list(Members{}, fireOnOneCallback);
    const defer::FirstOrAll<int> result = defer::successResultOf(list);
    REQUIRE(result.index() == 1);
    CHECK(std::get<1>(result).empty());
}

TEST_CASE("60.1: with fireOnOneCallback the first success fires the list, with its value and index") {
    Members members(3);
    const DeferredList list(members, fireOnOneCallback);
    members[0].errback(ValueError("a"));
    defer::assertNoResult(list);
    members[2].callback(30);
    const defer::FirstOrAll<int> result = defer::successResultOf(list);
    REQUIRE(result.index() == 0);
    CHECK(std::get<0>(result).first == 30);
    CHECK(std::get<0>(result).second == 2);
    defer::failureResultOf<ValueError>(members[0]);
}

TEST_CASE("60.2: with fireOnOneCallback the list ignores what comes later") {
    Members members(3);
    const DeferredList list(members, fireOnOneCallback, {.fireOnOneErrback = true, .consumeErrors = true});
    int fired = 0;
    list.addBoth([&](Result<defer::FirstOrAll<int>> result) {
        ++fired;
        return result;
    });
    members[1].callback(20);
    members[0].callback(10);
    members[2].errback(ValueError("c"));
    CHECK(fired == 1);
    CHECK(std::get<0>(defer::successResultOf(list)).second == 1);
}

TEST_CASE("60.3: the members' own callbacks get their results all the same") {
    Members members(3);
    const DeferredList list(members, fireOnOneCallback);
    members[1].callback(20);
    members[0].callback(10);
    members[2].errback(ValueError("c"));
    CHECK(defer::successResultOf(members[0]) == 10);
    CHECK(defer::successResultOf(members[1]) == 20);
    defer::failureResultOf<ValueError>(members[2]);
}

TEST_CASE("61.1: with fireOnOneErrback the first failure fails the list with a FirstError, at once") {
    Members members(3);
    const DeferredList list(members, {.fireOnOneErrback = true, .consumeErrors = true});
    members[0].callback(1);
    defer::assertNoResult(list);
    members[2].errback(ValueError("c"));
    firstErrorOf(list);
    members[1].errback(ValueError("b"));
}

TEST_CASE("61.2: its subFailure is the member's, with the original exception object") {
    Members members(1);
    const DeferredList list(members, {.fireOnOneErrback = true, .consumeErrors = true});
    const Failure failure(ValueError("no poem"));
    members[0].errback(failure);
    const FirstError error = firstErrorOf(list);
    CHECK(error.subFailure == failure);
    CHECK(error.subFailure.check<ValueError>() == failure.check<ValueError>());
}

TEST_CASE("61.3: its index is the member's") {
    Members members(3);
    const DeferredList list(members, {.fireOnOneErrback = true, .consumeErrors = true});
    members[2].errback(ValueError("c"));
    CHECK(firstErrorOf(list).index == 2);
}

TEST_CASE("DeferredList: with fireOnOneErrback and no failure the list gives its results") {
    Members members(2);
    const DeferredList list(members, {.fireOnOneErrback = true});
    members[1].callback(2);
    members[0].callback(1);
    CHECK(resultOf(list) == "1 2 ");
}

TEST_CASE("62.1: without consumeErrors a member's failure goes on to the member's later errbacks") {
    Members members(1);
    const DeferredList list(members);
    const Failure failure(ValueError("no poem"));
    members[0].errback(failure);
    CHECK(defer::failureResultOf(members[0]) == failure);
    CHECK(resultOf(list) == "no poem ");
}

TEST_CASE("62.2: with consumeErrors the member is left with None, and nothing is reported") {
    Members members(2);
    const DeferredList list(members, {.consumeErrors = true});
    bool errback = false;
    int called = 0;
    members[0].addErrback([&] { errback = true; });
    members[0].addCallback([&] { ++called; });
    members[0].errback(ValueError("no poem"));
    CHECK_FALSE(errback);
    CHECK(called == 1);
    members[1].errback(ValueError("no poem"));
    CHECK(seenNow(members[1]) == "ropewalk::NoResultError");
    defer::failureResultOf<ropewalk::NoResultError>(
        members[1].addBoth([](Result<int> result) { return result; }));
    CHECK(resultOf(list) == "no poem no poem ");
}

TEST_CASE("62.3: successes pass through to the member's later callbacks, with consumeErrors or without") {
    for (const bool consumeErrors : {false, true}) {
        CAPTURE(consumeErrors);
        Members members(1);
        const DeferredList list(members, {.consumeErrors = consumeErrors});
        int seen = 0;
        members[0].addCallback([&](int n) { seen = n; });
        members[0].callback(7);
        CHECK(seen == 7);
        CHECK(resultOf(list) == "7 ");
    }
}

TEST_CASE("62.4: consumeErrors leaves fireOnOneErrback as it is") {
    Members members(2);
    const DeferredList list(members, {.fireOnOneErrback = true, .consumeErrors = true});
    members[1].errback(ValueError("no poem"));
    CHECK(firstErrorOf(list).index == 1);
    CHECK_NOTHROW(defer::successResultOf(members[1].addCallback([] {})));
}

TEST_CASE("63.1: members that have fired already count at once") {
    Members members{defer::succeed(1), defer::succeed(2)};
    CHECK(resultOf(DeferredList(members)) == "1 2 ");
    Deferred<int> late;
    const DeferredList list(Members{defer::succeed(1), late, defer::fail(ValueError("c"))},
                            {.consumeErrors = true});
    defer::assertNoResult(list);
    late.callback(2);
    CHECK(resultOf(list) == "1 2 c ");
    const DeferredList first(members, fireOnOneCallback);
    CHECK(std::get<0>(defer::successResultOf(first)) == std::pair(1, std::size_t{0}));
    const Members failed{late, defer::fail(ValueError("b"))};
    CHECK(firstErrorOf(DeferredList(failed, {.fireOnOneErrback = true, .consumeErrors = true})).index == 1);
}

TEST_CASE("64.1: callbacks that a member had before shape what the list sees") {
    Deferred<int> d;
    const Deferred<int> doubled = d.addCallback([](int n) { return 2 * n; });
    const DeferredList list(Members{doubled});
    d.callback(4);
    CHECK(resultOf(list) == "8 ");
    Deferred<int> rescued;
    rescued.addErrback([] { return 5; });
    const DeferredList second(Members{rescued});
    rescued.errback(ValueError("no poem"));
    CHECK(resultOf(second) == "5 ");
}

TEST_CASE("64.2: callbacks that are added later don't") {
    Deferred<int> d;
    const DeferredList list(Members{d});
    const Deferred<int> doubled = d.addCallback([](int n) { return 2 * n; });
    d.callback(4);
    CHECK(resultOf(list) == "4 ");
    CHECK(defer::successResultOf(doubled) == 8);
}

TEST_CASE("DeferredList: a member whose earlier callback waits keeps the list waiting") {
    Deferred<int> d;
    Deferred<int> inner;
    const Deferred<int> waits = d.addCallback([&](int) { return inner; });
    const DeferredList list(Members{waits});
    d.callback(1);
    defer::assertNoResult(list);
    inner.callback(9);
    CHECK(resultOf(list) == "9 ");
}

TEST_CASE("65.1: the list is of the members that it was given, whatever becomes of the vector") {
    Members members(2);
    const Members kept = members;
    const DeferredList list(members);
    members.pop_back();
    members[0] = defer::succeed(100);
    kept[0].callback(1);
    defer::assertNoResult(list);
    kept[1].callback(2);
    CHECK(resultOf(list) == "1 2 ");
}

TEST_CASE("68.1: with fireOnOneCallback and no success the list gives all failures, in the members' order") {
    Members members(2);
    const DeferredList list(members, fireOnOneCallback, {.consumeErrors = true});
    members[1].errback(ValueError("b"));
    defer::assertNoResult(list);
    members[0].errback(ValueError("a"));
    const defer::FirstOrAll<int> result = defer::successResultOf(list);
    REQUIRE(result.index() == 1);
    CHECK(textOf(std::get<1>(result)) == "a b ");
}

TEST_CASE("69.1: a FirstError prints its index and its failure") {
    const Failure failure(ValueError("no poem"));
    const FirstError error(failure, 3);
    CHECK(std::string(error.what()) == "FirstError[#3, " + failure.str() + "]");
    CHECK(Failure(error).repr().find(
              "FirstError[#3, [Failure instance: Traceback: <class 'ropewalk::ValueError'>: no poem") !=
          std::string::npos);
}

TEST_CASE("69.2: FirstErrors are equal when index and failure are") {
    const Failure failure(ValueError("no poem"));
    const FirstError error(failure, 3);
    CHECK(error == FirstError(failure, 3));
    CHECK_FALSE(error == FirstError(failure, 4));
    CHECK_FALSE(error == FirstError(ValueError("no poem"), 3));
}

TEST_CASE(
    "DeferredList: its own callbacks run after the member's own that were there before, within the same fire") {
    std::string order;
    Deferred<int> d;
    d.addCallback([&](int n) {
        order += "before ";
        return n;
    });
    const DeferredList list(Members{d});
    list.addCallback([&] { order += "list "; });
    d.addCallback([&](int) { order += "after "; });
    d.callback(1);
    order += "fired";
    CHECK(order == "before list after fired");
}

TEST_CASE("DeferredList: one Deferred may be a member twice") {
    Deferred<int> d;
    const DeferredList list(Members{d, d});
    d.callback(1);
    CHECK(resultOf(list) == "1 1 ");
    Deferred<int> failing;
    const DeferredList failures(Members{failing, failing});
    failing.errback(ValueError("a"));
    CHECK(resultOf(failures) == "a a ");
    defer::failureResultOf<ValueError>(failing);
}

TEST_CASE("DeferredList: nobody but its members fires it") {
    Members members(1);
    const DeferredList list(members);
    CHECK_THROWS_AS(list.callback(Results{}), ropewalk::RuntimeError);
    CHECK_THROWS_AS(list.errback(ValueError("no poem")), ropewalk::RuntimeError);
    members[0].callback(1);
    CHECK(resultOf(list) == "1 ");
}

} // namespace
