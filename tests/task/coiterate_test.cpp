#include <ropewalk/task/cooperator.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <concepts>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/defer/timeout.hpp>
#include <ropewalk/task/clock.hpp>
#include <ropewalk/task/errors.hpp>

#include <defer/probes.hpp>

namespace defer = ropewalk::defer;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using defer::assertNoResult;
using defer::CancelledError;
using defer::Deferred;
using defer::failureResultOf;
using defer::flushLoggedErrors;
using defer::successResultOf;
using ropewalk::GeneratorExit;
using ropewalk::StopIteration;
using ropewalk::ValueError;
using task::Clock;
using task::Cooperator;
using task::Generator;
using task::Steps;

namespace {

/// A Cooperator on a clock: `all` lets it take all the steps that there are.
struct World {
    void all() { clock.advance(1s); }

    Clock clock;
    Cooperator cooperator{clock};
    std::vector<int> log;
};

struct CountsDown {
    int n;
    int next() {
        if (n == 0) {
            throw StopIteration();
        }
        return n--;
    }
};

template <class I>
using Given = decltype(std::declval<Cooperator&>().coiterate(std::declval<I>()));

static_assert(std::same_as<Given<Steps<>>, Deferred<void>>);
static_assert(std::same_as<Given<Steps<std::string>&>, Deferred<std::string>>);
static_assert(std::same_as<Given<const Steps<int>&>, Deferred<int>>);
static_assert(std::same_as<Given<Generator<int, void, double>>, Deferred<double>>);
static_assert(std::same_as<Given<std::reference_wrapper<Steps<int>>>, Deferred<int>>);
static_assert(std::same_as<Given<std::reference_wrapper<const Steps<int>>>, Deferred<int>>);
static_assert(std::same_as<Given<std::vector<int>>, Deferred<void>>);
static_assert(std::same_as<Given<CountsDown>, Deferred<void>>);

} // namespace

TEST_CASE("coiterate gives what the generator returned (DESIGN: not the iterator)") {
    World world;
    auto make = [](std::vector<int>& log) -> Steps<std::string> {
        for (int n = 0; n < 3; ++n) {
            log.push_back(n);
            co_yield n;
        }
        co_return "the result";
    };
    const auto done = world.cooperator.coiterate(make(world.log));
    assertNoResult(done);
    CHECK(world.log.empty());
    world.all();
    CHECK(successResultOf(done) == "the result");
    CHECK(world.log == std::vector<int>{0, 1, 2});
}

TEST_CASE("a result may be one that can only be moved") {
    World world;
    auto make = []() -> Steps<std::unique_ptr<int>> {
        co_yield {};
        co_return std::make_unique<int>(4);
    };
    const auto done = world.cooperator.coiterate(make());
    world.all();
    CHECK(*successResultOf(done) == 4);
}

TEST_CASE("a large result is moved, not copied, to the only one who asked") {
    struct Traced {
        explicit Traced(int& count) : copies(&count) {}
        Traced(const Traced& other) : copies(other.copies) { ++*copies; }
        Traced(Traced&&) noexcept = default;
        Traced& operator=(const Traced&) = delete;
        ~Traced() = default;
        int* copies;
    };
    World world;
    int copies = 0;
    auto make = [](int& count) -> Steps<Traced> {
        co_yield {};
        co_return Traced(count);
    };
    const auto done = world.cooperator.coiterate(make(copies));
    world.all();
    static_cast<void>(successResultOf(done));
    CHECK(copies == 0);
}

TEST_CASE("a generator with a result that ends by StopIteration leaves none") {
    World world;
    auto make = []() -> Steps<int> {
        co_yield {};
        throw StopIteration();
    };
    const auto done = world.cooperator.coiterate(make());
    world.all();
    CHECK(done.called());
    failureResultOf<ropewalk::NoResultError>(done.addCallback([](int n) { return n; }));
}

TEST_CASE("generators of anything: values, Deferreds, references") {
    World world;
    auto ints = [](std::vector<int>& log) -> Generator<int, void, int> {
        for (int n = 0; n < 3; ++n) {
            log.push_back(n);
            co_yield n;
        }
        co_return 30;
    };
    CHECK([&] {
        const auto done = world.cooperator.coiterate(ints(world.log));
        world.all();
        return successResultOf(done);
    }() == 30);

    Deferred<std::string> first;
    Deferred<std::string> second;
    auto deferreds = [](Deferred<std::string> a, Deferred<std::string> b,
                        std::vector<int>& log) -> Generator<Deferred<std::string>> {
        log.push_back(1);
        co_yield a;
        log.push_back(2);
        co_yield std::move(b);
        log.push_back(3);
    };
    world.log.clear();
    const auto done = world.cooperator.coiterate(deferreds(first, second, world.log));
    world.all();
    CHECK(world.log == std::vector<int>{1});
    first.callback("one");
    world.all();
    CHECK(world.log == std::vector<int>{1, 2});
    second.callback("two");
    world.all();
    successResultOf(done);

    const Deferred<int> kept;
    auto references = [](const Deferred<int>& d) -> Generator<const Deferred<int>&> { co_yield d; };
    const auto last = world.cooperator.coiterate(references(kept));
    world.all();
    assertNoResult(last);
    kept.callback(1);
    world.all();
    successResultOf(last);
}

TEST_CASE("a generator that somebody else goes on with too: each value is somebody's") {
    World world;
    auto make = []() -> Generator<int> {
        for (int n = 0; n < 5; ++n) {
            co_yield n;
        }
    };
    const auto generator = make();
    CHECK(generator.next() == 0);
    const auto done = world.cooperator.coiterate(generator);
    CHECK(generator.next() == 1);
    world.all();
    successResultOf(done);
    CHECK(generator.finished());
    const auto again = world.cooperator.coiterate(std::ref(generator));
    world.all();
    successResultOf(again);
}

TEST_CASE("std::ref of a generator is the generator: its result comes, and cancelling closes it") {
    World world;
    auto make = [](std::vector<int>& log) -> Steps<int> {
        const probes::AtExit last([&] { log.push_back(99); });
        co_yield {};
        co_return 8;
    };
    auto generator = make(world.log);
    const auto done = world.cooperator.coiterate(std::ref(generator));
    world.all();
    CHECK(successResultOf(done) == 8);
    generator = make(world.log);
    const auto cancelled = world.cooperator.coiterate(std::ref(generator));
    static_cast<void>(generator.next());
    world.log.clear();
    cancelled.cancel();
    failureResultOf<CancelledError>(cancelled);
    CHECK(world.log == std::vector<int>{99});
    CHECK(generator.finished());
}

TEST_CASE("an empty handle on a generator is refused at once") {
    World world;
    const Steps<> empty = nullptr;
    CHECK_THROWS_AS(static_cast<void>(world.cooperator.coiterate(empty)), ropewalk::AssertionError);
    CHECK(world.clock.getDelayedCalls().empty());
}

TEST_CASE("ranges: temporary ones are kept, those with a name are copied, std::ref refers to them") {
    World world;
    std::vector<Deferred<int>> several(3);
    const auto copied = world.cooperator.coiterate(several);
    const std::vector<Deferred<int>> same = std::exchange(several, {});
    const auto referred = world.cooperator.coiterate(std::ref(several));
    const auto kept = world.cooperator.coiterate(std::vector<Deferred<int>>{same[2]});
    world.all();
    successResultOf(referred);
    for (const auto& d : same) {
        assertNoResult(copied);
        assertNoResult(kept);
        d.callback(1);
        world.all();
    }
    successResultOf(copied);
    successResultOf(kept);
}

TEST_CASE("a range may grow under std::ref, if its iterators allow it") {
    World world;
    std::list<int> growing{1, 2};
    const auto view = growing | std::views::transform([&](int n) {
                          world.log.push_back(n);
                          if (n < 5) {
                              growing.push_back(n + 2);
                          }
                          return n;
                      });
    const auto done = world.cooperator.coiterate(view);
    world.all();
    successResultOf(done);
    CHECK(world.log == std::vector<int>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("ranges of other kinds: views, maps, arrays, single passes, nothing") {
    World world;
    std::istringstream text("1 2 3");
    const auto lazy = std::views::iota(0, 4) | std::views::filter([&](int n) {
                          world.log.push_back(n);
                          return true;
                      });
    const auto first = world.cooperator.coiterate(lazy);
    const auto second = world.cooperator.coiterate(std::views::istream<int>(text));
    const auto third = world.cooperator.coiterate(std::map<int, int>{{1, 2}});
    const auto fourth = world.cooperator.coiterate(std::array<int, 3>{});
    const auto fifth = world.cooperator.coiterate(std::vector<std::unique_ptr<int>>(2));
    const auto sixth = world.cooperator.coiterate(std::vector<bool>{true, false});
    const auto seventh = world.cooperator.coiterate(std::string());
    const int numbers[] = {1, 2, 3};
    const auto eighth = world.cooperator.coiterate(std::ref(numbers));
    world.all();
    for (const auto& done : {first, second, third, fourth, fifth, sixth, seventh, eighth}) {
        successResultOf(done);
    }
    CHECK(world.log == std::vector<int>{0, 1, 2, 3});
    CHECK(text.eof());
}

TEST_CASE("the values between two iterators, also of different types") {
    World world;
    std::forward_list<Deferred<int>> several(2);
    const auto done = world.cooperator.coiterate(several.begin(), several.end());
    const int numbers[] = {1, 2, 3};
    const auto pointers = world.cooperator.coiterate(std::begin(numbers), std::end(numbers));
    const auto work = world.cooperator.cooperate(std::counted_iterator(numbers, 3), std::default_sentinel);
    world.all();
    successResultOf(pointers);
    successResultOf(work.whenDone());
    for (const auto& d : several) {
        assertNoResult(done);
        d.callback(1);
        world.all();
    }
    successResultOf(done);
}

TEST_CASE("a callable is called once a step, until it throws StopIteration") {
    World world;
    const auto done = world.cooperator.coiterate([&, n = 0]() mutable {
        if (++n > 3) {
            throw StopIteration();
        }
        world.log.push_back(n);
        return n;
    });
    world.all();
    successResultOf(done);
    CHECK(world.log == std::vector<int>{1, 2, 3});
    int calls = 0;
    auto function = [&calls] {
        if (++calls == 3) {
            throw StopIteration();
        }
    };
    const auto referred = world.cooperator.coiterate(std::ref(function));
    world.all();
    successResultOf(referred);
    CHECK(calls == 3);
}

TEST_CASE("a callable may only be movable, may return Deferreds, and may be a coroutine") {
    World world;
    Deferred<int> d;
    const auto done = world.cooperator.coiterate([&, own = std::make_unique<int>(0)] {
        if (++*own == 3) {
            throw StopIteration();
        }
        world.log.push_back(*own);
        return *own == 1 ? d : defer::succeed(5);
    });
    world.all();
    CHECK(world.log == std::vector<int>{1});
    d.callback(1);
    world.all();
    successResultOf(done);
    Deferred<int> inner;
    const auto coroutine = world.cooperator.coiterate([&, n = 0]() mutable -> Deferred<void> {
        if (++n == 2) {
            throw StopIteration();
        }
        co_await inner;
        world.log.push_back(n);
    });
    world.all();
    CHECK(world.log == std::vector<int>{1, 2});
    inner.callback(1);
    CHECK(world.log == std::vector<int>{1, 2, 1});
    world.all();
    failureResultOf<StopIteration>(coroutine);
}

TEST_CASE("a class with next, which throws StopIteration or gives an empty optional") {
    World world;
    struct Optional {
        std::vector<int>& log;
        int n;
        std::optional<int> next() {
            log.push_back(n);
            return n == 0 ? std::nullopt : std::optional(n--);
        }
    };
    struct Waits {
        Deferred<int> d;
        bool done = false;
        std::optional<Deferred<int>> next() {
            if (std::exchange(done, true)) {
                return std::nullopt;
            }
            return d;
        }
    };
    struct Nothing {
        int& calls;
        void next() {
            if (++calls == 4) {
                throw StopIteration();
            }
        }
    };
    CountsDown down{3};
    const auto first = world.cooperator.coiterate(std::ref(down));
    const auto second = world.cooperator.coiterate(Optional{world.log, 2});
    Deferred<int> d;
    const auto third = world.cooperator.coiterate(Waits{d});
    int calls = 0;
    const auto fourth = world.cooperator.coiterate(Nothing{calls});
    const auto fifth = world.cooperator.coiterate(CountsDown{2});
    world.all();
    CHECK(down.n == 0);
    CHECK(world.log == std::vector<int>{2, 1, 0});
    CHECK(calls == 4);
    for (const auto& done : {first, second, fourth, fifth}) {
        successResultOf(done);
    }
    assertNoResult(third);
    d.callback(1);
    world.all();
    successResultOf(third);
}

TEST_CASE("what the steps throw comes to the Deferred, with where the work is written") {
    World world;
    auto make = []() -> Steps<> {
        co_yield {};
        throw ValueError("from the steps");
    };
    const auto done = world.cooperator.coiterate(make());
    const auto called = world.cooperator.coiterate([] { throw ValueError("from a call"); });
    const auto nexts =
        world.cooperator.coiterate(std::views::iota(0, 3) | std::views::transform([](int n) -> int {
                                       return n == 2 ? throw ValueError("from a range") : n;
                                   }));
    world.all();
    CHECK(failureResultOf<ValueError>(done).getErrorMessage() == "from the steps");
    CHECK(failureResultOf<ValueError>(called).getErrorMessage() == "from a call");
    CHECK(failureResultOf<ValueError>(nexts).getErrorMessage() == "from a range");
}

TEST_CASE("an error that nobody handles is logged") {
    World world;
    static_cast<void>(world.cooperator.coiterate([] { throw ValueError(); }));
    CHECK(flushLoggedErrors<ValueError>().empty());
    world.all();
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
    static_cast<void>(world.cooperator.coiterate(std::vector<Deferred<int>>{defer::fail(ValueError())}));
    world.all();
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("a Deferred that was given fires, and is returned") {
    World world;
    Deferred<int> given;
    auto make = [](bool fails) -> Steps<int> {
        co_yield {};
        if (fails) {
            throw ValueError();
        }
        co_return 12;
    };
    const auto returned = world.cooperator.coiterate(make(false), given);
    CHECK(returned == given);
    world.all();
    CHECK(successResultOf(given) == 12);
    const Deferred<int> failing;
    static_cast<void>(world.cooperator.coiterate(make(true), failing));
    world.all();
    failureResultOf<ValueError>(failing);
}

TEST_CASE("cancelling closes the generator and cancels what it waits for; the reason comes along") {
    World world;
    std::vector<std::string> seen;
    Deferred<int> waitedFor([&] { seen.emplace_back("cancelled"); });
    auto make = [](Deferred<int> d, std::vector<std::string>& into) -> Steps<int> {
        try {
            co_yield d;
        } catch (const GeneratorExit&) {
            into.emplace_back("exit");
            throw;
        }
        co_return 1;
    };
    const auto done = world.cooperator.coiterate(make(waitedFor, seen));
    world.all();
    done.cancel("no time");
    CHECK(failureResultOf<CancelledError>(done).getErrorMessage() == "no time");
    CHECK(seen == std::vector<std::string>{"cancelled", "exit"});
    CHECK(waitedFor.called());
    CHECK(world.clock.getDelayedCalls().empty());
}

TEST_CASE("cancelling before the first step runs nothing of it") {
    World world;
    int alive = 0;
    auto make = [](std::vector<int>& log, probes::Counted) -> Steps<> {
        log.push_back(1);
        co_yield {};
    };
    const auto done = world.cooperator.coiterate(make(world.log, probes::Counted(alive)));
    CHECK(alive == 1);
    done.cancel();
    CHECK(alive == 0);
    failureResultOf<CancelledError>(done);
    world.all();
    CHECK(world.log.empty());
}

TEST_CASE("cancelling when it is done does nothing") {
    World world;
    const auto done = world.cooperator.coiterate(std::vector<int>{1});
    world.all();
    done.cancel();
    successResultOf(done);
}

TEST_CASE("what a canceller throws, of a Deferred that a cancelled task waits for, is logged") {
    World world;
    Deferred<int> waitedFor([]() -> void { throw ValueError("from the canceller"); });
    const auto done = world.cooperator.coiterate(std::vector{waitedFor});
    world.all();
    done.cancel();
    failureResultOf<CancelledError>(done);
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("a failure of what a cancelled task waited for is not lost, unless it is a cancellation") {
    World world;
    Deferred<int> d([](const Deferred<int>& me) { me.errback(ValueError("could not cancel")); });
    const auto done = world.cooperator.coiterate(std::vector{d});
    world.all();
    done.cancel();
    failureResultOf<CancelledError>(done);
    CHECK(failureResultOf<ValueError>(d).getErrorMessage() == "could not cancel");
}

TEST_CASE("a time-out of coiterate's Deferred ends the work") {
    World world;
    int steps = 0;
    const auto done = world.cooperator.coiterate([&] { ++steps; }).addTimeout(5s, world.clock);
    world.clock.advance(1s);
    CHECK(steps > 0);
    world.clock.advance(5s);
    failureResultOf<defer::TimeoutError>(done);
    const int then = steps;
    world.all();
    CHECK(steps == then);
    CHECK(world.clock.getDelayedCalls().empty());
}

TEST_CASE("nobody but the task fires coiterate's Deferred") {
    World world;
    const auto done = world.cooperator.coiterate(std::vector<int>{1});
    CHECK_THROWS_AS(done.callback(), ropewalk::RuntimeError);
    world.all();
    successResultOf(done);
}

TEST_CASE("a coroutine may await coiterate, and be a step of another") {
    World world;
    auto inner = []() -> Steps<int> {
        co_yield {};
        co_return 20;
    };
    const auto total = [&](int times) -> Deferred<int> {
        int sum = 0;
        for (int n = 0; n < times; ++n) {
            sum += co_await world.cooperator.coiterate(inner());
        }
        co_return sum;
    };
    const auto done = total(3);
    world.all();
    CHECK(successResultOf(done) == 60);
    const auto outer = world.cooperator.coiterate(std::vector{total(1), total(2)});
    world.all();
    successResultOf(outer);
}

TEST_CASE("a failure that a step leaves ends the task, whatever its form") {
    Clock clock;
    Cooperator cooperator(clock);
    int steps = 0;
    const auto failing = [&](auto left) {
        return cooperator.coiterate([&steps, left] {
            ++steps;
            return left;
        });
    };
    const ropewalk::Failure failure(ropewalk::ValueError("left by a step"));
    const auto plain = failing(failure);
    const auto result = failing(ropewalk::Result<int>(std::unexpect, failure));
    const auto yielded = cooperator.coiterate([](ropewalk::Failure left) -> Steps<> {
        co_yield ropewalk::Result<int>(1);
        co_yield left;
    }(failure));
    struct Next {
        ropewalk::Failure left;
        ropewalk::Result<int> next() { return std::unexpected(left); }
    };
    const auto next = cooperator.coiterate(Next{failure});
    clock.advance(1s);
    CHECK(steps == 2);
    for (const Deferred<void>& d : {plain, result, yielded, next}) {
        CHECK(failureResultOf(d) == failure);
    }
}

TEST_CASE("what a generator returned stays with it while others hold it") {
    Clock clock;
    Cooperator cooperator(clock);
    const auto steps = []() -> Steps<std::string> {
        co_yield {};
        co_return std::string(60, 'r');
    };
    const auto generator = steps();
    const auto done = cooperator.coiterate(generator);
    clock.advance(1s);
    CHECK(successResultOf(done) == std::string(60, 'r'));
    CHECK(generator.result() == std::string(60, 'r'));
}
