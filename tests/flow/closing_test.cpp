#include <ropewalk/flow/generator.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/concurrent.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/flow/errors.hpp>
#include <ropewalk/task/clock.hpp>

#include <defer/probes.hpp>
#include <flow/flows.hpp>

namespace defer = ropewalk::defer;
namespace flow = ropewalk::flow;

using namespace std::chrono_literals;
using defer::failureResultOf;
using defer::successResultOf;
using flow::Cooperate;
using flows::pausing;
using flows::taking;
using probes::AtExit;
using ropewalk::GeneratorExit;
using ropewalk::RuntimeError;
using ropewalk::ValueError;
using ropewalk::task::Clock;

using Ints = std::vector<int>;
using Texts = std::vector<std::string>;

namespace {

flow::Generator<int> leaf(std::string name, Texts& log) {
    const AtExit last([&log, name] { log.push_back(name); });
    co_yield 1;
    co_yield Cooperate(1s);
    co_yield 2;
}

flow::Generator<int> over(std::string name, flow::Generator<int> source, Texts& log) {
    const AtExit last([&log, name] { log.push_back(name); });
    auto inner = flow::wrap(std::move(source));
    while (auto n = co_await inner) co_yield *n;
}

} // namespace

TEST_CASE("closing goes from the innermost generator outwards, the youngest first") {
    Texts log;
    auto root = [&]() -> flow::Generator<int> {
        const AtExit last([&] { log.emplace_back("root"); });
        auto first = flow::wrap(over("b", leaf("a", log), log));
        auto second = flow::wrap(over("d", leaf("c", log), log));
        auto both = flow::wrap(flow::Merge(first, second));
        while (auto n = co_await both) co_yield *n;
    };
    {
        flow::Block block(root());
        CHECK(block.next() == 1);
        CHECK(block.next() == 1);
    }
    CHECK(log == Texts{"c", "d", "a", "b", "root"});
}

TEST_CASE("a generator that is closed may use what its consumer holds") {
    std::string seen;
    auto inner = [&](const std::string& text) -> flow::Generator<int> {
        const AtExit last([&] { seen = text; });
        co_yield 1;
    };
    auto outer = [&]() -> flow::Generator<int> {
        auto source = std::make_unique<flow::GeneratorStage<int>>(flow::Generator<int>(flows::counter(1)));
        const std::string text(100, 'x');
        auto stage = flow::wrap(inner(text));
        while (auto n = co_await stage) co_yield *n;
        co_yield *source;
    };
    { CHECK(flow::Block(outer()).next() == 1); }
    CHECK(seen == std::string(100, 'x'));
}

TEST_CASE("one that was never started runs nothing, and lets go of what it was given") {
    int alive = 0;
    bool ran = false;
    auto make = [](bool& flag, probes::Counted) -> flow::Generator<int> {
        flag = true;
        co_yield 1;
    };
    {
        auto generator = make(ran, probes::Counted(alive));
        auto stage = flow::wrap(make(ran, probes::Counted(alive)));
        CHECK(alive == 2);
    }
    CHECK(alive == 0);
    CHECK_FALSE(ran);
}

TEST_CASE("GeneratorExit is raised where it waits; handlers run, and stages that were closed have stopped") {
    Texts log;
    auto make = [](Texts& into) -> flow::Generator<int> {
        auto source = flow::wrap(flows::counter(3));
        try {
            co_yield source;
            co_yield source.next();
        } catch (const GeneratorExit&) {
            into.emplace_back("exit");
            if (source.stop) into.emplace_back("stopped");
            throw;
        }
    };
    { CHECK(flow::Block(make(log)).next() == 3); }
    CHECK(log == Texts{"exit", "stopped"});
    CHECK(defer::flushLoggedErrors().empty());
}

TEST_CASE("one that yields in answer is told off, be it a value, a stage, a pause or a Deferred") {
    for (int what = 0; what < 4; ++what) {
        auto make = [](int which) -> flow::Generator<int> {
            auto source = flow::wrap(flows::counter(3));
            auto unstarted = flow::wrap(flows::counter(3));
            try {
                co_yield source;
                co_yield source.next();
            } catch (const GeneratorExit&) {}
            if (which == 0) co_yield 1;
            if (which == 1) co_yield unstarted;
            if (which == 2) co_yield Cooperate();
            if (which == 3) co_yield defer::Deferred<int>();
            FAIL("went on");
        };
        auto stage = std::make_unique<flow::GeneratorStage<int>>(make(what));
        { CHECK(flow::Block(*stage).next() == 3); }
        stage.reset();
        CHECK(defer::flushLoggedErrors<RuntimeError>().size() == 1);
    }
}

TEST_CASE("what comes out of a generator that is closed is logged") {
    auto make = []() -> flow::Generator<int> {
        try {
            co_yield 1;
        } catch (const GeneratorExit&) {
            throw ValueError("in answer");
        }
    };
    { CHECK(flow::Block(make).next() == 1); }
    CHECK(defer::flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("two flows may share a stage that pauses: neither is lost, nor runs early") {
    Clock clock;
    auto stage = flow::wrap(pausing(2s));
    const flow::Deferred first(taking(stage), clock);
    clock.advance(1s);
    const flow::Deferred second(taking(stage), clock);
    clock.advance(1s);
    Ints all = successResultOf(first);
    const Ints more = successResultOf(second);
    all.insert(all.end(), more.begin(), more.end());
    CHECK(all == Ints{1, 2});
}

TEST_CASE("of two flows that share a wrapped Deferred one gets it, and the other ends") {
    Clock clock;
    const defer::Deferred<int> pending;
    auto stage = flow::wrap(pending);
    const flow::Deferred first(taking(stage), clock);
    const flow::Deferred second(taking(stage), clock);
    pending.callback(5);
    CHECK(successResultOf(first) == Ints{5});
    CHECK(successResultOf(second) == Ints{});
}

TEST_CASE("branches of a Merge may share one as well") {
    Clock clock;
    auto stage = flow::wrap(pausing(1s));
    const flow::Deferred done(flow::Merge(taking(stage), taking(stage)), clock);
    clock.advance(1s);
    CHECK(successResultOf(done) == Ints{1, 2});
}

TEST_CASE("one of two flows that share a stage is cancelled: the other goes on, however deep the stage is") {
    auto add = [](flow::Generator<int> inner) -> flow::Generator<int> {
        auto source = flow::wrap(std::move(inner));
        while (auto n = co_await source) co_yield *n;
    };
    for (const int depth : {0, 10, 1000, 3000}) {
        Clock clock;
        auto stage = flow::wrap(pausing(1s));
        flow::Generator<int> deep = taking(stage);
        for (int i = 0; i < depth; ++i) deep = add(std::move(deep));
        const flow::Deferred first(std::move(deep), clock);
        {
            const flow::Deferred second(taking(stage), clock);
            second.cancel();
            failureResultOf<defer::CancelledError>(second);
        }
        clock.advance(1s);
        CHECK(successResultOf(first) == Ints{1, 2});
    }
}

TEST_CASE("a flow may end or cancel another one in its midst") {
    Clock clock;
    Texts log;
    std::optional<flow::Deferred<int>> other(std::in_place, leaf("other", log), clock);
    auto make = [&]() -> flow::Generator<int> {
        co_yield 1;
        other->cancel();
        failureResultOf<defer::CancelledError>(*other);
        other.reset();
        co_yield 2;
    };
    CHECK(successResultOf(flow::Deferred(make(), clock)) == Ints{1, 2});
    CHECK(log == Texts{"other"});
}

TEST_CASE("a stage, its Block and its clock may go in any order, and in callbacks") {
    auto clock = std::make_unique<Clock>();
    Texts log;
    auto stage = std::make_unique<flow::GeneratorStage<int>>(leaf("leaf", log));
    const flow::Deferred done(taking(*stage), *clock);
    done.addCallback([&](const Ints&) {
        stage.reset();
        log.emplace_back("callback");
    });
    clock->advance(1s);
    CHECK(log == Texts{"leaf", "callback"});
    clock.reset();
}
