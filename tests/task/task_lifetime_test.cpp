#include <ropewalk/task/cooperator.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/reactor/errors.hpp>
#include <ropewalk/task/clock.hpp>
#include <ropewalk/task/errors.hpp>
#include <support/memory_driver.hpp>

#include <defer/probes.hpp>
#include <task/fake_scheduler.hpp>

namespace defer = ropewalk::defer;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using defer::Deferred;
using defer::failureResultOf;
using defer::flushLoggedErrors;
using defer::successResultOf;
using probes::AtExit;
using probes::contains;
using probes::Counted;
using ropewalk::AbandonedError;
using ropewalk::Failure;
using ropewalk::ValueError;
using task::Clock;
using task::CooperativeTask;
using task::Cooperator;
using task::SchedulerStopped;
using task::Steps;

namespace {

Steps<> forever(int& steps, Counted) {
    for (;;) {
        ++steps;
        co_yield {};
    }
}

Steps<> waiting(Deferred<int> d) {
    co_yield std::move(d);
}

/// The texts of what was abandoned meanwhile.
std::vector<std::string> abandoned() {
    std::vector<std::string> texts;
    for (const Failure& failure : flushLoggedErrors<AbandonedError>()) {
        texts.push_back(failure.getErrorMessage());
    }
    return texts;
}

} // namespace

TEST_CASE("a paused task whose last handle goes is destroyed, and the log says so") {
    Clock clock;
    int alive = 0;
    int steps = 0;
    Cooperator cooperator(clock);
    {
        const auto work = cooperator.cooperate(forever(steps, Counted(alive)));
        work.pause();
        const auto copy = work; // NOLINT: a second handle
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
    const auto texts = abandoned();
    REQUIRE(texts.size() == 1);
    CHECK(contains(texts[0], "forever, which was paused"));
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("a task goes on without handles, and without its Deferred") {
    Clock clock;
    std::vector<int> log;
    Cooperator cooperator(clock);
    static_cast<void>(cooperator.cooperate([&, n = 0]() mutable {
        if (++n == 4) {
            throw ropewalk::StopIteration();
        }
        log.push_back(n);
    }));
    static_cast<void>(cooperator.coiterate(std::vector<int>{1}));
    clock.advance(1s);
    CHECK(log == std::vector<int>{1, 2, 3});
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("what a task waits for keeps it; if that goes unfired, the task goes and the log says where") {
    Clock clock;
    int alive = 0;
    bool fired = false;
    Cooperator cooperator(clock);
    Deferred<int> d;
    const unsigned madeAt = probes::line(1);
    auto make = [](Deferred<int> waitFor, Counted) -> Steps<> { co_yield std::exchange(waitFor, nullptr); };
    const unsigned saidAt = probes::line(1);
    const auto done = cooperator.coiterate(make(d, Counted(alive)));
    done.addBoth([&] { fired = true; });
    clock.advance(1s);
    CHECK(alive == 1);
    d = nullptr;
    CHECK(alive == 0);
    CHECK_FALSE(fired);
    CHECK_FALSE(done.called());
    const auto texts = abandoned();
    REQUIRE(texts.size() == 1);
    CHECK(contains(texts[0], "abandoned: "));
    CHECK(contains(texts[0], "waiting at "));
    CHECK(contains(texts[0], ":" + std::to_string(saidAt)));
    CHECK(contains(texts[0], ":" + std::to_string(madeAt)));
}

TEST_CASE("a Deferred that is gone at once, yielded without any other handle") {
    Clock clock;
    Cooperator cooperator(clock);
    int alive = 0;
    auto make = [](Counted) -> Steps<> { co_yield Deferred<int>(); };
    static_cast<void>(cooperator.coiterate(make(Counted(alive))));
    clock.advance(1s);
    CHECK(alive == 0);
    CHECK(abandoned().size() == 1);
}

TEST_CASE("a handle keeps a task whose Deferred went unfired: it can be stopped, not gone on with") {
    Clock clock;
    Cooperator cooperator(clock);
    Deferred<int> d;
    std::optional<CooperativeTask<>> work = cooperator.cooperate(waiting(std::exchange(d, nullptr)));
    const auto done = work->whenDone();
    clock.advance(1s);
    work->pause();
    work->resume();
    clock.advance(1s);
    defer::assertNoResult(done);
    CHECK(clock.getDelayedCalls().empty());
    SUBCASE("stopped") {
        work->stop();
        failureResultOf<task::TaskStopped>(done);
        work.reset();
        CHECK(abandoned().empty());
    }
    SUBCASE("left alone") {
        work.reset();
        CHECK(abandoned().size() == 1);
        CHECK_FALSE(done.called());
    }
}

TEST_CASE("a Deferred on its way out may stop the task that waits for it") {
    Clock clock;
    Cooperator cooperator(clock);
    int alive = 0;
    Deferred<int> d;
    std::optional<CooperativeTask<>> work;
    d.addCallback([last = AtExit([&] { work->stop(); })](int n) { return n; });
    auto make = [](Deferred<int> waitFor, Counted) -> Steps<> { co_yield std::exchange(waitFor, nullptr); };
    work = cooperator.cooperate(make(d, Counted(alive)));
    const auto done = work->whenDone();
    clock.advance(1s);
    d = nullptr;
    failureResultOf<task::TaskStopped>(done);
    CHECK(alive == 0);
    work.reset();
}

TEST_CASE("a task may stop, pause, and cancel itself within its own step") {
    for (const std::string how : {"stop", "pause", "cancel", "stop the Cooperator", "pause and resume"}) {
        CAPTURE(how);
        StepByStep by;
        int steps = 0;
        std::optional<CooperativeTask<>> work;
        Deferred<void> done = nullptr;
        auto act = [&] {
            if (how == "stop") {
                work->stop();
            } else if (how == "pause") {
                work->pause();
            } else if (how == "pause and resume") {
                work->pause();
                work->resume();
            } else if (how == "cancel") {
                done.cancel();
            } else {
                by.cooperator.stop();
            }
        };
        auto make = [](int& count, std::function<void()> doIt) -> Steps<> {
            co_yield {};
            ++count;
            doIt();
            co_yield {};
            ++count;
            co_yield {};
        };
        if (how == "cancel") {
            done = by.cooperator.coiterate(make(steps, act));
        } else {
            work = by.cooperator.cooperate(make(steps, act));
            done = work->whenDone();
        }
        by.pump(3);
        if (how == "stop") {
            failureResultOf<task::TaskStopped>(done);
            CHECK(steps == 1);
        } else if (how == "cancel") {
            failureResultOf<defer::CancelledError>(done);
            CHECK(steps == 1);
        } else if (how == "pause") {
            defer::assertNoResult(done);
            CHECK(steps == 1);
            work->resume(); // NOLINT(bugprone-unchecked-optional-access)
            by.pump(2);
            successResultOf(done);
        } else if (how == "pause and resume") {
            by.pump();
            successResultOf(done);
            CHECK(steps == 2);
        } else {
            failureResultOf<SchedulerStopped>(done);
            CHECK(steps == 1);
        }
        CHECK(by.scheduler.pending() == 0);
    }
}

TEST_CASE("steps that stop their own task and then leave a Deferred: nobody waits for it") {
    StepByStep by;
    Deferred<int> d;
    std::optional<CooperativeTask<>> work;
    work = by.cooperator.cooperate([&] {
        work->stop();
        return d;
    });
    by.pump();
    failureResultOf<task::TaskStopped>(work->whenDone());
    d.callback(3);
    CHECK(successResultOf(d) == 3);
}

TEST_CASE("a generator may drop the last handle of its own task, and of itself") {
    StepByStep by;
    int alive = 0;
    int steps = 0;
    auto work = std::make_unique<CooperativeTask<>>(by.cooperator.cooperate(std::vector<int>{}));
    auto make = [](std::unique_ptr<CooperativeTask<>>& mine, int& count, Counted) -> Steps<> {
        mine->pause();
        mine.reset();
        ++count;
        co_yield {};
        ++count;
    };
    *work = by.cooperator.cooperate(make(work, steps, Counted(alive)));
    by.pump(3);
    CHECK(work == nullptr);
    CHECK(steps == 1);
    CHECK(alive == 0);
    CHECK(abandoned().size() == 1);
}

TEST_CASE("the destructor of what the steps hold may cancel their Deferred, stop and add tasks") {
    Clock clock;
    std::optional<Cooperator> cooperator(std::in_place, clock);
    Deferred<void> done = nullptr;
    std::vector<std::string> log;
    auto make = [](std::optional<Cooperator>& in, Deferred<void>& result,
                   std::vector<std::string>& into) -> Steps<> {
        const AtExit last([&] {
            into.emplace_back("destroyed");
            result.cancel();
            if (in) {
                in->coiterate(std::vector<int>{1}).addErrback([&](const Failure& failure) {
                    failure.trap<SchedulerStopped>();
                    into.emplace_back("refused");
                });
            }
        });
        for (;;) {
            co_yield {};
        }
    };
    done = cooperator->coiterate(make(cooperator, done, log));
    clock.advance(1s);
    SUBCASE("when the Cooperator goes") {
        cooperator.reset();
        CHECK(abandoned().size() == 1);
        failureResultOf<defer::CancelledError>(done);
        CHECK(log.at(0) == "destroyed");
    }
    SUBCASE("when it is stopped") {
        cooperator->stop(); // NOLINT(bugprone-unchecked-optional-access)
        CHECK(log == std::vector<std::string>{"destroyed", "refused"});
        CHECK(done.called());
        failureResultOf(done);
    }
    SUBCASE("when it is cancelled") {
        done.cancel();
        failureResultOf<defer::CancelledError>(done);
        CHECK(log == std::vector<std::string>{"destroyed"});
        clock.advance(1s);
    }
}

TEST_CASE("what a task waits for may be a coroutine of its own callable: that lives until it has ended") {
    StepByStep by;
    Deferred<int> first;
    Deferred<int> second;
    std::vector<std::string> log;
    int alive = 0;
    const auto work = by.cooperator.cooperate(
        [&first, &second, &log, text = std::string(100, 'x'), here = Counted(alive)]() -> Deferred<void> {
            const auto one = co_await first.result();
            log.push_back(text.substr(0, 3) + (one.has_value() ? " went on" : " was cancelled"));
            const auto two = co_await second.result();
            log.push_back(text.substr(0, 3) + (two.has_value() ? " ended" : " failed"));
        });
    const auto done = work.whenDone();
    by.pump();
    CHECK(alive == 1);
    work.stop();
    failureResultOf<task::TaskStopped>(done);
    CHECK(log == std::vector<std::string>{"xxx was cancelled"});
    CHECK(alive == 1);
    second.callback(1);
    CHECK(log == std::vector<std::string>{"xxx was cancelled", "xxx ended"});
    CHECK(alive == 0);
}

TEST_CASE("stopping a task: what it waits for is cancelled while the generator still has all that it lent") {
    StepByStep by;
    Deferred<int> never;
    std::vector<std::string> log;
    auto make = [](Deferred<int>& pending, std::vector<std::string>& into) -> Steps<> {
        const std::string text(100, 'y');
        const auto inner = [&]() -> Deferred<void> {
            const auto result = co_await pending.result();
            into.push_back(text.substr(0, 2) + (result.has_value() ? " fired" : " cancelled"));
        };
        const AtExit last([&] { into.emplace_back("destroyed"); });
        co_yield inner();
    };
    const auto done = by.cooperator.coiterate(make(never, log));
    by.pump();
    done.cancel("enough");
    CHECK(failureResultOf<defer::CancelledError>(done).getErrorMessage() == "enough");
    CHECK(log == std::vector<std::string>{"yy cancelled", "destroyed"});
}

TEST_CASE("callbacks of whenDone may add tasks, stop others, and pause them") {
    StepByStep by(1000);
    std::vector<std::string> log;
    int others = 0;
    int alive = 0;
    const auto victim = by.cooperator.cooperate(forever(others, Counted(alive)));
    const auto paused = by.cooperator.cooperate(forever(others, Counted(alive)));
    by.each = 4;
    by.cooperator.cooperate(std::vector<int>{}).whenDone().addCallback([&] {
        victim.stop();
        paused.pause();
        by.cooperator.coiterate(std::vector<int>{1}).addCallback([&] { log.emplace_back("second"); });
        log.emplace_back("first");
    });
    by.pump(2);
    CHECK(log == std::vector<std::string>{"first", "second"});
    CHECK(others == 2);
    failureResultOf<task::TaskStopped>(victim.whenDone());
    paused.stop();
    CHECK(alive == 0);
}

TEST_CASE("a task whose steps have a handle on what they wait for goes with the last other one") {
    Clock clock;
    Cooperator cooperator(clock);
    bool gone = false;
    struct Gone {
        bool& flag;
        ~Gone() { flag = true; }
    };
    const auto steps = [](Deferred<int> d, bool& flag) -> Steps<> {
        const Gone frame{flag};
        co_yield d;
    };
    Deferred<int> other;
    auto task = cooperator.cooperate(steps(other, gone));
    clock.advance(1s);
    CHECK_FALSE(gone);
    SUBCASE("when nobody holds the task") {
        task = cooperator.cooperate([] { throw ropewalk::StopIteration(); });
        other = nullptr;
        CHECK(gone);
        CHECK(abandoned().size() == 1);
        clock.advance(1s);
    }
    SUBCASE("but for the steps, whoever holds the task") {
        other = nullptr;
        CHECK_FALSE(gone);
        task.stop();
        CHECK(gone);
    }
    SUBCASE("and has it back when that fires") {
        other.callback(1);
        clock.advance(1s);
        CHECK(gone);
        CHECK(other.called());
    }
    SUBCASE("and has it back when it is stopped") {
        task.stop();
        CHECK(gone);
        CHECK(other.called());
    }
}

TEST_CASE("a task that waits for what only its steps could fire goes with the Cooperator") {
    Clock clock;
    std::optional<Cooperator> cooperator(std::in_place, clock);
    bool gone = false;
    struct Gone {
        bool& flag;
        ~Gone() { flag = true; }
    };
    const auto steps = [](bool& flag) -> Steps<> {
        const Gone frame{flag};
        const Deferred<int> d;
        co_yield d;
    };
    auto task = cooperator->cooperate(steps(gone));
    auto result = cooperator->coiterate(std::vector{Deferred<int>()});
    clock.advance(1s);
    CHECK_FALSE(gone);
    cooperator.reset();
    CHECK(gone);
    CHECK(abandoned().size() == 2);
    CHECK_THROWS_AS(task.stop(), SchedulerStopped);
    CHECK_FALSE(result.called());
    CHECK(failureResultOf(task.whenDone()).check<SchedulerStopped>() != nullptr);
}

TEST_CASE("a coroutine of the steps that a task waits for may go on when the Cooperator is gone") {
    Clock clock;
    std::optional<Cooperator> cooperator(std::in_place, clock);
    Deferred<int> first;
    Deferred<int> second;
    std::string said;
    struct Work {
        Deferred<int> one;
        Deferred<int> two;
        std::string& log;
        std::string mine = std::string(100, 'w');
        Deferred<void> part() {
            const auto a = co_await one.result();
            const auto b = co_await two.result();
            log += mine;
        }
        Deferred<void> next() {
            return defer::succeed(1).addCallback([this](int) { return part(); });
        }
    };
    const auto done = cooperator->coiterate(Work{first, second, said});
    clock.advance(1s);
    SUBCASE("when its Cooperator goes") {
        cooperator.reset();
        first.callback(1);
        CHECK(abandoned().size() == 1);
    }
    SUBCASE("when it is cancelled") {
        done.cancel();
        failureResultOf<defer::CancelledError>(done);
    }
    CHECK(said.empty());
    second.callback(1);
    CHECK(said == std::string(100, 'w'));
}

TEST_CASE("a generator whose coroutine cleans up after a cancellation is closed when that is done") {
    Clock clock;
    Cooperator cooperator(clock);
    Deferred<void> cleanup;
    std::string said;
    const auto steps = [](std::string& log, Deferred<void> waitFor) -> Steps<> {
        std::string mine(100, 'x');
        const auto part = [&]() -> Deferred<void> {
            const Deferred<int> never;
            const auto cancelled = co_await never.result();
            const auto cleaned = co_await waitFor.result();
            log += mine;
        };
        try {
            co_yield part();
        } catch (const ropewalk::GeneratorExit&) {
            log += " closed";
            throw;
        }
    };
    const auto done = cooperator.coiterate(steps(said, cleanup));
    clock.advance(1s);
    done.cancel();
    failureResultOf<defer::CancelledError>(done);
    CHECK(said.empty());
    cleanup.callback();
    CHECK(said == std::string(100, 'x') + " closed");
}

TEST_CASE("only a handle that stays where it was yielded counts as the steps' own") {
    Clock clock;
    Cooperator cooperator(clock);
    Deferred<int> d;
    Deferred<int> other = d;
    const auto steps = [](Deferred<int>& asked) -> Steps<> {
        task::Step next;
        {
            const Deferred<int> gone = asked;
            next = gone;
        }
        co_yield std::move(next);
    };
    const auto done = cooperator.coiterate(steps(d));
    clock.advance(1s);
    other = nullptr;
    d.callback(1);
    clock.advance(1s);
    successResultOf(done);
}
