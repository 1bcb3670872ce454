#include <ropewalk/flow/trap.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/task/clock.hpp>

#include <flow/flows.hpp>

namespace defer = ropewalk::defer;
namespace flow = ropewalk::flow;

using flow::trap;
using flows::failing;
using ropewalk::AssertionError;
using ropewalk::IOError;
using ropewalk::Result;
using ropewalk::RuntimeError;
using ropewalk::ValueError;

using Texts = std::vector<std::string>;

namespace {

/// What a stage of Results gives, as texts.
template <class Stage>
Texts texts(Stage& stage) {
    Texts all;
    flow::Block block(stage);
    for (auto& result : block) {
        all.push_back(result ? std::to_string(*result) : "trapped " + result.error().getErrorMessage());
    }
    return all;
}

flow::Generator<std::string> consumer(flow::Generator<int> source) {
    auto producer = flow::wrap(std::move(source), trap<IOError>);
    std::string error;
    try {
        co_yield producer;
        for (const auto& result : producer) {
            if (!result) {
                co_yield "trapped";
            } else {
                co_yield std::to_string(*result);
            }
            co_yield producer;
        }
    } catch (const AssertionError& raised) {
        error = raised.what();
    }
    if (!error.empty()) co_yield error;
}

} // namespace

TEST_CASE("a trapped error is a result; another one is raised") {
    CHECK(flows::all(consumer(failing(IOError("trap")))) == Texts{"1", "trapped"});
    CHECK(flows::all(consumer(failing(AssertionError("notrap")))) == Texts{"1", "notrap"});
    flow::Block block(consumer(failing(ValueError())));
    CHECK(block.next() == "1");
    CHECK_THROWS_AS(block.next(), ValueError);
}

TEST_CASE("it is the last result: the stage has stopped, and has no failure") {
    auto stage = flow::wrap(failing(ValueError("bad")), trap<IOError, ValueError>);
    CHECK(texts(stage) == Texts{"1", "trapped bad"});
    CHECK(stage.stop);
    CHECK_FALSE(stage.failure);
}

TEST_CASE("a class is trapped with those that derive from it") {
    auto stage = flow::wrap(failing(ValueError("bad")), trap<std::exception>);
    CHECK(texts(stage) == Texts{"1", "trapped bad"});
    auto other = flow::wrap(failing(RuntimeError("worse")), trap<ValueError>);
    flow::Block block(other);
    CHECK(*block.next() == 1);
    CHECK_THROWS_AS(block.next(), RuntimeError);
}

TEST_CASE("traps of traps: both count, and results are Results once") {
    auto first = flow::wrap(failing(ValueError("bad")), trap<IOError>);
    auto both = flow::wrap(first, trap<ValueError>);
    CHECK(texts(both) == Texts{"1", "trapped bad"});
    auto inner = flow::wrap(failing(IOError("trap")), trap<IOError>);
    auto outer = flow::wrap(inner, trap<ValueError>);
    static_assert(std::is_same_v<decltype(outer)::Item, Result<int>>);
    CHECK(texts(outer) == Texts{"1", "trapped trap"});
}

TEST_CASE("Block and flow::Deferred trap as well") {
    Texts got;
    for (const Result<int>& result : flow::Block(failing(ValueError("bad")), trap<ValueError>)) {
        got.push_back(result ? "1" : result.error().getErrorMessage());
    }
    CHECK(got == Texts{"1", "bad"});
    ropewalk::task::Clock clock;
    const auto list =
        defer::successResultOf(flow::Deferred(failing(ValueError("bad")), trap<ValueError>, clock));
    REQUIRE(list.size() == 2);
    CHECK(*list[0] == 1);
    CHECK(list[1].error().check<ValueError>() != nullptr);
    defer::failureResultOf<ValueError>(flow::Deferred(failing(ValueError()), trap<IOError>, clock));
}
