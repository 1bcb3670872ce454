#include <ropewalk/defer/deferred_list.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace defer = ropewalk::defer;

using defer::CancelledError;
using defer::Deferred;
using defer::FirstError;
using defer::GatherOptions;
using defer::gatherResults;
using defer::successResultOf;
using ropewalk::Failure;
using ropewalk::None;
using ropewalk::ValueError;

namespace {

using Members = std::vector<Deferred<int>>;
using Ints = std::vector<int>;

template <class D, class T>
constexpr bool isDeferredOf = std::is_same_v<std::remove_cvref_t<D>, Deferred<T>>;

TEST_CASE("70.1: gatherResults gives the values alone, in the members' order") {
    const Members members(3);
    const auto values = gatherResults(members);
    static_assert(isDeferredOf<decltype(values), Ints>);
    members[2].callback(3);
    members[0].callback(1);
    CHECK_FALSE(values.called());
    members[1].callback(2);
    CHECK(successResultOf(values) == Ints{1, 2, 3});
    CHECK(successResultOf(members[0]) == 1);
    CHECK(successResultOf(gatherResults(Members{})).empty());
}

TEST_CASE("70.2: the first failure fails gatherResults at once, with a FirstError of the original error") {
    const Members members(3);
    const auto values = gatherResults(members);
    const Failure failure(ValueError("no poem"));
    members[1].errback(failure);
    const Failure first = defer::failureResultOf<FirstError>(values);
    CHECK(first.check<FirstError>()->subFailure == failure);
    CHECK(first.check<FirstError>()->index == 1);
    CHECK(defer::failureResultOf(members[1]) == failure);
}

TEST_CASE("70.3: the others are not cancelled then") {
    int cancelled = 0;
    const Members members{Deferred<int>([&] { ++cancelled; }), Deferred<int>(),
                          Deferred<int>([&] { ++cancelled; })};
    const auto values = gatherResults(members, {.consumeErrors = true});
    members[1].errback(ValueError("no poem"));
    defer::failureResultOf<FirstError>(values);
    CHECK(cancelled == 0);
    members[0].callback(1);
    CHECK(successResultOf(members[0]) == 1);
}

TEST_CASE("70.4: cancelling gatherResults cancels every member") {
    std::vector<int> cancelled(2);
    const Members members{Deferred<int>([&] { ++cancelled[0]; }), Deferred<int>([&] { ++cancelled[1]; })};
    const auto values = gatherResults(members, {.consumeErrors = true});
    values.cancel("no more");
    CHECK(cancelled == std::vector{1, 1});
    const Failure failure = defer::failureResultOf<FirstError>(values);
    CHECK(failure.check<FirstError>()->index == 0);
    CHECK(failure.check<FirstError>()->subFailure.check<CancelledError>()->reason() == "no more");
}

TEST_CASE("gatherResults: with consumeErrors a member's failure becomes None there, else it stays") {
    for (const bool consume : {false, true}) {
        CAPTURE(consume);
        const Members members(2);
        const auto values = gatherResults(members, {.consumeErrors = consume});
        bool errback = false;
        members[0].addErrback([&] { errback = true; });
        members[0].errback(ValueError("no poem"));
        CHECK(errback == !consume);
        defer::failureResultOf<FirstError>(values);
    }
}

TEST_CASE("gatherResults: with cancelOthers the first failure cancels the members that are left, each once") {
    std::vector<int> cancelled(4);
    Members members;
    for (int& count : cancelled) members.push_back(Deferred<int>([&] { ++count; }));
    const auto values = gatherResults(members, {.consumeErrors = true, .cancelOthers = true});
    members[0].callback(1);
    members[2].errback(ValueError("no poem"));
    CHECK(cancelled == std::vector{0, 1, 0, 1});
    CHECK(defer::failureResultOf<FirstError>(values).check<FirstError>()->index == 2);
    CHECK(successResultOf(members[0]) == 1);
}

TEST_CASE(
    "gatherResults: with cancelOthers it has failed before the others are cancelled, and its callbacks run after") {
    std::string order;
    Deferred<Ints> values = nullptr;
    const Members members{Deferred<int>(), Deferred<int>([&] {
                              order += values.called() ? "failed cancelling " : "cancelling ";
                              values.cancel();
                          })};
    values = gatherResults(members, {.consumeErrors = true, .cancelOthers = true});
    values.addErrback([&](const Failure& failure) {
        failure.trap<FirstError>();
        order += "errback";
    });
    members[0].errback(ValueError("no poem"));
    CHECK(order == "failed cancelling errback");
}

TEST_CASE("gatherResults: with cancelOthers a canceller that throws is logged, and the rest are cancelled") {
    const Members members{Deferred<int>(), Deferred<int>([] { throw ValueError("can't stop"); }),
                          Deferred<int>()};
    const auto values = gatherResults(members, {.consumeErrors = true, .cancelOthers = true});
    members[0].errback(ValueError("no poem"));
    CHECK(members[2].called());
    CHECK_FALSE(members[1].called());
    CHECK(defer::flushLoggedErrors<ValueError>().size() == 1);
    defer::failureResultOf<FirstError>(values);
}

TEST_CASE(
    "gatherResults: with cancelOthers a member that has failed already cancels those before it and after it") {
    const Deferred<int> before;
    const Deferred<int> after;
    const Deferred<int> failed = defer::fail(ValueError("no poem"));
    const auto values =
        gatherResults(Members{before, failed, after}, {.consumeErrors = true, .cancelOthers = true});
    CHECK(defer::failureResultOf<FirstError>(values).check<FirstError>()->index == 1);
    CHECK(before.called());
    CHECK(after.called());
}

TEST_CASE("gatherResults: without consumeErrors the members that it cancelled report that themselves") {
    Members members(2);
    const auto values = gatherResults(members, {.cancelOthers = true});
    members[0].errback(ValueError("no poem"));
    defer::failureResultOf<ValueError>(members[0]);
    defer::failureResultOf<CancelledError>(members[1]);
    defer::failureResultOf<FirstError>(values);
}

TEST_CASE("gatherResults: loose members of one type give a vector, of several types a tuple") {
    const Deferred<int> number;
    const Deferred<std::string> text;
    const Deferred<void> nothing;
    const auto same = gatherResults(number, number);
    static_assert(isDeferredOf<decltype(same), Ints>);
    const auto mixed = gatherResults(number, text, nothing);
    static_assert(isDeferredOf<decltype(mixed), std::tuple<int, std::string, None>>);
    const auto options = gatherResults(GatherOptions{.consumeErrors = true}, number, text);
    static_assert(isDeferredOf<decltype(options), std::tuple<int, std::string>>);
    const auto several = gatherResults(GatherOptions{.consumeErrors = true}, number, number);
    static_assert(isDeferredOf<decltype(several), Ints>);
    number.callback(1);
    text.callback("poem");
    CHECK(successResultOf(same) == Ints{1, 1});
    CHECK_FALSE(mixed.called());
    nothing.callback();
    CHECK(successResultOf(mixed) == std::tuple(1, std::string("poem"), None{}));
    CHECK(successResultOf(options) == std::tuple(1, std::string("poem")));
    CHECK(successResultOf(several) == Ints{1, 1});
}

TEST_CASE("gatherResults: options precede loose members") {
    const Deferred<int> number;
    const Deferred<std::string> text;
    const auto values =
        gatherResults(GatherOptions{.consumeErrors = true, .cancelOthers = true}, number, text);
    number.errback(ValueError("no poem"));
    CHECK(text.called());
    defer::failureResultOf<FirstError>(values);
}

TEST_CASE("gatherResults: void members count as None") {
    const std::vector<Deferred<void>> members(2);
    const auto values = gatherResults(members);
    static_assert(isDeferredOf<decltype(values), std::vector<None>>);
    members[0].callback();
    members[1].callback();
    CHECK(successResultOf(values).size() == 2);
}

TEST_CASE("gatherResults: move-only and bool values come through") {
    std::vector<Deferred<std::unique_ptr<int>>> pointers(2);
    const auto values = gatherResults(pointers);
    pointers[1].callback(std::make_unique<int>(2));
    pointers[0].callback(std::make_unique<int>(1));
    const auto gathered = successResultOf(values);
    CHECK(*gathered[0] == 1);
    CHECK(*gathered[1] == 2);
    CHECK(successResultOf(gatherResults(defer::succeed(true), defer::succeed(false))) ==
          std::vector{true, false});
}

TEST_CASE("gatherResults: an empty or stale handle is refused") {
    const Deferred<int> stale;
    stale.addCallback([](int n) { return std::to_string(n); });
    const Deferred<int> empty = nullptr;
    CHECK_THROWS_AS(gatherResults(Members{Deferred<int>(), empty}), ropewalk::EmptyDeferredError);
    CHECK_THROWS_AS(gatherResults(Deferred<void>(), empty), ropewalk::EmptyDeferredError);
    CHECK_THROWS_AS(gatherResults(Members{Deferred<int>(), stale}), ropewalk::WrongTypeError);
}

} // namespace
