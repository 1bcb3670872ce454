#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/config.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <ostream>
#include <thread>
#include <utility>
#include <vector>

#include <support/allocations/allocations.hpp>

using ropewalk::Failure;
using ropewalk::defer::Deferred;

namespace {

/// What `work` allocates, in a thread that has kept no memory of earlier chains.
template <class F>
Allocations counted(F work) {
    Allocations found;
    std::thread([&] {
        { const Deferred<int> first; }
        std::vector<Deferred<int>> spares(8);
        allocations() = {};
        work();
        found = allocations();
    }).join();
    return found;
}

constexpr int many = 3000;

TEST_CASE("one allocation for a Deferred with up to three small callbacks, fired and read") {
    for (int callbacks = 0; callbacks <= 3; ++callbacks) {
        int sum = 0;
        std::vector<Deferred<int>> living;
        const Allocations found = counted([&] {
            allocations().counting = false;
            living.reserve(many);
            allocations().counting = true;
            for (int i = 0; i < many; ++i) {
                Deferred<int> d;
                for (int k = 0; k < callbacks; ++k) {
                    d.addCallback([&sum](int n) {
                        ++sum;
                        return n + 1;
                    });
                }
                d.callback(i);
                living.push_back(std::move(d));
            }
            allocations().counting = false;
            living.clear();
        });
        CHECK(sum == callbacks * many);
        CHECK(found.count == many);
        if constexpr (!ROPEWALK_CHECKS) CHECK(found.largest == 256);
    }
}

TEST_CASE("errbacks and functions on both sides are as small") {
    int seen = 0;
    std::vector<Deferred<int>> living;
    const Allocations found = counted([&] {
        allocations().counting = false;
        living.reserve(many);
        allocations().counting = true;
        for (int i = 0; i < many; ++i) {
            const Deferred<int> d;
            d.addErrback([&seen](const Failure&) { return ++seen; });
            d.addBoth([&seen](ropewalk::Result<int> r) {
                ++seen;
                return r;
            });
            d.addCallbacks([](int n) { return n; }, [](const Failure&) { return 0; });
            d.callback(i);
            living.push_back(d);
        }
        allocations().counting = false;
        living.clear();
    });
    CHECK(seen == many);
    CHECK(found.count == many);
}

TEST_CASE("firing, and adding to what has fired, allocate nothing") {
    long sum = 0;
    const Allocations found = counted([&] {
        Deferred<int> d;
        d.addCallback([](int n) { return n; });
        d.callback(1);
        for (int i = 0; i < 100000; ++i) {
            d.addCallback([&sum](int n) {
                sum += n;
                return n;
            });
        }
    });
    CHECK(sum == 100000);
    CHECK(found.count == 1);
}

TEST_CASE("a chain that lives for days holds nothing when its callbacks have run") {
    constexpr int rounds = 50;
    int grew = 0;
    int gaveBack = 0;
    counted([&] {
        const Deferred<int> d;
        const long alone = allocations().living;
        for (int round = 0; round < rounds; ++round) {
            d.pause();
            for (int i = 0; i < 100; ++i) d.addCallback([i](int n) { return n + i; });
            if (round == 0) d.callback(0);
            grew += allocations().living > alone ? 1 : 0;
            d.unpause();
            gaveBack += allocations().living == alone ? 1 : 0;
        }
    });
    CHECK(grew == rounds);
    CHECK(gaveBack == rounds);
}

TEST_CASE("a thousand callbacks take few blocks: each is twice as large as the one before") {
    const Allocations found = counted([] {
        const Deferred<int> d;
        for (int i = 0; i < 1000; ++i) d.addCallback([i](int n) { return n + i; });
        d.callback(0);
    });
    CHECK(found.count > 1);
    CHECK(found.count <= 12);
}

TEST_CASE("waiting for a Deferred, and chainDeferred, take no memory but the two chains'") {
    const Allocations returned = counted([] {
        const Deferred<int> inner;
        const Deferred<int> outer;
        outer.addCallback([&inner](int) { return inner; });
        outer.callback(1);
        inner.callback(2);
    });
    CHECK(returned.count == 2);
    const Allocations chained = counted([] {
        const Deferred<int> source;
        const Deferred<int> target;
        source.chainDeferred(target);
        source.callback(1);
    });
    CHECK(chained.count == 2);
}

template <class T>
long allocationsFor(T value) {
    return counted([&] {
               const Deferred<T> d;
               d.callback(std::move(value));
           })
        .count;
}

TEST_CASE(
    "a value of up to 32 bytes lies in the chain; a larger one, and one whose move may throw, lie on the heap") {
    struct ThrowingMove {
        ThrowingMove() = default;
        ThrowingMove(ThrowingMove&&) noexcept(false) {}
    };
    CHECK(allocationsFor(1) == 1);
    CHECK(allocationsFor(std::array<char, 32>()) == 1);
    CHECK(allocationsFor(std::array<char, 33>()) == 2);
    CHECK(allocationsFor(ThrowingMove()) == 2);
}

Deferred<int> plusOne(Deferred<int> d) {
    co_return co_await d + 1;
}

TEST_CASE("a coroutine is its frame and its chain; awaiting takes nothing more") {
    int got = 0;
    const Allocations found = counted([&] {
        const Deferred<int> gate;
        plusOne(gate).addCallback([&got](int n) { got = n; });
        gate.callback(1);
    });
    CHECK(got == 2);
    CHECK(found.count == 3);
    if constexpr (ROPEWALK_CHECKS) CHECK(found.living == 0);
}

} // namespace
