#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "probes.hpp"

namespace defer = ropewalk::defer;

using defer::Deferred;
using ropewalk::Failure;
using ropewalk::ValueError;
using ropewalk::WrongTypeError;

// More callbacks than fit into the chain itself.
namespace {

/// Adds a callback whose capture has `size` bytes beside what it needs, and that notes `i`.
template <std::size_t size>
void addSized(const Deferred<int>& d, std::vector<int>& order, int i) {
    std::array<char, size> bytes{};
    bytes.back() = static_cast<char>(i);
    d.addCallback([&order, i, bytes](int n) {
        if (bytes.back() == static_cast<char>(i)) order.push_back(i);
        return n;
    });
}

void addOne(const Deferred<int>& d, std::vector<int>& order, int i) {
    switch (i % 7) {
        case 0:
            return addSized<1>(d, order, i);
        case 1:
            return addSized<8>(d, order, i);
        case 2:
            return addSized<40>(d, order, i);
        case 3:
            return addSized<90>(d, order, i);
        case 4:
            return addSized<1000>(d, order, i);
        case 5:
            return addSized<24>(d, order, i);
        default:
            return addSized<3000>(d, order, i);
    }
}

std::vector<int> upTo(int count) {
    std::vector<int> numbers;
    for (int i = 0; i < count; ++i) numbers.push_back(i);
    return numbers;
}

TEST_CASE("any number of callbacks of any size, added before the fire, run in order") {
    for (const int count : {1, 2, 3, 4, 5, 8, 13, 50, 300}) {
        std::vector<int> order;
        const Deferred<int> d;
        for (int i = 0; i < count; ++i) addOne(d, order, i);
        d.callback(7);
        CHECK(order == upTo(count));
        CHECK(defer::successResultOf(d) == 7);
    }
}

TEST_CASE("added while others run") {
    std::vector<int> order;
    const Deferred<int> d;
    int added = 0;
    for (int i = 0; i < 5; ++i) {
        d.addCallback([&](int n) {
            for (int k = 0; k < 40; ++k) addOne(d, order, added++);
            return n;
        });
    }
    d.callback(7);
    CHECK(order == upTo(200));
}

TEST_CASE("added while paused in the middle, again and again") {
    std::vector<int> order;
    const Deferred<int> d;
    d.callback(7);
    for (int round = 0; round < 20; ++round) {
        d.pause();
        for (int i = 0; i < 10; ++i) {
            addOne(d, order, round * 10 + i);
            if (i == 5) {
                d.addCallback([&](int n) {
                    d.pause();
                    return n;
                });
            }
        }
        d.unpause();
        CHECK(order.size() == static_cast<std::size_t>(round) * 10 + 6);
        d.unpause();
    }
    CHECK(order == upTo(200));
}

TEST_CASE("with waiting in the middle of the blocks") {
    std::vector<int> order;
    const Deferred<int> inner;
    const Deferred<int> d;
    for (int i = 0; i < 30; ++i) addOne(d, order, i);
    d.addCallback([&](int) { return inner; });
    for (int i = 30; i < 60; ++i) addOne(d, order, i);
    d.callback(7);
    CHECK(order == upTo(30));
    for (int i = 60; i < 90; ++i) addOne(d, order, i);
    inner.callback(8);
    CHECK(order == upTo(90));
    CHECK(defer::successResultOf(d) == 8);
}

TEST_CASE("dropped in any state, every closure goes once") {
    int alive = 0;
    const auto add = [&](const Deferred<int>& d) {
        for (int i = 0; i < 40; ++i) {
            d.addCallback([c = probes::Counted(alive)](int n) { return n; });
            d.addErrback(
                [](const Failure& f, const probes::Counted&, const std::array<char, 60>&) { return f; },
                probes::Counted(alive), std::array<char, 60>());
        }
    };
    SUBCASE("unfired") {
        add(Deferred<int>());
    }
    SUBCASE("paused at the beginning") {
        const Deferred<int> d;
        add(d);
        d.pause();
        d.callback(1);
    }
    SUBCASE("paused in the middle") {
        const Deferred<int> d;
        add(d);
        d.addCallback([&](int n) {
            d.pause();
            return n;
        });
        add(d);
        d.callback(1);
        CHECK(alive == 80);
    }
    SUBCASE("paused at the end") {
        const Deferred<int> d;
        add(d);
        d.addCallback([&](int n) {
            d.pause();
            return n;
        });
        d.callback(1);
        CHECK(alive == 0);
    }
    SUBCASE("waiting") {
        const Deferred<int> inner;
        const Deferred<int> d;
        add(d);
        d.addCallback([&](int) { return inner; });
        add(d);
        d.callback(1);
        CHECK(alive == 80);
    }
    SUBCASE("failed") {
        const Deferred<int> d;
        add(d);
        d.errback(ValueError("x"));
        CHECK(alive == 0);
        d.addErrback([] {});
    }
    CHECK(alive == 0);
}

/// A function whose copy throws when the budget is spent.
struct Unstorable {
    explicit Unstorable(int& b) : budget(&b) {}
    Unstorable(const Unstorable& other) : budget(other.budget) {
        if (--*budget < 0) throw ValueError("no copy");
    }
    std::string operator()(const std::string& s) const { return s + '!'; }
    int operator()(const Failure&) const { return 0; }
    int* budget;
};

TEST_CASE("a function that can't be stored leaves the chain as it was, with its type") {
    const Deferred<int> d;
    const Deferred<std::string> text = d.addCallback([](int n) { return std::to_string(n); });
    int stored = 0;
    for (int copies = 0; copies < 10; ++copies) {
        int budget = copies;
        try {
            text.addCallback([u = Unstorable(budget)](const std::string& s) {
                u(s);
                return 1.5;
            });
            ++stored;
            break;
        } catch (const ValueError&) {
            text.addCallback([](const std::string& s) { return s + '+'; });
        }
    }
    CHECK(stored == 1);
    CHECK_THROWS_AS(text.addCallback([](const std::string& s) { return s; }), WrongTypeError);
    d.callback(7);
    CHECK(probes::contains(d.str(), "current result: <double>"));
}

TEST_CASE("a function that can't be stored, among many that can") {
    std::vector<int> order;
    const Deferred<int> d;
    int refused = 0;
    for (int i = 0; i < 60; ++i) {
        addOne(d, order, i);
        int budget = i % 3;
        try {
            d.addErrback(Unstorable(budget));
        } catch (const ValueError&) {
            ++refused;
        }
    }
    CHECK(refused >= 20);
    d.callback(1);
    CHECK(order == upTo(60));
}

} // namespace
