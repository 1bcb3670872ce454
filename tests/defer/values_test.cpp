#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "probes.hpp"

namespace defer = ropewalk::defer;

using defer::Deferred;
using ropewalk::Failure;
using ropewalk::Result;
using ropewalk::ValueError;

namespace {

Deferred<std::unique_ptr<int>> passOn(Deferred<std::unique_ptr<int>> d) {
    std::unique_ptr<int> value = co_await d;
    ++*value;
    co_return value;
}

TEST_CASE("results that only move go through callbacks, waiting, chaining, coroutines and errbacks") {
    using Pointer = std::unique_ptr<int>;
    const Deferred<Pointer> first;
    const Deferred<Pointer> second;
    const Deferred<Pointer> third;
    const Deferred<Pointer> waits = defer::succeed().addCallback([&] { return second; });
    first.addCallback([](Pointer p) {
        ++*p;
        return p;
    });
    first.addErrback([](const Failure&) { return std::make_unique<int>(0); });
    first.addBoth([](Result<Pointer> r) { return r; });
    first.chainDeferred(second);
    waits.chainDeferred(third);
    const Deferred<Pointer> last = passOn(third);
    first.callback(std::make_unique<int>(1));
    CHECK(*defer::successResultOf(last) == 3);
}

TEST_CASE("results larger than the slot") {
    using Large = std::array<std::string, 5>;
    const Deferred<Large> d;
    const Deferred<Large> waits = defer::succeed().addCallback([&] { return d; });
    const Deferred<std::string> end = waits
                                          .addCallback([](Large text) {
                                              text[4] += " and changed";
                                              return text;
                                          })
                                          .addCallback([](const Large& text) { return text[0] + text[4]; });
    d.callback(Large{"a text that is longer than a short one, ", "", "", "", "moved"});
    CHECK(defer::successResultOf(end) == "a text that is longer than a short one, moved and changed");
}

/// Throws at the move that its budget doesn't cover.
class ThrowingMove {
public:
    ThrowingMove(int& alive, int& budget, int n) : number(n), count_(alive), budget_(&budget) {}
    ThrowingMove(ThrowingMove&& other) noexcept(false)
        : number(other.number), count_(other.count_), budget_(other.budget_) {
        if (--*budget_ < 0) throw ValueError("one move too many");
    }
    ThrowingMove(const ThrowingMove&) = delete;
    int number;

private:
    probes::Counted count_;
    int* budget_;
};

/// 7, or 0 where a move threw.
int throughAChain(int& alive, int& budget) {
    const Deferred<ThrowingMove> d;
    const Deferred<ThrowingMove> waits = defer::succeed().addCallback([&] { return d; });
    const Deferred<int> end = waits
                                  .addCallback([](ThrowingMove value) {
                                      ++value.number;
                                      return value;
                                  })
                                  .addBoth([](Result<ThrowingMove> r) { return r; })
                                  .addCallback([](const ThrowingMove& value) { return value.number; })
                                  .addErrback([](const Failure& f) {
                                      f.trap<ValueError>();
                                      return 0;
                                  });
    d.callback(ThrowingMove(alive, budget, 6));
    return defer::successResultOf(end);
}

TEST_CASE("results whose move may throw, and throws at every one in turn") {
    int alive = 0;
    int failures = 0;
    for (int moves = 0;; ++moves) {
        int budget = moves;
        int got = -1;
        try {
            got = throughAChain(alive, budget);
        } catch (const ValueError&) {
            CHECK(moves == 0);
        }
        CHECK(alive == 0);
        if (got == 7) break;
        CHECK(got <= 0);
        ++failures;
        REQUIRE(failures < 100);
    }
    CHECK(failures >= 4);
}

struct ThrowingCopy {
    ThrowingCopy() = default;
    ThrowingCopy(const ThrowingCopy&) { throw ValueError("no copy"); }
    ThrowingCopy(ThrowingCopy&&) = default;
};

TEST_CASE("a value that can't be stored leaves the Deferred unfired") {
    const Deferred<ThrowingCopy> d;
    const ThrowingCopy value;
    CHECK_THROWS_AS(d.callback(value), ValueError);
    CHECK_FALSE(d.called());
    d.callback(ThrowingCopy());
    CHECK(d.called());
}

struct alignas(16) Aligned16 {
    std::array<unsigned char, 16> bytes{};
};
struct alignas(64) Aligned64 {
    int number = 0;
};

template <class T>
bool isAligned(const T& object) {
    return reinterpret_cast<std::uintptr_t>(&object) % alignof(T) == 0;
}

TEST_CASE("over-aligned results stand where they should") {
    bool small = false;
    bool large = false;
    const Deferred<Aligned16> a;
    a.addCallback([&](const Aligned16& value) { small = isAligned(value); });
    a.callback(Aligned16());
    const Deferred<Aligned64> b;
    const Deferred<Aligned64> waits = defer::succeed().addCallback([&] { return b; });
    waits.addCallback([&](const Aligned64& value) { large = isAligned(value) && value.number == 7; });
    b.callback(Aligned64{7});
    CHECK(small);
    CHECK(large);
}

TEST_CASE("over-aligned captures too, wherever in the chain") {
    int aligned = 0;
    int runs = 0;
    const Deferred<int> d;
    for (int i = 0; i < 30; ++i) {
        d.addCallback([&, a = Aligned64{i}, i](int n) {
            aligned += isAligned(a) && a.number == i ? 1 : 0;
            return n;
        });
        d.addCallback([&, a = Aligned16{}](int n) {
            aligned += isAligned(a) ? 1 : 0;
            return n + 1;
        });
        d.addErrback([a = Aligned64{i}](const Failure&) { return a.number; });
        runs += 2;
    }
    d.callback(0);
    CHECK(aligned == runs);
    CHECK(defer::successResultOf(d) == 30);
}

TEST_CASE("large captures, larger than any block") {
    std::array<int, 1000> big{};
    big[999] = 5;
    int got = 0;
    const Deferred<int> d;
    d.addCallback([](int n) { return n + 1; })
        .addCallback([big](int n) { return n + big[999]; })
        .addCallback([big, &got](int n) { got = n + big[999]; });
    d.callback(1);
    CHECK(got == 12);
}

TEST_CASE("every value is destroyed once, in whatever state the Deferred goes") {
    int alive = 0;
    const auto value = [&] { return probes::Counted(alive); };
    const auto pass = [](probes::Counted c) { return c; };
    SUBCASE("fired, with no callback") {
        Deferred<probes::Counted>().callback(value());
    }
    SUBCASE("passed on") {
        const Deferred<probes::Counted> d;
        d.addCallback(pass).addCallback(pass);
        d.callback(value());
        CHECK(alive == 1);
    }
    SUBCASE("dropped by a callback that takes nothing") {
        const Deferred<probes::Counted> d;
        const Deferred<void> end = d.addCallback([] {});
        d.callback(value());
        CHECK(alive == 0);
    }
    SUBCASE("replaced by a failure") {
        const Deferred<probes::Counted> d;
        const Deferred<int> end = d.addCallback([](const probes::Counted&) -> int { throw ValueError("x"); });
        d.callback(value());
        CHECK(alive == 0);
        end.addErrback([] {});
    }
    SUBCASE("paused") {
        const Deferred<probes::Counted> d;
        d.addCallback(pass);
        d.pause();
        d.callback(value());
        CHECK(alive == 1);
    }
    SUBCASE("waiting for an inner one") {
        const Deferred<int> inner;
        const Deferred<probes::Counted> d;
        d.addCallback([&] { return inner; });
        d.callback(value());
        CHECK(alive == 1);
        inner.callback(1);
        CHECK(alive == 0);
    }
    SUBCASE("boxed") {
        using Boxed = std::pair<probes::Counted, std::array<char, 100>>;
        const Deferred<Boxed> d;
        d.addCallback([](Boxed b) { return b; });
        d.callback(Boxed(value(), {}));
        CHECK(alive == 1);
    }
    SUBCASE("taken by a chain") {
        const Deferred<probes::Counted> d;
        const Deferred<probes::Counted> e = defer::succeed().addCallback([&] { return d; });
        d.callback(value());
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
}

TEST_CASE("a Deferred of Failures carries them as values") {
    const Deferred<Failure> d;
    std::string text;
    d.addCallbacks([&](const Failure& f) { text = f.getErrorMessage(); }, [&] { text = "errback"; });
    d.callback(Failure(ValueError("a value")));
    CHECK(text == "a value");
}

TEST_CASE("values that convert: callback takes what T is made of") {
    const Deferred<std::string> text;
    text.callback("characters");
    CHECK(defer::successResultOf(text) == "characters");
    const Deferred<std::vector<int>> numbers;
    numbers.callback(std::vector{1, 2});
    CHECK(defer::successResultOf(numbers).size() == 2);
    const Deferred<double> real;
    real.callback(2);
    CHECK(defer::successResultOf(real) == 2.0);
}

} // namespace
