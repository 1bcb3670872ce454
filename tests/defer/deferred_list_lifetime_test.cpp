#include <ropewalk/defer/deferred_list.hpp>

#include <ropewalk/defer/coroutine_base.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/living.hpp>
#include <ropewalk/defer/race.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace defer = ropewalk::defer;

using defer::Deferred;
using defer::DeferredList;
using defer::DeferredListOptions;
using defer::fireOnOneCallback;
using defer::ListResults;
using defer::successResultOf;
using ropewalk::Result;
using ropewalk::ValueError;

namespace {

using Members = std::vector<Deferred<int>>;

constexpr std::size_t many = 100'000;

/// Makes the list of two members in one of several ways, and hides its type.
Deferred<void> makeList(int kind, const Members& members) {
    switch (kind) {
        case 0:
            return DeferredList(members).addCallback([] {});
        case 1:
            return DeferredList(members, fireOnOneCallback).addCallback([] {});
        case 2:
            return DeferredList(members[0], members[1].addCallback([](int) {})).addCallback([] {});
        case 3:
            return defer::gatherResults(members).addCallback([] {});
        default:
            return defer::race(members).addCallback([] {});
    }
}
constexpr int kinds = 5;

TEST_CASE("dropping: lists and members may go unfired, in every order") {
    for (int kind = 0; kind < kinds; ++kind) {
        std::vector<std::size_t> order{0, 1, 2};
        do {
            CAPTURE(kind);
            const auto token = std::make_shared<int>();
            std::vector<Deferred<void>> handles;
            {
                Members members;
                for (int i = 0; i < 2; ++i) {
                    members.push_back(Deferred<int>([token] {}));
                    members.back().addErrback([token] {});
                }
                Deferred<void> list = makeList(kind, members);
                list.addBoth([token] {});
                for (const auto& member : members) handles.push_back(member.addCallback([token] {}));
                handles.push_back(list);
            }
            CHECK(token.use_count() == 8);
            for (const std::size_t index : order) handles[index] = nullptr;
            CHECK(token.use_count() == 1);
        } while (std::next_permutation(order.begin(), order.end()));
    }
}

TEST_CASE("dropping: members may go while others fire, in every order, with the list or without it") {
    for (int kind = 0; kind < kinds; ++kind) {
        for (int way = 0; way < 32; ++way) {
            CAPTURE(kind);
            CAPTURE(way);
            const auto token = std::make_shared<int>();
            Members members(2);
            Deferred<void> list = makeList(kind, members);
            list.addBoth([token] {});
            if ((way & 1) != 0) list = nullptr;
            const std::size_t first = (way >> 1) & 1;
            for (const std::size_t index : {first, 1 - first}) {
                const Deferred<int> member = std::exchange(members[index], nullptr);
                member.addErrback([] {});
                const int what = index == first ? (way >> 2) & 1 : 1 + ((way >> 3) & 3);
                if (what == 1) member.callback(1);
                if (what == 2) member.errback(ValueError("no poem"));
                if (what == 3) member.cancel();
            }
            list = nullptr;
            CHECK(token.use_count() == 1);
        }
    }
}

TEST_CASE("dropping: a list that nobody holds still does its work") {
    Members members(2);
    int sum = 0;
    DeferredList(members).addCallback([&](const ListResults<int>& results) {
        for (const auto& result : results) sum += *result;
    });
    members[0].callback(1);
    members[1].callback(2);
    CHECK(sum == 3);
}

TEST_CASE("dropping: a list that failed early reports its error at once, while members are still to come") {
    for (const bool gather : {false, true}) {
        Members members(2);
        if (gather) {
            defer::gatherResults(members, {.consumeErrors = true});
        } else {
            DeferredList(members, {.fireOnOneErrback = true, .consumeErrors = true});
        }
        members[0].errback(ValueError("no poem"));
        CHECK(defer::flushLoggedErrors<defer::FirstError>().size() == 1);
        members[1].callback(1);
        CHECK(defer::flushLoggedErrors().empty());
    }
}

TEST_CASE(
    "dropping: a member's unhandled failure is the member's to report, when the last handle on it goes") {
    Members members(1);
    const DeferredList list(members);
    members[0].errback(ValueError("no poem"));
    CHECK(defer::flushLoggedErrors().empty());
    members.clear();
    CHECK(defer::flushLoggedErrors<ValueError>().size() == 1);
    CHECK(successResultOf(list).size() == 1);
}

TEST_CASE("dropping: the callback of a list may drop members and list") {
    Members members(2);
    Deferred<ListResults<int>> list = DeferredList(members);
    list.addCallback([&] {
        members.clear();
        list = nullptr;
    });
    Members firing = members;
    firing[0].callback(1);
    std::exchange(firing[1], nullptr).callback(2);
    CHECK(members.empty());
    CHECK(list == nullptr);
}

Deferred<int> sumOf(Deferred<int> first, Deferred<int> second) {
    co_return co_await first + co_await second;
}

Deferred<int> meeting(Deferred<int> wendy, Deferred<int> james) {
    int sum = 0;
    for (const Result<int>& result : co_await DeferredList(wendy, james)) sum += *result;
    co_return sum;
}

Deferred<std::string> mixed(Deferred<int> wendy, Deferred<std::string> james) {
    auto [number, text] = co_await DeferredList(wendy, james);
    const auto [again, other] = co_await defer::gatherResults(defer::succeed(*number), defer::succeed(*text));
    co_return other + std::to_string(again);
}

TEST_CASE("coroutines: a list may be awaited") {
    const Deferred<int> wendy;
    const Deferred<int> james;
    const Deferred<int> sum = meeting(wendy, james);
    james.callback(2);
    wendy.callback(1);
    CHECK(successResultOf(sum) == 3);
    const Deferred<int> quick = meeting(defer::succeed(3), defer::succeed(4));
    CHECK(successResultOf(quick) == 7);
    CHECK(successResultOf(mixed(defer::succeed(5), defer::succeed(std::string("text")))) == "text5");
}

TEST_CASE("coroutines: a coroutine's Deferred may be a member") {
    const Deferred<int> one;
    const Deferred<int> two;
    const Deferred<int> met = meeting(one.fork(), two.fork());
    const Deferred<int> sum = sumOf(one, two);
    const DeferredList list(met, sum);
    one.callback(1);
    CHECK_FALSE(list.called());
    two.callback(2);
    const auto results = successResultOf(list);
    CHECK(results[0].value() == 3);
    CHECK(results[1].value() == 3);
}

Deferred<int> meetingByNow(Deferred<int> wendy, Deferred<int> james) {
    const auto results = co_await DeferredList(std::move(wendy), std::move(james));
    co_return *results[0] + *results[1];
}

TEST_CASE(
    "coroutines: one whose list can't fire any more is abandoned when the last member goes, with a word") {
    Deferred<int> wendy;
    Deferred<int> james;
    const Deferred<int> sum = meetingByNow(wendy, james);
    wendy = nullptr;
    CHECK(defer::livingCoroutines().size() == 1);
    james = nullptr;
    CHECK(defer::livingCoroutines().empty());
    const auto lost = defer::loggedErrors().take();
    REQUIRE(lost.size() == 1);
    CHECK(lost[0].text.find("abandoned: ") == 0);
    CHECK(lost[0].text.find("deferred_list_lifetime_test.cpp") != std::string::npos);
    CHECK(lost[0].text.find("deferred_list.hpp") == std::string::npos);
    CHECK_FALSE(sum.called());
}

TEST_CASE("coroutines: one that itself holds the last handles on the members is in the task dump") {
    const auto sum = meeting(Deferred<int>(), Deferred<int>());
    REQUIRE(defer::livingCoroutines().size() == 1);
    CHECK(defer::taskDump().find("meeting, waiting at ") != std::string::npos);
    defer::detail::destroyLivingCoroutines();
    CHECK(defer::livingCoroutines().empty());
    CHECK(defer::flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
}

TEST_CASE("coroutines: one that is a member, and abandoned, leaves the list unfired") {
    Deferred<int> one;
    const Deferred<int> other;
    const DeferredList list(sumOf(one, other), other);
    one = nullptr;
    CHECK(defer::flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
    other.callback(2);
    CHECK_FALSE(list.called());
}

TEST_CASE("coroutines: cancelling one that awaits a list cancels the members") {
    const Deferred<int> wendy;
    const Deferred<int> james;
    const Deferred<int> sum = meeting(wendy, james);
    sum.cancel("no more");
    CHECK(defer::failureResultOf<defer::CancelledError>(wendy).check<defer::CancelledError>()->reason() ==
          "no more");
    defer::failureResultOf<defer::CancelledError>(james);
    CHECK(sum.called());
    sum.addErrback([] {});
}

TEST_CASE("many: a list of 100,000 members fires, in whatever order they do") {
    for (const bool forwards : {true, false}) {
        Members members(many);
        const DeferredList list(members);
        for (std::size_t i = 0; i < many; ++i) {
            const std::size_t index = forwards ? i : many - 1 - i;
            CHECK_FALSE(list.called());
            members[index].callback(static_cast<int>(index));
        }
        const auto results = successResultOf(list);
        REQUIRE(results.size() == many);
        CHECK(results[many - 1].value() == many - 1);
    }
}

TEST_CASE("many: 100,000 members are cancelled, raced, gathered and dropped") {
    {
        const Members members(many);
        const DeferredList list(members, {.consumeErrors = true});
        list.cancel();
        CHECK(successResultOf(list).size() == many);
    }
    {
        const Members members(many);
        const auto raced = defer::race(members);
        members[many / 2].callback(7);
        CHECK(successResultOf(raced) == std::pair(many / 2, 7));
        CHECK(members[0].called());
    }
    {
        const Members members(many);
        const auto values = defer::gatherResults(members, {.consumeErrors = true, .cancelOthers = true});
        members[many / 2].errback(ValueError("no poem"));
        defer::failureResultOf<defer::FirstError>(values);
        CHECK(members[0].called());
    }
    {
        Members members(many);
        const auto token = std::make_shared<int>();
        DeferredList(members).addBoth([token] {});
        members.clear();
        CHECK(token.use_count() == 1);
    }
}

TEST_CASE("many: lists of lists, 100,000 deep, are fired, cancelled and dropped in bounded stack") {
    enum class End { fire, fail, cancel, drop };
    for (const End end : {End::fire, End::fail, End::cancel, End::drop}) {
        Deferred<int> innermost;
        Deferred<void> nested = innermost.addCallback([](int) {});
        for (std::size_t depth = 0; depth < many; ++depth) {
            nested = DeferredList(std::vector{nested}, {.consumeErrors = true}).addCallback([] {});
        }
        if (end == End::fire) innermost.callback(1);
        if (end == End::fail) innermost.errback(ValueError("no poem"));
        if (end == End::cancel) innermost.cancel();
        CHECK(nested.called() == (end != End::drop));
        innermost = nullptr;
    }
}

TEST_CASE("many: cancelling a list of lists, 1,000 deep, reaches the bottom") {
    const Deferred<int> innermost;
    Deferred<void> nested = innermost.addCallback([](int) {});
    for (int depth = 0; depth < 1000; ++depth) {
        nested = DeferredList(std::vector{nested}, {.consumeErrors = true}).addCallback([] {});
    }
    nested.cancel();
    CHECK(innermost.called());
    CHECK(nested.called());
}

} // namespace
