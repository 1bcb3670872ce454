#include <ropewalk/flow/results.hpp>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <defer/probes.hpp>

using ropewalk::flow::Results;

TEST_CASE("results come out in the order they came in") {
    Results<std::string> results;
    CHECK(results.empty());
    results.push("one");
    CHECK(results.size() == 1);
    CHECK(results.front() == "one");
    results.emplace(std::size_t{3}, 'x');
    results.push(std::string(100, 'y'));
    CHECK(results.size() == 3);
    CHECK(results[1] == "xxx");
    CHECK(results.popFront() == "one");
    CHECK(results.popFront() == "xxx");
    CHECK(results.popFront() == std::string(100, 'y'));
    CHECK(results.empty());
    CHECK(results.begin() == results.end());
}

TEST_CASE("a result may be made of one that is there") {
    Results<std::string> results;
    results.push(std::string(100, 'a'));
    for (int i = 0; i < 20; ++i) {
        results.push(results.front());
    }
    CHECK(results.size() == 21);
    CHECK(std::ranges::all_of(results, [](const std::string& text) { return text.size() == 100; }));
}

TEST_CASE("moved, appended, taken: nothing is lost, and nothing is there twice") {
    int alive = 0;
    {
        Results<probes::Counted> results;
        for (int i = 0; i < 10; ++i) results.emplace(alive);
        CHECK(alive == 10);
        Results<probes::Counted> others(std::move(results));
        CHECK(alive == 10);
        CHECK(results.empty()); // NOLINT(bugprone-use-after-move)
        results.emplace(alive);
        results.append(others);
        CHECK(others.empty());
        CHECK(results.size() == 11);
        CHECK(alive == 11);
        others.append(results);
        CHECK(others.size() == 11);
    }
    CHECK(alive == 0);
}

TEST_CASE("a consumer may write what it likes") {
    Results<int> results = {1, 2, 3};
    CHECK(results.size() == 3);
    results = Results<int>({4, 5});
    results.push(6);
    CHECK(results.takeAll() == std::vector{4, 5, 6});
    CHECK(results.empty());
    results.push(7);
    results.clear();
    CHECK(results.empty());
    results = std::vector{8};
    CHECK(results.popFront() == 8);
    results = Results<int>();
    CHECK(results.takeAll().empty());
}

TEST_CASE("whatever is done to it, it does what a deque does") {
    const bool held = rc::check([](const std::vector<std::uint8_t>& steps) {
        Results<std::unique_ptr<int>> results;
        std::deque<int> model;
        int next = 0;
        for (const std::uint8_t step : steps) {
            const auto make = [&] {
                model.push_back(++next);
                return std::make_unique<int>(next);
            };
            switch (step % 8) {
                case 0:
                case 1:
                case 2:
                    results.push(make());
                    break;
                case 3:
                case 4:
                    if (!model.empty()) {
                        RC_ASSERT(*results.popFront() == model.front());
                        model.pop_front();
                    }
                    break;
                case 5: {
                    Results<std::unique_ptr<int>> more;
                    for (int i = 0; i < step / 32; ++i) more.push(make());
                    results.append(more);
                    RC_ASSERT(more.empty());
                    break;
                }
                case 6: {
                    Results<std::unique_ptr<int>> other(std::move(results));
                    RC_ASSERT(results.empty()); // NOLINT(bugprone-use-after-move)
                    results = std::move(other);
                    break;
                }
                default:
                    if (step > 200) {
                        const auto all = results.takeAll();
                        RC_ASSERT(all.size() == model.size());
                        for (std::size_t i = 0; i < all.size(); ++i) RC_ASSERT(*all[i] == model[i]);
                        model.clear();
                    }
            }
            RC_ASSERT(results.size() == model.size());
            RC_ASSERT(results.empty() == model.empty());
            std::size_t at = 0;
            for (const auto& item : results) RC_ASSERT(*item == model[at++]);
            RC_ASSERT(at == model.size());
        }
    });
    CHECK(held);
}
