#include <ropewalk/defer/race.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace defer = ropewalk::defer;

using defer::CancelledError;
using defer::Deferred;
using defer::FailureGroup;
using defer::race;
using defer::successResultOf;
using ropewalk::Failure;
using ropewalk::None;
using ropewalk::ValueError;

namespace {

using Members = std::vector<Deferred<int>>;
using Winner = std::pair<std::size_t, int>;

TEST_CASE("71.1: the first success is the result, with its index") {
    const Members members(3);
    const auto winner = race(members);
    static_assert(std::is_same_v<decltype(winner), const Deferred<Winner>>);
    members[0].errback(ValueError("a"));
    defer::assertNoResult(winner);
    members[1].callback(5);
    CHECK(successResultOf(winner) == Winner(1, 5));
    const Members fired{Deferred<int>(), defer::succeed(7), defer::succeed(8)};
    CHECK(successResultOf(race(fired)) == Winner(1, 7));
}

TEST_CASE("71.2: every other member is cancelled exactly once") {
    std::vector<int> cancelled(4);
    Members members;
    for (int& count : cancelled) members.push_back(Deferred<int>([&] { ++count; }));
    const auto winner = race(members);
    members[3].errback(ValueError("no poem"));
    members[1].callback(5);
    CHECK(cancelled == std::vector{1, 0, 1, 0});
    CHECK(successResultOf(winner) == Winner(1, 5));
}

TEST_CASE(
    "71.2: so it is when one has won before the race begins, whether before it or after it in the list") {
    std::vector<int> cancelled(2);
    const Members members{Deferred<int>([&] { ++cancelled[0]; }), defer::succeed(7),
                          Deferred<int>([&] { ++cancelled[1]; })};
    CHECK(successResultOf(race(members)) == Winner(1, 7));
    CHECK(cancelled == std::vector{1, 1});
}

TEST_CASE("71.3: the winner is not cancelled, nor what its later callbacks wait for") {
    int cancelled = 0;
    const Deferred<int> first([&] { ++cancelled; });
    const Deferred<int> inner([&] { ++cancelled; });
    const auto winner = race(Members{first, Deferred<int>()});
    const Deferred<int> waits = first.addCallback([&] { return inner; });
    first.callback(1);
    CHECK(successResultOf(winner) == Winner(0, 1));
    CHECK(cancelled == 0);
    inner.callback(2);
    CHECK(successResultOf(waits) == 2);
}

TEST_CASE("71.4: late results are ignored silently") {
    const Members members{Deferred<int>(), Deferred<int>([](const Deferred<int>& d) { d.callback(20); }),
                          Deferred<int>([](const Deferred<int>& d) { d.errback(ValueError("too late")); }),
                          Deferred<int>()};
    int fired = 0;
    const auto winner = race(members);
    winner.addCallback([&](Winner result) {
        ++fired;
        return result;
    });
    members[0].callback(10);
    CHECK_NOTHROW(members[3].callback(40));
    CHECK(fired == 1);
    CHECK(successResultOf(winner) == Winner(0, 10));
}

TEST_CASE("race: the members are left with None, whatever their results were") {
    const Members members(2);
    const auto winner = race(members);
    members[0].callback(1);
    for (const auto& member : members) {
        CHECK_NOTHROW(successResultOf(member.addCallback([] {})));
    }
    CHECK(successResultOf(winner).second == 1);
}

TEST_CASE("72.1: when all fail the result is a FailureGroup, with the failures in the members' order") {
    const Members members(2);
    const auto winner = race(members);
    const Failure first(ValueError("a"));
    const Failure second(ValueError("b"));
    members[1].errback(second);
    defer::assertNoResult(winner);
    members[0].errback(first);
    const Failure failure = defer::failureResultOf<FailureGroup>(winner);
    const auto& failures = failure.check<FailureGroup>()->failures;
    REQUIRE(failures.size() == 2);
    CHECK(failures[0] == first);
    CHECK(failures[1] == second);
    CHECK(failure.getErrorMessage() == "2 failures");
}

TEST_CASE("72.2: cancelling the result cancels every member that has none yet, once") {
    std::vector<int> cancelled(3);
    Members members;
    for (int& count : cancelled) members.push_back(Deferred<int>([&] { ++count; }));
    const auto winner = race(members);
    members[1].errback(ValueError("no poem"));
    winner.cancel();
    winner.cancel();
    CHECK(cancelled == std::vector{1, 0, 1});
    winner.addErrback([] {});
}

TEST_CASE("72.3: when they fail of that, the result is a FailureGroup") {
    const Members members(2);
    const auto winner = race(members);
    winner.cancel("no more");
    const Failure failure = defer::failureResultOf<FailureGroup>(winner);
    for (const Failure& each : failure.check<FailureGroup>()->failures) {
        REQUIRE(each.check<CancelledError>() != nullptr);
        CHECK(each.check<CancelledError>()->reason() == "no more");
    }
}

TEST_CASE("72.4: a race of nothing fails at once with an empty FailureGroup (Twisted's never fires)") {
    const auto winner = race(Members{});
    CHECK(defer::failureResultOf<FailureGroup>(winner).check<FailureGroup>()->failures.empty());
    std::vector<Deferred<void>> none;
    defer::failureResultOf<FailureGroup>(race(none));
}

TEST_CASE("race: cancelled, it takes the value that a canceller gives") {
    const Members members{Deferred<int>([](const Deferred<int>& d) { d.callback(3); }), Deferred<int>()};
    const auto winner = race(members);
    winner.cancel();
    CHECK(successResultOf(winner) == Winner(0, 3));
}

TEST_CASE(
    "race: cancelled, it fails with the CancelledError though a member refuses, whose result is ignored") {
    Deferred<int> other;
    const auto stubborn = [](Deferred<int> first, Deferred<int> second) -> Deferred<int> {
        const auto result = co_await first.result();
        co_return result ? *result : co_await second;
    };
    Deferred<int> first;
    const auto winner = race(Members{stubborn(first, other), Deferred<int>()});
    winner.cancel("no more");
    CHECK(defer::failureResultOf<CancelledError>(winner).check<CancelledError>()->reason() == "no more");
    CHECK_NOTHROW(other.callback(1));
    CHECK(winner.called());
}

TEST_CASE("race: a canceller that throws is logged, and the others are cancelled all the same") {
    const auto unwilling = [] { throw ValueError("can't stop"); };
    for (const bool won : {true, false}) {
        CAPTURE(won);
        const Members members{Deferred<int>(), Deferred<int>(unwilling), Deferred<int>()};
        const auto winner = race(members);
        if (won) {
            members[0].callback(1);
            CHECK(successResultOf(winner) == Winner(0, 1));
        } else {
            winner.cancel();
            defer::failureResultOf<CancelledError>(winner);
        }
        CHECK(members[2].called());
        CHECK_FALSE(members[1].called());
        CHECK(defer::flushLoggedErrors<ValueError>().size() == 1);
    }
}

TEST_CASE("race: a loser's canceller finds it won, and may fire, cancel and drop what it likes") {
    Deferred<Winner> winner = nullptr;
    bool called = false;
    Deferred<int> loser([&](const Deferred<int>& d) {
        called = winner.called();
        d.errback(ValueError("too late"));
        winner.cancel();
        loser = nullptr;
    });
    const Deferred<int> first;
    winner = race(first, loser);
    first.callback(1);
    CHECK(called);
    CHECK(successResultOf(winner) == Winner(0, 1));
    Deferred<Winner> dropped = nullptr;
    const Deferred<int> second;
    const Deferred<int> dropping([&] { dropped = nullptr; });
    dropped = race(second, dropping);
    second.callback(1);
    CHECK_FALSE(dropped);
}

TEST_CASE("race: its callbacks run after the losers were cancelled") {
    std::string order;
    const Deferred<int> first;
    const Deferred<int> loser([&] { order += "cancelled "; });
    race(first, loser).addCallback([&](Winner) { order += "won"; });
    first.callback(1);
    CHECK(order == "cancelled won");
}

TEST_CASE("race: loose members, void members and move-only ones") {
    const Deferred<int> one;
    const Deferred<int> two;
    const auto loose = race(one, two);
    two.callback(2);
    CHECK(successResultOf(loose) == Winner(1, 2));
    const Deferred<void> nothing;
    const auto none = race(nothing, Deferred<void>());
    static_assert(std::is_same_v<decltype(none), const Deferred<std::pair<std::size_t, None>>>);
    nothing.callback();
    CHECK(successResultOf(none).first == 0);
    const Deferred<std::unique_ptr<int>> pointer;
    const auto moved = race(pointer);
    pointer.callback(std::make_unique<int>(4));
    CHECK(*successResultOf(moved).second == 4);
}

TEST_CASE("race: one that nobody holds reports its FailureGroup at once") {
    const Members members(2);
    race(members);
    members[0].errback(ValueError("a"));
    members[1].errback(ValueError("b"));
    CHECK(defer::flushLoggedErrors<FailureGroup>().size() == 1);
}

TEST_CASE("race: an empty or stale handle is refused, and no other member is touched") {
    const Deferred<int> stale;
    stale.addCallback([](int n) { return std::to_string(n); });
    const Deferred<int> other;
    CHECK_THROWS_AS(race(Members{other, nullptr}), ropewalk::EmptyDeferredError);
    CHECK_THROWS_AS(race(other, stale), ropewalk::WrongTypeError);
    other.callback(3);
    CHECK(successResultOf(other) == 3);
}

TEST_CASE("race: a FailureGroup of nothing says so") {
    CHECK(std::string(FailureGroup({}).what()) == "no members");
    CHECK(std::string(FailureGroup({Failure(ValueError("a"))}).what()) == "1 failures");
}

} // namespace
