#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <any>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <variant>

#include "probes.hpp"

namespace defer = ropewalk::defer;

using defer::Deferred;
using ropewalk::Failure;
using ropewalk::NoResultError;
using ropewalk::Result;
using ropewalk::ValueError;

namespace {

struct Color {
    int number;
};

} // namespace

template <>
struct ropewalk::NoneOf<Color> {
    static constexpr bool exists = true;
    static Color value() { return {-1}; }
};

namespace {

/// A Deferred whose value another chain has taken, at `takenAt`.
template <class T>
struct Taken {
    explicit Taken(T value) {
        d.callback(std::move(value));
        kept = defer::succeed().addCallback([this] { return d; });
        takenAt = probes::here(1);
    }
    Deferred<T> d;
    Deferred<T> kept = nullptr;
    std::string takenAt;
};

/// What a NoResultError says to a callback that wants the value.
std::string refusal(const Deferred<int>& d) {
    std::string text = "no error";
    d.addCallback([](int n) { return n; });
    d.addErrback([&](const Failure& f) { text = f.trap<NoResultError>().what(); });
    return text;
}

TEST_CASE(
    "a callback that takes nothing runs, one that wants the value gets a NoResultError: who took it, and where") {
    const Taken<int> taken(1);
    bool ran = false;
    std::string text;
    std::string wanted;
    taken.d.addCallback([](int) { return 1; });
    wanted = probes::here(1);
    taken.d.addErrback([&](const Failure& f) { text = f.trap<NoResultError>().what(); });
    taken.d.addCallback([&] { ran = true; });
    CHECK(ran);
    CHECK(text == "there is no result any more: a chain that waited for it took it at " + taken.takenAt +
                      "; it was wanted at " + wanted);
}

TEST_CASE("the error's own fields say the same") {
    const Taken<int> taken(1);
    taken.d.addCallback([](int n) { return n; });
    const unsigned line = probes::line(1);
    const Failure f = defer::failureResultOf<NoResultError>(taken.d);
    const NoResultError& error = *f.check<NoResultError>();
    CHECK(std::string(error.takenBy()) == "a chain that waited for it");
    CHECK(taken.takenAt.ends_with(':' + std::to_string(error.takenAt().line())));
    CHECK(error.where().line() == line);
}

Deferred<int> await(Deferred<int> d) {
    co_return co_await d;
}

TEST_CASE("who may take it: a chain, chainDeferred, a coroutine, a list, an errback that returned nothing") {
    const Deferred<int> chained = defer::succeed(1);
    const Deferred<int> target;
    chained.chainDeferred(target);
    const std::string chainedAt = probes::here(1);
    CHECK(probes::contains(refusal(chained), "took it at " + chainedAt + ';'));

    const Deferred<int> awaited = defer::succeed(1);
    const Deferred<int> coroutine = await(awaited);
    CHECK(probes::contains(refusal(awaited), "a coroutine took it at "));

    const Deferred<int> member = defer::fail(ValueError("x"));
    const auto list = defer::DeferredList(std::vector{member}, {.consumeErrors = true});
    CHECK(probes::contains(refusal(member), "a DeferredList with consumeErrors took it at "));

    const Deferred<int> swallowed = defer::fail(ValueError("x"));
    swallowed.addErrback([] {});
    const std::string swallowedAt = probes::here(1);
    const std::string text = refusal(swallowed);
    CHECK(probes::contains(text, "an errback that returned nothing took it at " + swallowedAt + ';'));
}

TEST_CASE("it travels: who waits for a Deferred that holds None holds None, with the first taker's name") {
    const Taken<int> taken(1);
    const Deferred<int> waits = defer::succeed().addCallback([&] { return taken.d; });
    CHECK(probes::contains(refusal(waits), "a chain that waited for it took it at " + taken.takenAt));
    const Taken<int> second(1);
    const Deferred<int> target;
    second.d.chainDeferred(target);
    CHECK(probes::contains(refusal(target), "took it at " + second.takenAt));
}

TEST_CASE("addBoth gives the NoResultError as the Result; a function that takes nothing runs") {
    const Taken<int> taken(1);
    bool refused = false;
    bool ran = false;
    taken.d.addBoth(
        [&](const Result<int>& r) { refused = !r && r.error().check<NoResultError>() != nullptr; });
    const Taken<int> second(1);
    second.d.addBoth([&] { ran = true; });
    CHECK(refused);
    CHECK(ran);
}

TEST_CASE("None is no failure: errbacks don't run, and nothing is reported") {
    bool errback = false;
    {
        const Taken<int> taken(1);
        taken.d.addErrback([&] { errback = true; });
    }
    CHECK_FALSE(errback);
    CHECK(defer::flushLoggedErrors().empty());
}

template <class T, class F>
void fromNone(T value, F callback) {
    const Taken<T> taken(std::move(value));
    bool ran = false;
    taken.d.addCallback([&](T none) {
        ran = true;
        callback(std::move(none));
    });
    CHECK(ran);
}

TEST_CASE("a type that has a None of its own gives that") {
    fromNone<std::optional<int>>(3, [](std::optional<int> none) { CHECK_FALSE(none.has_value()); });
    fromNone<std::any>(std::any(3), [](const std::any& none) { CHECK_FALSE(none.has_value()); });
    fromNone<std::monostate>({}, [](std::monostate) {});
    fromNone<ropewalk::None>({}, [](ropewalk::None) {});
    const Deferred<void> nothing = defer::succeed();
    const Deferred<void> other = defer::succeed().addCallback([&] { return nothing; });
    bool ran = false;
    nothing.addCallback([&](ropewalk::None) { ran = true; });
    CHECK(ran);
}

TEST_CASE("so does a type of the program's own that names one") {
    fromNone<Color>({3}, [](Color none) { CHECK(none.number == -1); });
}

TEST_CASE("a smart pointer has none: null may mean something else") {
    const Taken<std::shared_ptr<int>> taken(std::make_shared<int>(1));
    taken.d.addCallback([](std::shared_ptr<int> p) { return p; });
    defer::failureResultOf<NoResultError>(taken.d);
}

TEST_CASE("addBoth and co_await give a type's own None too") {
    const Taken<std::optional<int>> taken(1);
    bool empty = false;
    taken.d.addBoth([&](Result<std::optional<int>> r) {
        empty = r && !r->has_value();
        return r;
    });
    CHECK(empty);
    const auto awaitOptional = [](Deferred<std::optional<int>> d) -> Deferred<bool> {
        const std::optional<int> value = co_await d;
        co_return value.has_value();
    };
    const Taken<std::optional<int>> second(1);
    CHECK_FALSE(defer::successResultOf(awaitOptional(second.d)));
}

} // namespace
