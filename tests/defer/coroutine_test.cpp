#include "probes.hpp"

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

// What inlineCallbacks promises, kept by coroutines: statements 73 to 79 and 82.
namespace {

using namespace ropewalk;
using defer::Deferred;
using probes::contains;
using probes::Words;

Deferred<int> notACoroutine(int n) {
    return defer::succeed(n);
}

TEST_CASE("73.2: a function that returns a Deferred and awaits nothing is an ordinary function") {
    CHECK(defer::successResultOf(notACoroutine(3)) == 3);
}

Deferred<int> awaitsPlainValues() {
    int sum = co_await 1;
    const int two = 2;
    sum += co_await two;
    const std::string text = co_await std::string("three");
    sum += static_cast<int>(text.size());
    co_return sum;
}

TEST_CASE("74.1: a plain value that is awaited comes back") {
    CHECK(defer::successResultOf(awaitsPlainValues()) == 8);
}

Deferred<int> awaitsMoveOnly() {
    std::unique_ptr<int> owned = co_await std::make_unique<int>(5);
    std::unique_ptr<int>& same = co_await owned;
    CHECK(&same == &owned);
    const std::unique_ptr<int> moved = co_await std::move(owned);
    CHECK(owned == nullptr);
    co_return *moved;
}

TEST_CASE("74.1: a move-only one too; a variable comes back as itself") {
    CHECK(defer::successResultOf(awaitsMoveOnly()) == 5);
}

Deferred<std::string> awaitsAFailure(bool asFailed) {
    try {
        if (asFailed) {
            co_await defer::fail(ValueError("thrown here"));
        } else {
            const Failure failure{ValueError("thrown here")};
            co_await failure;
        }
    } catch (const ValueError& error) {
        co_return std::string("caught ") + error.what();
    }
    co_return "nothing was thrown";
}

TEST_CASE("74.2: a Failure that is awaited raises its exception") {
    CHECK(defer::successResultOf(awaitsAFailure(false)) == "caught thrown here");
}

TEST_CASE("74.2: so does what fail() gives") {
    CHECK(defer::successResultOf(awaitsAFailure(true)) == "caught thrown here");
}

Deferred<void> steps(Words& seen, Deferred<int> fired, Deferred<int> unfired) {
    seen.push_back("begins");
    const int first = co_await fired;
    seen.push_back("got " + std::to_string(first));
    const int second = co_await unfired;
    seen.push_back("got " + std::to_string(second));
}

TEST_CASE("75.1: the body runs at once, up to the first unfired Deferred") {
    Words seen;
    Deferred<int> unfired;
    const Deferred<void> own = steps(seen, defer::succeed(1), unfired);
    seen.push_back("returned");
    CHECK(seen == Words{"begins", "got 1", "returned"});
    CHECK_FALSE(own.called());
    unfired.callback(2);
}

TEST_CASE("75.2: it resumes inside that Deferred's callback, between those added before and after") {
    Words seen;
    Deferred<int> unfired;
    unfired.addCallback([&](int n) {
        seen.push_back("before");
        return n;
    });
    steps(seen, defer::succeed(1), unfired).addCallback([&] { seen.push_back("its own chain"); });
    unfired.addCallback([&] { seen.push_back("after"); });
    seen.clear();
    unfired.callback(2);
    CHECK(seen == Words{"before", "got 2", "its own chain", "after"});
}

/// How far apart the stack's ends were, as far as `look` has seen.
class StackProbe {
public:
    [[gnu::noinline]] void look() {
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        lowest_ = lowest_ == 0 ? here : std::min(lowest_, here);
        highest_ = std::max(highest_, here);
    }
    std::uintptr_t grew() const { return highest_ - lowest_; }

private:
    std::uintptr_t lowest_ = 0;
    std::uintptr_t highest_ = 0;
};

Deferred<int> awaitsManyFired(int count, StackProbe& stack) {
    int sum = 0;
    for (int i = 0; i < count; ++i) {
        stack.look();
        sum += co_await defer::succeed(1);
    }
    co_return sum;
}

TEST_CASE("76.1: 20,000 awaits of fired Deferreds don't grow the stack") {
    StackProbe stack;
    CHECK(defer::successResultOf(awaitsManyFired(20'000, stack)) == 20'000);
    CHECK(stack.grew() == 0);
}

Deferred<int> awaitsManyValues(int count, StackProbe& stack) {
    int sum = 0;
    for (int i = 0; i < count; ++i) {
        stack.look();
        sum += co_await 1;
    }
    co_return sum;
}

TEST_CASE("76.2: nor do 20,000 awaits of plain values") {
    StackProbe stack;
    CHECK(defer::successResultOf(awaitsManyValues(20'000, stack)) == 20'000);
    CHECK(stack.grew() == 0);
}

Deferred<int> awaitsManyPending(int count, Deferred<void>& gate, StackProbe& stack) {
    for (int i = 0; i < count; ++i) {
        gate = Deferred<void>();
        Deferred<void> here = gate;
        co_await here;
        stack.look();
    }
    co_return count;
}

TEST_CASE("nor do 20,000 awaits of Deferreds that fire later: a resumption ends before the next one") {
    StackProbe stack;
    Deferred<void> gate = nullptr;
    const Deferred<int> own = awaitsManyPending(20'000, gate, stack);
    for (int i = 0; i < 20'000; ++i) {
        const Deferred<void> now = gate;
        now.callback();
    }
    CHECK(defer::successResultOf(own) == 20'000);
    CHECK(stack.grew() == 0);
}

Deferred<std::string> returnsText() {
    co_await 1;
    co_return "text";
}

TEST_CASE("77.1: what it returns is the result") {
    CHECK(defer::successResultOf(returnsText()) == "text");
}

Deferred<void> fallsOff() {
    co_await 1;
}

TEST_CASE("77.2: falling off the end fires it with nothing") {
    bool fired = false;
    fallsOff().addCallback([&](None) { fired = true; });
    CHECK(fired);
}

Deferred<int> throws() {
    co_await 1;
    throw ValueError("escaped");
}

TEST_CASE("77.3: an exception that escapes fails it") {
    const Failure failure = defer::failureResultOf<ValueError>(throws());
    CHECK(failure.getErrorMessage() == "escaped");
}

Deferred<Deferred<int>> returnsADeferred(Deferred<int> inner) {
    co_await 1;
    co_return inner;
}

TEST_CASE("77.4: a Deferred that it returns is a value like others, not waited for") {
    const Deferred<int> inner;
    const Deferred<Deferred<int>> own = returnsADeferred(inner);
    CHECK(own.called());
    CHECK(defer::successResultOf(own) == inner);
    static_assert(!std::is_constructible_v<int, Deferred<int>>);
}

Deferred<int> takes(Deferred<int> d) {
    co_return co_await d;
}

TEST_CASE("78.1: what is awaited holds None afterwards") {
    Deferred<int> d;
    const Deferred<int> own = takes(d);
    d.callback(4);
    CHECK(defer::successResultOf(own) == 4);
    bool ran = false;
    d.addCallback([&](int) { ran = true; });
    CHECK_FALSE(ran);
    const Failure failure = defer::failureResultOf<NoResultError>(d);
    CHECK(contains(failure.getErrorMessage(), "a coroutine"));
    d.addCallback([&] { ran = true; });
    CHECK(ran);
}

Deferred<std::string> catches(Deferred<int> d) {
    try {
        co_await d;
    } catch (const ValueError& error) {
        co_return error.what();
    }
    co_return "";
}

TEST_CASE("78.2: a failure that is caught is never reported") {
    Deferred<int> d;
    const Deferred<std::string> own = catches(d);
    d.errback(ValueError("caught"));
    d = nullptr;
    CHECK(defer::successResultOf(own) == "caught");
    CHECK(defer::flushLoggedErrors().empty());
}

Deferred<int> innermost(Words& seen, Deferred<int> d) {
    seen.push_back("innermost begins");
    const int n = co_await d;
    seen.push_back("innermost ends");
    co_return n + 1;
}

Deferred<int> middleCallback(Words& seen, Deferred<int> d) {
    seen.push_back("middle begins");
    return innermost(seen, std::move(d)).addCallback([&seen](int n) {
        seen.push_back("middle ends");
        return 10 * n;
    });
}

Deferred<int> middleCoroutine(Words& seen, Deferred<int> d) {
    seen.push_back("middle begins");
    const int n = co_await innermost(seen, d);
    seen.push_back("middle ends");
    co_return 10 * n;
}

Deferred<int> outermost(Words& seen, Deferred<int> d, Deferred<int> (*middle)(Words&, Deferred<int>)) {
    seen.push_back("outermost begins");
    const int n = co_await middle(seen, d);
    seen.push_back("outermost ends");
    co_return n + 2;
}

const Words nesting{"outermost begins", "middle begins", "innermost begins",
                    "innermost ends",   "middle ends",   "outermost ends"};

TEST_CASE("79.1, 79.2: nested ones begin from the outside, end from the inside, and hand up their values") {
    Words seen;
    Deferred<int> d;
    const Deferred<int> own = outermost(seen, d, middleCoroutine);
    d.callback(3);
    CHECK(seen == nesting);
    CHECK(defer::successResultOf(own) == 42);
}

TEST_CASE("79.1, 79.2: also when everything is there at once") {
    Words seen;
    CHECK(defer::successResultOf(outermost(seen, defer::succeed(3), middleCoroutine)) == 42);
    CHECK(seen == nesting);
}

TEST_CASE("79.3: also with callbacks between coroutines") {
    Words seen;
    Deferred<int> d;
    const Deferred<int> own = outermost(seen, d, middleCallback);
    d.callback(3);
    CHECK(seen == nesting);
    CHECK(defer::successResultOf(own) == 42);
}

Deferred<void> fails(Deferred<void> d) {
    co_await d;
    throw ValueError("at the bottom");
}

Deferred<void> passesOn(Deferred<void> d) {
    co_await fails(d);
}

Deferred<void> passesOnToo(Deferred<void> d) {
    co_await passesOn(d);
}

TEST_CASE("82.1: the traceback of a failure names every coroutine on its way, from the inside") {
    Deferred<void> d;
    const Deferred<void> own = passesOnToo(d);
    d.callback();
    const std::string text = defer::failureResultOf<ValueError>(own).getTraceback();
    const std::size_t inner = text.find("fails");
    const std::size_t middle = text.find("passesOn\n");
    const std::size_t outer = text.find("passesOnToo");
    REQUIRE(inner != std::string::npos);
    REQUIRE(middle != std::string::npos);
    REQUIRE(outer != std::string::npos);
    CHECK(inner < middle);
    CHECK(middle < outer);
}

} // namespace
