#include "probes.hpp"

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <array>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// How a coroutine ends: what it returns, what escapes, and in which order its things go.
namespace {

using namespace ropewalk;
using defer::Deferred;
using probes::AtExit;
using probes::contains;
using probes::Counted;
using probes::Words;

Deferred<int> returnsFailure() {
    co_await 1;
    co_return Failure(ValueError("returned"));
}

TEST_CASE("a Failure that is returned fails it") {
    CHECK(defer::failureResultOf<ValueError>(returnsFailure()).getErrorMessage() == "returned");
}

Deferred<int> returnsNamedFailure(Failure failure) {
    co_await 1;
    co_return failure;
}

TEST_CASE("a Failure that has a name too, and it is the same") {
    const Failure failure{ValueError("named")};
    CHECK(defer::failureResultOf<ValueError>(returnsNamedFailure(failure)) == failure);
}

Deferred<std::string> returnsResult(Result<std::string> result) {
    co_await 1;
    co_return result;
}

TEST_CASE("a Result is taken apart") {
    CHECK(defer::successResultOf(returnsResult("good")) == "good");
    const Failure failure =
        defer::failureResultOf<ValueError>(returnsResult(std::unexpected(Failure(ValueError("bad")))));
    CHECK(failure.getErrorMessage() == "bad");
}

Deferred<std::string> passesResultOn(Deferred<std::string> d) {
    Result<std::string> result = co_await d.result();
    co_return result;
}

TEST_CASE("a Result that was awaited can be returned as it is") {
    CHECK(defer::successResultOf(passesResultOn(defer::succeed(std::string("good")))) == "good");
    defer::failureResultOf<ValueError>(passesResultOn(defer::fail(ValueError("bad"))));
}

Deferred<std::string> converts() {
    co_await 1;
    co_return "a literal";
}

Deferred<std::pair<int, std::string>> braced(Deferred<int> d) {
    const int n = co_await d;
    co_return {n, "a text that is longer than a small string"};
}

TEST_CASE("a value that converts, and a braced one") {
    CHECK(defer::successResultOf(converts()) == "a literal");
    const auto [number, text] = defer::successResultOf(braced(defer::succeed(2)));
    CHECK(number == 2);
    CHECK(text == "a text that is longer than a small string");
}

Deferred<std::unique_ptr<int>> passesMoveOnly(Deferred<std::unique_ptr<int>> d) {
    std::unique_ptr<int> owned = co_await d;
    ++*owned;
    co_return owned;
}

TEST_CASE("move-only results go through") {
    const Deferred<std::unique_ptr<int>> d;
    const Deferred<std::unique_ptr<int>> own = passesMoveOnly(passesMoveOnly(d));
    d.callback(std::make_unique<int>(40));
    CHECK(*defer::successResultOf(own) == 42);
}

using Large = std::array<std::string, 4>;

Deferred<Large> passesLarge(Deferred<Large> d) {
    Large large = co_await d;
    large[3] = "changed into a text that is longer than a small string";
    co_return large;
}

TEST_CASE("results that are larger than the slot go through") {
    const Deferred<Large> d;
    const Deferred<Large> own = passesLarge(d);
    d.callback(Large{"a", "b", "c", "d"});
    const Large large = defer::successResultOf(own);
    CHECK(large[0] == "a");
    CHECK(large[3] == "changed into a text that is longer than a small string");
}

struct CountsMoves {
    CountsMoves() = default;
    CountsMoves(const CountsMoves&) = delete;
    CountsMoves(CountsMoves&& other) noexcept : moves(other.moves + 1) {}
    CountsMoves& operator=(CountsMoves&&) = delete;
    ~CountsMoves() = default;
    int moves = 0;
};

Deferred<int> countsMoves(Deferred<CountsMoves> d) {
    const CountsMoves value = co_await d;
    co_return value.moves;
}

TEST_CASE("an awaited value is moved once") {
    const Deferred<CountsMoves> d;
    d.callback(CountsMoves());
    CHECK(defer::successResultOf(countsMoves(d)) == 2);
}

struct ThrowsOnMove {
    ThrowsOnMove() = default;
    ThrowsOnMove(ThrowsOnMove&&) {
        if (armed) throw ValueError("out of a move");
    }
    ThrowsOnMove& operator=(ThrowsOnMove&&) = delete;
    ~ThrowsOnMove() = default;
    static inline bool armed = false;
};

Deferred<void> awaitsThrowing(Deferred<ThrowsOnMove> d) {
    [[maybe_unused]] const ThrowsOnMove value = co_await d;
}

TEST_CASE("what the move of an awaited value throws is thrown at the co_await") {
    const Deferred<ThrowsOnMove> d;
    const Deferred<void> own = awaitsThrowing(d);
    ThrowsOnMove::armed = false;
    d.pause();
    d.callback(ThrowsOnMove());
    ThrowsOnMove::armed = true;
    d.unpause();
    ThrowsOnMove::armed = false;
    CHECK(defer::failureResultOf<ValueError>(own).getErrorMessage() == "out of a move");
}

Deferred<int> returnsThrowing(bool* destroyed) {
    const AtExit local([destroyed] { *destroyed = true; });
    struct Throws {
        operator int() const { throw ValueError("out of a conversion"); }
    };
    co_await 1;
    co_return Throws();
}

TEST_CASE("what the conversion of the result throws fails it") {
    bool destroyed = false;
    defer::failureResultOf<ValueError>(returnsThrowing(&destroyed));
    CHECK(destroyed);
}

Deferred<int> throwsInt() {
    co_await 1;
    throw 5;
}

TEST_CASE("anything that is thrown fails it, whatever its class") {
    const Failure failure = defer::failureResultOf(throwsInt());
    CHECK(failure.check<int>() != nullptr);
    CHECK(*failure.check<int>() == 5);
}

Deferred<int> rethrows(Deferred<int> d) {
    try {
        co_return co_await d;
    } catch (const ValueError&) {
        throw;
    }
}

TEST_CASE("what is rethrown is the same exception, and its way goes on") {
    const Failure thrown{ValueError("same")};
    const Deferred<int> own = rethrows(rethrows(defer::fail(thrown)));
    const Failure failure = defer::failureResultOf<ValueError>(own);
    CHECK(failure == thrown);
    CHECK(contains(failure.getTraceback(), "rethrows"));
}

struct Says {
    Says(Words& where, std::string what) : words(&where), word(std::move(what)) {}
    Says(Says&& other) noexcept : words(std::exchange(other.words, nullptr)), word(std::move(other.word)) {}
    Says& operator=(Says&&) = delete;
    ~Says() {
        if (words != nullptr) words->push_back(word);
    }
    Words* words;
    std::string word;
};

/// A value that says when it was made of what is returned.
struct Made {
    explicit Made(Says says) {
        says.words->push_back("result stored");
        says.words = nullptr;
    }
};

Deferred<Made> endsInOrder(Words& seen, Says, Deferred<void> d) {
    const Says first(seen, "first local gone");
    const Says second(seen, "second local gone");
    co_await d;
    Says result(seen, "");
    co_return std::move(result);
}

TEST_CASE(
    "when it ends: the result is stored, then its locals go, then its parameters, and then its chain runs") {
    Words seen;
    const Deferred<void> d;
    endsInOrder(seen, Says(seen, "parameter gone"), d).addCallback([&](const Made&) {
        seen.push_back("chain runs");
    });
    d.callback();
    CHECK(seen ==
          Words{"result stored", "second local gone", "first local gone", "parameter gone", "chain runs"});
}

Deferred<void> throwsInOrder(Words& seen, Says, Deferred<void> d) {
    const Says local(seen, "local gone");
    co_await d;
    throw ValueError();
}

TEST_CASE("also when an exception ends it") {
    Words seen;
    const Deferred<void> d;
    throwsInOrder(seen, Says(seen, "parameter gone"), d).addErrback([&] { seen.push_back("chain runs"); });
    d.callback();
    CHECK(seen == Words{"local gone", "parameter gone", "chain runs"});
}

Deferred<void> holdsWhatItAwaits(Deferred<void> d, int& alive) {
    const Counted local(alive);
    co_await d;
}

TEST_CASE("the frame is gone when its chain runs: what it alone held is gone too") {
    int alive = 0;
    int held = 0;
    Deferred<void> d([count = Counted(held)] {});
    CHECK(held == 1);
    holdsWhatItAwaits(d, alive).addCallback([&] {
        CHECK(alive == 0);
        CHECK(held == 0);
    });
    CHECK(alive == 1);
    std::exchange(d, nullptr).callback();
    CHECK(alive == 0);
}

struct ThrowsWhenItGoes {
    explicit ThrowsWhenItGoes(const char* with) : text(with) {}
    ThrowsWhenItGoes(const ThrowsWhenItGoes&) = delete;
    ThrowsWhenItGoes& operator=(const ThrowsWhenItGoes&) = delete;
    ~ThrowsWhenItGoes() noexcept(false) {
        if (std::uncaught_exceptions() == uncaught) throw ValueError(text);
    }
    const char* text;
    int uncaught = std::uncaught_exceptions();
};

Deferred<std::string> throwsAtItsEnd(Words& seen, Deferred<void> d) {
    const Says outer(seen, "outer local gone");
    const ThrowsWhenItGoes throwing("out of a local");
    const Says inner(seen, "inner local gone");
    co_await d;
    co_return "a result that is longer than a small string, and is lost";
}

TEST_CASE(
    "an exception out of a local's destructor, at its end: that is the result, and the other locals go") {
    Words seen;
    const Deferred<void> d;
    const Deferred<std::string> own = throwsAtItsEnd(seen, d);
    d.callback();
    CHECK(defer::failureResultOf<ValueError>(own).getErrorMessage() == "out of a local");
    CHECK(seen == Words{"inner local gone", "outer local gone"});
}

Deferred<int> throwsInsideABlock(Deferred<void> d) {
    try {
        const ThrowsWhenItGoes throwing("out of a block");
        co_await d;
    } catch (const ValueError& error) {
        co_return error.what() == std::string("out of a block") ? 1 : 2;
    }
    co_return 3;
}

TEST_CASE("an exception out of a local's destructor, at the end of a block: it can be caught") {
    const Deferred<void> d;
    const Deferred<int> own = throwsInsideABlock(d);
    d.callback();
    CHECK(defer::successResultOf(own) == 1);
}

Deferred<void> throwsWithSuchALocal(Words& seen, Deferred<void> d) {
    const Says outer(seen, "outer local gone");
    const ThrowsWhenItGoes throwing("isn't thrown while another one flies");
    co_await d;
    throw RuntimeError("the first");
}

TEST_CASE(
    "a local whose destructor throws only when nothing flies keeps quiet on the way out of an exception") {
    Words seen;
    const Deferred<void> d;
    const Deferred<void> own = throwsWithSuchALocal(seen, d);
    d.callback();
    CHECK(defer::failureResultOf<RuntimeError>(own).getErrorMessage() == "the first");
    CHECK(seen == Words{"outer local gone"});
}

Deferred<void> abandonedWithThrowing(Words& seen, Deferred<void> d) {
    const Says outer(seen, "outer local gone");
    const ThrowsWhenItGoes throwing("out of an abandoned one");
    const Says inner(seen, "inner local gone");
    co_await d;
}

TEST_CASE(
    "an exception out of a local's destructor while it is abandoned: it is logged, and the other locals go") {
    Words seen;
    Deferred<void> d;
    const Deferred<void> own = abandonedWithThrowing(seen, d);
    d = nullptr;
    CHECK(seen == Words{"inner local gone", "outer local gone"});
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
    const std::vector<Failure> logged = defer::flushLoggedErrors<ValueError>();
    REQUIRE(logged.size() == 1);
    CHECK(logged[0].getErrorMessage() == "out of an abandoned one");
    CHECK_FALSE(own.called());
}

Deferred<int> neverSuspends(Words& seen, Says) {
    const Says local(seen, "local gone");
    co_return 1;
}

TEST_CASE("one that never suspends is over when its caller gets its Deferred") {
    Words seen;
    const Deferred<int> own = neverSuspends(seen, Says(seen, "parameter gone"));
    seen.push_back("returned");
    CHECK(own.called());
    CHECK(seen[0] == "local gone");
    CHECK(seen.size() == 3);
    CHECK(defer::successResultOf(own) == 1);
}

Deferred<void> firesItselfByHand(Deferred<void> d) {
    co_await d;
}

TEST_CASE("nobody else can fire its Deferred, before its end or after") {
    const Deferred<void> d;
    const Deferred<void> own = firesItselfByHand(d);
    CHECK_THROWS_AS(own.callback(), RuntimeError);
    CHECK_THROWS_AS(own.errback(ValueError()), RuntimeError);
    d.callback();
    CHECK_THROWS_AS(own.callback(), RuntimeError);
    defer::successResultOf(own);
}

} // namespace
