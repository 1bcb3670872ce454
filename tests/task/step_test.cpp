#include <ropewalk/task/step.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>

#include <defer/probes.hpp>

namespace defer = ropewalk::defer;

using defer::Deferred;
using defer::flushLoggedErrors;
using ropewalk::Failure;
using ropewalk::ValueError;
using ropewalk::task::Generator;
using ropewalk::task::Step;
using ropewalk::task::Steps;

static_assert(std::movable<Step>);
static_assert(!std::copyable<Step>);
static_assert(std::convertible_to<Deferred<std::unique_ptr<int>>, Step>);
static_assert(std::convertible_to<std::unique_ptr<int>, Step>);
static_assert(std::convertible_to<const char (&)[4], Step>);
static_assert(std::same_as<Steps<>, Generator<Step, void, void>>);
static_assert(std::same_as<Steps<int>, Generator<Step, void, int>>);

TEST_CASE("nothing, and any value, is a step that waits for nothing") {
    CHECK_FALSE(Step().waits());
    CHECK_FALSE(Step(5).waits());
    CHECK_FALSE(Step("text").waits());
    CHECK_FALSE(Step(std::make_unique<int>(1)).waits());
    CHECK_FALSE(Step(std::optional<Deferred<int>>()).waits());
    const std::string text = "a name";
    CHECK_FALSE(Step(text).waits());
}

TEST_CASE("a Deferred of any type is waited for, and kept") {
    const Deferred<int> number;
    const Deferred<void> nothing;
    const Deferred<std::unique_ptr<int>> pointer;
    CHECK(Step(number).waits());
    CHECK(Step(nothing).waits());
    CHECK(Step(pointer).waits());
    CHECK(Step(defer::succeed(3)).waits());
    bool gone = false;
    Deferred<int> d;
    d.addCallback([last = probes::AtExit([&] { gone = true; })](int) {});
    {
        Step step(std::move(d));
        CHECK_FALSE(gone);
        const Step moved = std::move(step);
        CHECK(moved.waits());
        CHECK_FALSE(step.waits()); // NOLINT(bugprone-use-after-move)
        CHECK_FALSE(gone);
    }
    CHECK(gone);
}

TEST_CASE("a step may be assigned, and gives its Deferred away with the old one") {
    bool gone = false;
    Deferred<int> d;
    d.addCallback([last = probes::AtExit([&] { gone = true; })](int) {});
    Step step(std::move(d));
    step = Step(5);
    CHECK_FALSE(step.waits());
    CHECK(gone);
    step = Step(Deferred<int>());
    CHECK(step.waits());
    auto& itself = step;
    step = std::move(itself);
    CHECK(step.waits());
}

TEST_CASE("an empty handle is no step") {
    const Deferred<int> empty = nullptr;
    CHECK_THROWS_AS(static_cast<void>(Step(empty)), ropewalk::EmptyDeferredError);
    auto make = []() -> Steps<> {
        Deferred<int> none = nullptr;
        co_yield none;
    };
    const auto steps = make();
    CHECK_THROWS_AS(static_cast<void>(steps.next()), ropewalk::EmptyDeferredError);
}

TEST_CASE("what fail gives is a step, and an unhandled error if nobody takes it") {
    {
        const Step step = defer::fail(ValueError("a step's"));
        CHECK(step.waits());
    }
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("what may have nothing to wait for is a step that waits if it has") {
    CHECK_FALSE(Step(defer::DeferredIfPending()).waits());
    Deferred<void> pending;
    CHECK(Step(defer::DeferredIfPending(pending)).waits());
    {
        const Step failed = defer::DeferredIfPending(Failure(ValueError("at once")));
        CHECK(failed.waits());
    }
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("a step knows where it was said") {
    auto make = []() -> Steps<> { co_yield Deferred<int>(); };
    const unsigned line = probes::line(1);
    CHECK(make().next().where().line() == line);
    const Step step = Deferred<int>();
    CHECK(step.where().line() == probes::line(1));
}

TEST_CASE("all kinds of steps may be yielded by one function") {
    const Deferred<std::string> named;
    auto make = [](Deferred<std::string> d) -> Steps<std::string> {
        co_yield {};
        co_yield 5;
        co_yield "text";
        co_yield d;
        co_yield Deferred<void>();
        co_yield defer::succeed(2);
        Step made = Step(7);
        co_yield std::move(made);
        co_return "the result";
    };
    const auto steps = make(named);
    std::vector<bool> waits;
    for (const Step& step : steps) {
        waits.push_back(step.waits());
    }
    CHECK(waits == std::vector<bool>{false, false, false, true, true, true, false});
    CHECK(steps.result() == "the result");
}

TEST_CASE("a step that nobody took lets its Deferred go with the generator") {
    bool gone = false;
    auto make = [](bool& flag) -> Steps<> {
        Deferred<int> d;
        d.addCallback([last = probes::AtExit([&] { flag = true; })](int) {});
        co_yield std::exchange(d, nullptr);
    };
    {
        const auto steps = make(gone);
        static_cast<void>(steps.begin());
        CHECK_FALSE(gone);
    }
    CHECK(gone);
}
