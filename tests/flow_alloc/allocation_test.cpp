#include <ropewalk/flow/generator.hpp>

#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/concurrent.hpp>
#include <ropewalk/flow/filter.hpp>
#include <ropewalk/flow/map.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/task/generator.hpp>
#include <support/allocations/allocations.hpp>

namespace flow = ropewalk::flow;

using flow::Generator;

namespace {

Generator<int> source() {
    for (int i = 0;; ++i) co_yield i;
}
Generator<int> mapped(Generator<int> inner) {
    auto from = flow::wrap(std::move(inner));
    co_yield from;
    for (const int n : from) {
        co_yield n * 2;
        co_yield from;
    }
}
Generator<int> filtered(Generator<int> inner) {
    auto from = flow::wrap(std::move(inner));
    for (;;) {
        co_yield from;
        const int n = from.next();
        if (n % 4 == 0) co_yield n;
    }
}
Generator<int> awaited(Generator<int> inner) {
    auto from = flow::wrap(std::move(inner));
    while (auto n = co_await from) co_yield *n;
}
Generator<int> asResults(Generator<int> inner) {
    auto from = flow::wrap(std::move(inner));
    while (auto n = co_await from.result()) co_yield **n;
}

/// After the first results, a thousand more take no memory.
template <class X>
void checkResults(X&& x) {
    flow::Block block(std::forward<X>(x));
    auto at = block.begin();
    for (int i = 0; i < 10; ++i) ++at;
    const long before = allocations().count;
    for (int i = 0; i < 1000; ++i) ++at;
    CHECK(allocations().count == before);
}

} // namespace

TEST_CASE("results of generators allocate nothing, in whatever form they are taken") {
    checkResults(source());
    checkResults(mapped(source()));
    checkResults(filtered(mapped(source())));
    checkResults(awaited(filtered(mapped(source()))));
    checkResults(asResults(awaited(source())));
}

TEST_CASE("nor do those of lists, iterators and traps") {
    checkResults(std::vector<int>(2000));
    auto numbers = []() -> ropewalk::task::Generator<int> {
        for (int i = 0;; ++i) co_yield i;
    };
    checkResults(numbers());
    flow::Block block(source(), flow::trap<ropewalk::ValueError>);
    CHECK(*block.next() == 0);
    const long before = allocations().count;
    for (int i = 1; i < 1000; ++i) CHECK(*block.next() == i);
    CHECK(allocations().count == before);
}

TEST_CASE("nor those of Map, Zip, Filter and Merge") {
    checkResults(flow::Map([](int n) { return n + 1; }, source()));
    checkResults(flow::Zip(source(), source()));
    checkResults(flow::Filter([](int n) { return n % 2 == 0; }, source()));
    checkResults(flow::Merge(source(), mapped(source())));
}

TEST_CASE("a generator is one allocation, and its stage none") {
    const long before = allocations().count;
    auto stage = flow::wrap(source());
    CHECK(allocations().count == before + 1);
}
