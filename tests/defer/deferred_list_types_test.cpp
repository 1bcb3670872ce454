#include <ropewalk/defer/deferred_list.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/living.hpp>
#include <ropewalk/defer/race.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace defer = ropewalk::defer;

using defer::Deferred;
using defer::DeferredList;
using defer::DeferredListOptions;
using defer::fireOnOneCallback;
using defer::ListResults;
using defer::successResultOf;
using ropewalk::Failure;
using ropewalk::None;
using ropewalk::NoResultError;
using ropewalk::Result;
using ropewalk::ValueError;

namespace {

template <class D, class T>
constexpr bool isListOf = std::is_base_of_v<Deferred<T>, std::remove_cvref_t<D>>;

TEST_CASE("DeferredList: a vector gives a vector of Results") {
    std::vector<Deferred<std::string>> members(2);
    const DeferredList list(members);
    static_assert(isListOf<decltype(list), std::vector<Result<std::string>>>);
    const Deferred<std::vector<Result<std::string>>> handle = list;
    CHECK(handle == list);
    members[0].callback("wendy");
    members[1].callback("james");
    CHECK(successResultOf(list)[1].value() == "james");
}

TEST_CASE("DeferredList: loose members of one type give a vector too") {
    const Deferred<int> wendy;
    const Deferred<int> james;
    const DeferredList list(wendy, james);
    static_assert(isListOf<decltype(list), std::vector<Result<int>>>);
    james.callback(2);
    wendy.callback(1);
    CHECK(successResultOf(list)[0].value() == 1);
    const DeferredList one(defer::succeed(5));
    static_assert(isListOf<decltype(one), std::vector<Result<int>>>);
    CHECK(successResultOf(one)[0].value() == 5);
}

TEST_CASE("DeferredList: loose members of several types give a tuple of Results") {
    const Deferred<int> number;
    const Deferred<std::string> text;
    const Deferred<void> nothing;
    const DeferredList list(number, text, nothing);
    static_assert(isListOf<decltype(list), std::tuple<Result<int>, Result<std::string>, Result<void>>>);
    nothing.errback(ValueError("no poem"));
    text.callback("poem");
    number.callback(1);
    const auto [first, second, third] = successResultOf(list);
    CHECK(first.value() == 1);
    CHECK(second.value() == "poem");
    CHECK(third.error().check<ValueError>() != nullptr);
    defer::failureResultOf<ValueError>(nothing);
}

TEST_CASE("DeferredList: options follow a vector") {
    const std::vector<Deferred<int>> members{defer::succeed(1), defer::fail(ValueError("b"))};
    const DeferredList list(members, {.fireOnOneErrback = true, .consumeErrors = true});
    static_assert(isListOf<decltype(list), std::vector<Result<int>>>);
    defer::failureResultOf<defer::FirstError>(list);
    const DeferredListOptions options{.consumeErrors = true};
    CHECK(successResultOf(DeferredList(std::vector<Deferred<int>>{defer::fail(ValueError("b"))}, options))
              .size() == 1);
}

TEST_CASE("DeferredList: options precede loose members") {
    const Deferred<int> number = defer::succeed(1);
    const Deferred<std::string> text = defer::fail(ValueError("b"));
    const DeferredList pair(DeferredListOptions{.fireOnOneErrback = true, .consumeErrors = true}, number,
                            text);
    static_assert(isListOf<decltype(pair), std::tuple<Result<int>, Result<std::string>>>);
    CHECK(defer::failureResultOf<defer::FirstError>(pair).check<defer::FirstError>()->index == 1);
    const Deferred<int> failing = defer::fail(ValueError("b"));
    const DeferredList same(DeferredListOptions{.consumeErrors = true}, number, failing);
    static_assert(isListOf<decltype(same), std::vector<Result<int>>>);
    CHECK(successResultOf(same).size() == 2);
}

TEST_CASE("DeferredList: fireOnOneCallback gives a variant of the pair and the vector") {
    using Pair = std::pair<int, std::size_t>;
    std::vector<Deferred<int>> members(2);
    const DeferredList list(members, fireOnOneCallback);
    static_assert(isListOf<decltype(list), std::variant<Pair, std::vector<Result<int>>>>);
    members[1].callback(5);
    CHECK(std::get<Pair>(successResultOf(list)) == Pair(5, 1));
    const std::vector<Deferred<int>> failing{defer::fail(ValueError("a"))};
    const DeferredList consuming(failing, fireOnOneCallback, {.consumeErrors = true});
    static_assert(isListOf<decltype(consuming), std::variant<Pair, std::vector<Result<int>>>>);
    CHECK(std::get<ListResults<int>>(successResultOf(consuming)).size() == 1);
}

TEST_CASE("DeferredList: void members have Results without a value, and count as None") {
    std::vector<Deferred<void>> members(2);
    const DeferredList list(members);
    static_assert(isListOf<decltype(list), std::vector<Result<void>>>);
    const DeferredList first(members, fireOnOneCallback);
    static_assert(
        isListOf<decltype(first), std::variant<std::pair<None, std::size_t>, std::vector<Result<void>>>>);
    members[1].callback();
    CHECK(std::get<0>(successResultOf(first)).second == 1);
    members[0].callback();
    CHECK(successResultOf(list)[0].has_value());
    CHECK_NOTHROW(successResultOf(members[0]));
}

TEST_CASE("DeferredList: a handle that needs no value may be a member whatever the chain carries by now") {
    Deferred<int> d;
    const Deferred<void> printed = d.addCallback([](int) {});
    d.addCallback([] { return std::string("more"); });
    const DeferredList list(printed, printed);
    static_assert(isListOf<decltype(list), std::vector<Result<void>>>);
    d.callback(1);
    CHECK(successResultOf(list)[1].has_value());
}

TEST_CASE("DeferredList: a list may be a member of a list") {
    const Deferred<int> one;
    const Deferred<int> two;
    const DeferredList inner(one, two);
    const DeferredList outer(inner, DeferredList(two, one));
    static_assert(isListOf<decltype(outer), std::vector<Result<ListResults<int>>>>);
    const DeferredList mixed(inner, one);
    static_assert(isListOf<decltype(mixed), std::tuple<Result<ListResults<int>>, Result<int>>>);
    one.callback(1);
    two.callback(2);
    const auto results = successResultOf(outer);
    CHECK(results[0].value()[0].value() == 1);
    CHECK(results[1].value()[0].value() == 2);
    CHECK(std::get<1>(successResultOf(mixed)).value() == 1);
    CHECK(successResultOf(inner).size() == 2);
    const DeferredList copy(inner);
    CHECK(copy == inner);
}

TEST_CASE("DeferredList: lists of 1,000 lists, one in another") {
    const Deferred<int> d;
    Deferred<void> nested = d.addCallback([](int) {});
    for (int depth = 0; depth < 1000; ++depth) {
        nested = DeferredList(nested, nested).addCallback([](const ListResults<void>& results) {
            CHECK(results[1].has_value());
        });
    }
    d.callback(1);
    CHECK_NOTHROW(successResultOf(nested));
}

TEST_CASE("DeferredList: a move-only result is moved, and the member left with None") {
    std::vector<Deferred<std::unique_ptr<int>>> members(1);
    const int made = __LINE__ + 1;
    const DeferredList list(members);
    members[0].callback(std::make_unique<int>(7));
    CHECK(**successResultOf(list)[0] == 7);
    const Failure failure = defer::failureResultOf<NoResultError>(
        members[0].addCallback([](std::unique_ptr<int>) { FAIL("there is no result to take"); }));
    CHECK(std::string(failure.check<NoResultError>()->takenBy()) == "a DeferredList");
    CHECK(failure.check<NoResultError>()->takenAt().line() == static_cast<unsigned>(made));
}

TEST_CASE("DeferredList: of loose members, the place where it was made is the caller's") {
    const Deferred<std::unique_ptr<int>> pointer;
    const Deferred<int> number;
    const unsigned line = __LINE__ + 1;
    const DeferredList list(pointer, number);
    const DeferredList moved(DeferredListOptions{}, Deferred<std::unique_ptr<int>>(pointer));
    pointer.callback(std::make_unique<int>(7));
    const Failure failure = defer::failureResultOf<NoResultError>(
        pointer.addCallback([](std::unique_ptr<int>) { FAIL("there is no result to take"); }));
    CHECK(failure.check<NoResultError>()->takenAt().line() == line);
    CHECK(successResultOf(moved)[0].error().check<NoResultError>() != nullptr);
    CHECK_FALSE(list.called());
#if ROPEWALK_CHECKS
    for (const defer::LivingDeferred& living : defer::livingDeferreds())
        CHECK(living.madeAt.line() <= line + 1);
#endif
}

TEST_CASE("DeferredList: a second list of a move-only member gets a NoResultError") {
    const Deferred<std::unique_ptr<int>> member;
    const DeferredList first(member, member);
    member.callback(std::make_unique<int>(7));
    const auto results = successResultOf(first);
    CHECK(**results[0] == 7);
    CHECK(results[1].error().check<NoResultError>() != nullptr);
}

TEST_CASE("DeferredList: containers of move-only values are moved, however they are nested") {
    using Pointer = std::unique_ptr<int>;
    std::vector<Pointer> pointers;
    pointers.push_back(std::make_unique<int>(7));
    const Deferred<std::vector<Pointer>> vector = defer::succeed(std::move(pointers));
    const DeferredList list(vector, defer::succeed(1));
    const DeferredList nested(list, defer::succeed(2));
    const DeferredList twice(nested, nested);
    const auto results = successResultOf(twice);
    CHECK(*std::get<0>(*std::get<0>(**&results[0])).value()[0] == 7);
    CHECK(results[1].error().check<NoResultError>() != nullptr);
    const DeferredList races(defer::race(Deferred<std::vector<Pointer>>()), defer::succeed(1));
    CHECK_FALSE(races.called());
    using defer::detail::isCopyable;
    static_assert(!isCopyable<std::optional<std::vector<Pointer>>> &&
                  !isCopyable<std::map<int, std::vector<Pointer>>>);
    static_assert(isCopyable<std::optional<std::vector<int>>> &&
                  isCopyable<std::map<int, std::vector<std::string>>>);
    static_assert(isCopyable<std::tuple<int, std::vector<int>>> &&
                  isCopyable<std::variant<int, std::string>>);
}

/// Counts its copies.
struct Counted {
    explicit Counted(int& count) : copies(&count) {}
    Counted(const Counted& other) : copies(other.copies) { ++*copies; }
    Counted(Counted&&) noexcept = default;
    Counted& operator=(const Counted&) = default;
    Counted& operator=(Counted&&) noexcept = default;
    int* copies;
};

Deferred<Counted> whenFired(Deferred<void> trigger, Counted value) {
    co_await trigger;
    co_return value;
}

TEST_CASE("DeferredList: the result of a member is copied once, and stays with the member") {
    int copies = 0;
    const Deferred<Counted> member;
    const DeferredList list(member, Deferred<int>(defer::succeed(1)));
    member.callback(Counted(copies));
    CHECK(copies == 1);
    CHECK(std::get<0>(successResultOf(list)).has_value());
    CHECK_NOTHROW(successResultOf(member));
}

TEST_CASE("DeferredList: the result of a member that nobody else holds is moved") {
    int copies = 0;
    const DeferredList fired(defer::succeed(Counted(copies)));
    CHECK(successResultOf(fired)[0].has_value());
    std::vector<Deferred<Counted>> members(3, defer::succeed(Counted(copies)));
    members.resize(1);
    CHECK(successResultOf(DeferredList(std::move(members)))[0].has_value());
    CHECK(copies == 0);
    const Deferred<void> trigger;
    const DeferredList later(whenFired(trigger, Counted(copies)), defer::succeed(1));
    copies = 0;
    trigger.callback();
    CHECK(later.called());
    CHECK(copies == 0);
}

TEST_CASE(
    "DeferredList: the result of a member that has more to do with it is copied though nobody holds it") {
    int copies = 0;
    bool seen = false;
    const Deferred<void> trigger;
    Deferred<Counted> member = whenFired(trigger, Counted(copies));
    const DeferredList list(std::vector{member});
    member.addCallback([&](const Counted&) { seen = true; });
    member = nullptr;
    copies = 0;
    trigger.callback();
    CHECK(seen);
    CHECK(copies == 1);
    CHECK(successResultOf(list)[0].has_value());
}

struct Uncopyable {
    Uncopyable() = default;
    Uncopyable(const Uncopyable&) { throw ValueError("no copies of this poem"); }
    Uncopyable(Uncopyable&&) noexcept = default;
    Uncopyable& operator=(const Uncopyable&) = default;
    Uncopyable& operator=(Uncopyable&&) noexcept = default;
};

TEST_CASE("DeferredList: what copying a result throws takes its place, and the member keeps the result") {
    const Deferred<Uncopyable> member;
    const DeferredList list(std::vector{member});
    member.callback(Uncopyable());
    CHECK(successResultOf(list)[0].error().check<ValueError>() != nullptr);
    CHECK_NOTHROW(successResultOf(member));
    const Deferred<Uncopyable> other;
    const DeferredList failing(std::vector{other}, {.fireOnOneErrback = true});
    other.callback(Uncopyable());
    defer::failureResultOf<defer::FirstError>(failing);
    CHECK_NOTHROW(successResultOf(other));
}

/// Its moves throw once `left` is used up.
struct Unmovable {
    Unmovable() = default;
    Unmovable(Unmovable&&) {
        if (left-- == 0) throw ValueError("stay where you are");
    }
    Unmovable& operator=(Unmovable&&) = default;
    static inline int left = 0;
};

TEST_CASE("DeferredList: whichever move of a result throws, the list fires, and the error isn't lost") {
    constexpr int plenty = 1000;
    bool thrown = true;
    for (int moves = 0; thrown; ++moves) {
        CAPTURE(moves);
        const Deferred<Unmovable> member;
        const DeferredList all(std::vector{member});
        const Deferred<Unmovable> other;
        const DeferredList first(std::vector{other}, fireOnOneCallback);
        Unmovable::left = moves;
        try {
            member.callback(Unmovable());
            other.callback(Unmovable());
        } catch (const ValueError&) {}
        thrown = Unmovable::left < 0;
        Unmovable::left = plenty;
        CHECK(all.called() == member.called());
        CHECK(first.called() == other.called());
        if (!member.called() || !other.called()) continue;
        bool seen = !successResultOf(all)[0].has_value();
        first.addBoth([&](const Result<defer::FirstOrAll<Unmovable>>& result) {
            seen = seen || !result || result->index() == 1;
        });
        CHECK(seen == thrown);
    }
    Unmovable::left = 0;
}

TEST_CASE("DeferredList: an empty handle among the members is refused, and no other member is touched") {
    const Deferred<int> failing;
    const std::vector<Deferred<int>> members{failing, nullptr};
    CHECK_THROWS_AS(DeferredList(members, {.consumeErrors = true}), ropewalk::EmptyDeferredError);
    const Deferred<std::string> empty = nullptr;
    CHECK_THROWS_AS(DeferredList(DeferredListOptions{.consumeErrors = true}, failing, empty),
                    ropewalk::EmptyDeferredError);
    failing.errback(ValueError("no poem"));
    defer::failureResultOf<ValueError>(failing);
}

TEST_CASE(
    "DeferredList: a handle of a type that its chain has no more is refused, and no other member is touched") {
    const Deferred<int> failing;
    const Deferred<int> stale;
    stale.addCallback([](int n) { return std::to_string(n); });
    const std::vector<Deferred<int>> members{failing, stale};
    CHECK_THROWS_AS(DeferredList(members, {.consumeErrors = true}), ropewalk::WrongTypeError);
    CHECK_THROWS_AS(DeferredList(members, fireOnOneCallback, {.consumeErrors = true}),
                    ropewalk::WrongTypeError);
    CHECK_THROWS_AS(
        DeferredList(DeferredListOptions{.consumeErrors = true}, failing, Deferred<std::string>(), stale),
        ropewalk::WrongTypeError);
    failing.errback(ValueError("no poem"));
    defer::failureResultOf<ValueError>(failing);
    stale.callback(1);
}

} // namespace
