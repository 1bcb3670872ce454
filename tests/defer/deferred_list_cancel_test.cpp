#include <ropewalk/defer/deferred_list.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace defer = ropewalk::defer;
namespace log = ropewalk::log;

using defer::CancelledError;
using defer::Deferred;
using defer::DeferredList;
using defer::fireOnOneCallback;
using defer::FirstError;
using ropewalk::RuntimeError;
using ropewalk::ValueError;

namespace {

using Members = std::vector<Deferred<int>>;

constexpr defer::DeferredListOptions consume{.consumeErrors = true};

Deferred<int> unwilling() {
    return Deferred<int>([] { throw RuntimeError("can't stop"); });
}

/// The texts of the events that are logged with an error while `action` runs.
std::vector<std::string> loggedBy(const auto& action) {
    std::vector<std::string> texts;
    const log::ScopedObserver watch([&](const log::LogEvent& event) {
        REQUIRE(event.failure != nullptr);
        texts.push_back(std::string(event.text) + ": " + event.failure->getErrorMessage());
    });
    action();
    return texts;
}

const std::vector<std::string> oneComplaint{"Exception raised from user supplied canceller: can't stop"};

TEST_CASE("65.2: cancelling an unfired list cancels every member that has no result yet") {
    std::vector<int> cancelled(3);
    Members members;
    for (int& count : cancelled) members.push_back(Deferred<int>([&] { ++count; }));
    const DeferredList list(members, consume);
    members[1].callback(2);
    list.cancel();
    CHECK(cancelled == std::vector{1, 0, 1});
    const auto results = defer::successResultOf(list);
    CHECK(results[0].error().check<CancelledError>() != nullptr);
    CHECK(results[1].value() == 2);
    CHECK(results[2].error().check<CancelledError>() != nullptr);
}

TEST_CASE("cancelling a list: it fires by its own rules: with fireOnOneErrback it fails with the first") {
    Members members(2);
    const DeferredList list(members, {.fireOnOneErrback = true, .consumeErrors = true});
    list.cancel();
    const auto failure = defer::failureResultOf<FirstError>(list);
    CHECK(failure.check<FirstError>()->index == 0);
    CHECK(failure.check<FirstError>()->subFailure.check<CancelledError>() != nullptr);
}

TEST_CASE("cancelling a list: what a member waits for is cancelled, not the member's own past") {
    int cancelled = 0;
    Deferred<int> inner([&] { ++cancelled; });
    Deferred<int> member([] { FAIL("it has fired"); });
    const Deferred<int> waits = member.addCallback([&](int) { return inner; });
    const DeferredList list(Members{waits}, consume);
    member.callback(1);
    list.cancel();
    CHECK(cancelled == 1);
    CHECK(defer::successResultOf(list)[0].error().check<CancelledError>() != nullptr);
}

TEST_CASE("66.1: a canceller that throws while a list is cancelled is logged") {
    const Members members{unwilling()};
    const DeferredList list(members);
    CHECK(loggedBy([&] { list.cancel(); }) == oneComplaint);
    CHECK(defer::flushLoggedErrors<RuntimeError>().size() == 1);
}

TEST_CASE("66.2: the other members are cancelled all the same") {
    std::vector<int> cancelled(2);
    const Members members{Deferred<int>([&] { ++cancelled[0]; }), unwilling(),
                          Deferred<int>([&] { ++cancelled[1]; })};
    const DeferredList list(members, consume);
    list.cancel();
    CHECK(cancelled == std::vector{1, 1});
    CHECK(defer::flushLoggedErrors<RuntimeError>().size() == 1);
}

TEST_CASE("66.3: with fireOnOneCallback the list then fires with a value that a canceller gave") {
    const Members members{Deferred<int>([](const Deferred<int>& d) { d.callback(7); }), unwilling()};
    const DeferredList list(members, fireOnOneCallback);
    list.cancel();
    CHECK(std::get<0>(defer::successResultOf(list)) == std::pair(7, std::size_t{0}));
    CHECK(defer::flushLoggedErrors<RuntimeError>().size() == 1);
}

TEST_CASE("66.4: with fireOnOneErrback the list then fails with FirstError(CancelledError, 0)") {
    const Members members{Deferred<int>(), unwilling()};
    const DeferredList list(members, {.fireOnOneErrback = true, .consumeErrors = true});
    list.cancel();
    const auto failure = defer::failureResultOf<FirstError>(list);
    CHECK(failure.check<FirstError>()->index == 0);
    CHECK(failure.check<FirstError>()->subFailure.check<CancelledError>() != nullptr);
    CHECK(defer::flushLoggedErrors<RuntimeError>().size() == 1);
}

TEST_CASE("66.5: otherwise the list then fires with all results, once the unwilling member has one too") {
    const Members members{Deferred<int>(), unwilling()};
    const DeferredList list(members, consume);
    list.cancel();
    members[1].callback(2);
    const auto results = defer::successResultOf(list);
    CHECK(results[0].error().check<CancelledError>() != nullptr);
    CHECK(results[1].value() == 2);
    CHECK(defer::flushLoggedErrors<RuntimeError>().size() == 1);
}

TEST_CASE("66.6: the list stays unfired while the unwilling member does") {
    const Members members{Deferred<int>(), unwilling()};
    const DeferredList list(members, consume);
    list.cancel();
    CHECK_FALSE(list.called());
    CHECK(loggedBy([&] { list.cancel(); }) == oneComplaint);
    CHECK_FALSE(list.called());
    CHECK(defer::flushLoggedErrors<RuntimeError>().size() == 2);
}

TEST_CASE("67.1: cancelling a list that has fired leaves the outstanding members alone") {
    for (const bool success : {true, false}) {
        CAPTURE(success);
        int cancelled = 0;
        const Members members{Deferred<int>(), Deferred<int>([&] { ++cancelled; })};
        const DeferredList list(members, fireOnOneCallback,
                                {.fireOnOneErrback = true, .consumeErrors = true});
        if (success) {
            members[0].callback(1);
        } else {
            members[0].errback(ValueError("no poem"));
        }
        list.cancel();
        CHECK(cancelled == 0);
        CHECK_FALSE(members[1].called());
        CHECK_NOTHROW(list.addBoth([] {}));
    }
}

TEST_CASE("cancelling a list: the members get its reason, and the place where it was cancelled") {
    const Members members(2);
    const DeferredList list(members, consume);
    const unsigned line = __LINE__ + 1;
    list.cancel("no more");
    for (const auto& result : defer::successResultOf(list)) {
        REQUIRE(result.error().check<CancelledError>() != nullptr);
        CHECK(result.error().check<CancelledError>()->reason() == "no more");
        CHECK(result.error().trail()[0].line() == line);
    }
}

TEST_CASE("cancelling a list: without consumeErrors each member fails with its own CancelledError") {
    const Members members(2);
    const DeferredList list(members);
    list.cancel();
    CHECK(defer::successResultOf(list).size() == 2);
    defer::failureResultOf<CancelledError>(members[0]);
    defer::failureResultOf<CancelledError>(members[1]);
}

TEST_CASE("cancelling a list: a canceller may fire and cancel whatever it likes") {
    Deferred<defer::ListResults<int>> list = nullptr;
    const Deferred<int> other;
    const Deferred<int> first([&](const Deferred<int>& d) {
        list.cancel();
        other.callback(20);
        d.callback(10);
        list.cancel();
    });
    list = DeferredList(Members{first, other, Deferred<int>(defer::succeed(30))});
    list.cancel();
    const auto results = defer::successResultOf(list);
    CHECK(results[0].value() == 10);
    CHECK(results[1].value() == 20);
    CHECK(results[2].value() == 30);
}

TEST_CASE("cancelling a list: a canceller may drop a member, without which the list stays unfired") {
    Members members(2);
    members[0] = Deferred<int>([&] { members[1] = nullptr; });
    const DeferredList list(members, consume);
    list.cancel();
    CHECK(members[0].called());
    CHECK_FALSE(list.called());
    list.cancel();
    defer::failureResultOf<CancelledError>(list);
}

TEST_CASE("cancelling a list: a canceller may drop the last handle on it") {
    Deferred<defer::ListResults<int>> list = nullptr;
    const Members members{Deferred<int>([&] { list = nullptr; }), Deferred<int>()};
    list = DeferredList(members, consume);
    list.cancel();
    CHECK(members[0].called());
    CHECK(members[1].called());
    CHECK(list == nullptr);
}

TEST_CASE("cancelling a list: with fireOnOneErrback the members after the first are cancelled too") {
    std::vector<int> cancelled(2);
    const Members members{Deferred<int>([&] { ++cancelled[0]; }), Deferred<int>([&] { ++cancelled[1]; })};
    const DeferredList list(members, {.fireOnOneErrback = true, .consumeErrors = true});
    list.cancel();
    CHECK(cancelled == std::vector{1, 1});
    defer::failureResultOf<FirstError>(list);
}

TEST_CASE("cancelling a list: whose members are all gone makes it fail itself") {
    Members members(2);
    const DeferredList list(members);
    members.clear();
    CHECK_FALSE(list.called());
    list.cancel();
    defer::failureResultOf<CancelledError>(list);
}

TEST_CASE("cancelling a list: whose callback waits cancels what that waits for") {
    int cancelled = 0;
    Deferred<int> later([&] { ++cancelled; });
    const Members members(1);
    const DeferredList list(members);
    const Deferred<int> waits = list.addCallback([&](const auto&) { return later; });
    members[0].callback(1);
    waits.cancel();
    CHECK(cancelled == 1);
    defer::failureResultOf<CancelledError>(waits);
}

Deferred<int> stubborn(Deferred<int> first, Deferred<int> second) {
    defer::Deferred<int> waits = std::move(first);
    const auto result = co_await waits.result();
    co_return result ? *result : co_await second;
}

TEST_CASE("cancelling a list: a coroutine among its members may refuse, and the list waits for it") {
    const Deferred<int> first;
    const Deferred<int> second;
    const Members members{stubborn(first, second), Deferred<int>()};
    const DeferredList list(members, consume);
    list.cancel();
    CHECK_FALSE(list.called());
    second.callback(2);
    const auto results = defer::successResultOf(list);
    CHECK(results[0].value() == 2);
    CHECK(results[1].error().check<CancelledError>() != nullptr);
}

} // namespace
