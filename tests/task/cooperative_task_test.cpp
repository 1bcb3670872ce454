#include <ropewalk/task/cooperative_task.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/task/cooperator.hpp>
#include <ropewalk/task/errors.hpp>

#include <defer/probes.hpp>
#include <task/fake_scheduler.hpp>

namespace defer = ropewalk::defer;
namespace task = ropewalk::task;

using defer::assertNoResult;
using defer::CancelledError;
using defer::Deferred;
using defer::failureResultOf;
using defer::flushLoggedErrors;
using defer::successResultOf;
using ropewalk::Failure;
using ropewalk::GeneratorExit;
using ropewalk::ValueError;
using task::CooperativeTask;
using task::NotPaused;
using task::SchedulerError;
using task::SchedulerStopped;
using task::Steps;
using task::TaskDone;
using task::TaskFailed;
using task::TaskFinished;
using task::TaskStopped;

static_assert(std::derived_from<SchedulerError, ropewalk::Exception>);
static_assert(std::derived_from<SchedulerStopped, SchedulerError>);
static_assert(std::derived_from<TaskFinished, SchedulerError>);
static_assert(std::derived_from<TaskDone, TaskFinished>);
static_assert(std::derived_from<TaskStopped, TaskFinished>);
static_assert(std::derived_from<TaskFailed, TaskFinished>);
static_assert(std::derived_from<NotPaused, SchedulerError>);
static_assert(!std::derived_from<SchedulerStopped, TaskFinished>);
static_assert(!std::derived_from<NotPaused, TaskFinished>);

namespace {

/// A task whose next step a test chooses, one step a tick.
struct Worker : StepByStep {
    Worker() : work(cooperator.cooperate(run(*this))) {}
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker() { cooperator.stop(); }

    static Steps<int> run(Worker& my) {
        for (int n = 1;; ++n) {
            if (my.waits) {
                my.waits = false;
                my.waitedFor = Deferred<std::string>();
                co_yield my.waitedFor;
            } else if (my.ends) {
                co_return n;
            } else if (my.dies) {
                throw ValueError("died");
            } else {
                my.done.push_back(n);
                co_yield n;
            }
        }
    }

    std::vector<int> done;
    Deferred<std::string> waitedFor = nullptr;
    bool waits = false;
    bool ends = false;
    bool dies = false;
    CooperativeTask<int> work;
};

using Done = std::vector<int>;

} // namespace

TEST_CASE("111.1: when the steps have run out, every whenDone fires, with what the generator returned") {
    Worker worker;
    const auto first = worker.work.whenDone();
    const auto second = worker.work.whenDone();
    worker.pump(2);
    assertNoResult(first);
    worker.ends = true;
    worker.pump();
    CHECK(successResultOf(first) == 3);
    CHECK(successResultOf(second) == 3);
}

TEST_CASE("111.2: the Deferreds of whenDone are independent of each other") {
    Worker worker;
    std::vector<std::string> results;
    const auto first = worker.work.whenDone().addCallback([](int) { return std::string("one"); });
    const auto second = worker.work.whenDone().addCallback([](int n) { return n * 100; });
    const auto third = worker.work.whenDone().addCallback([](int) -> int { throw ValueError("mine"); });
    const auto fourth = worker.work.whenDone();
    CHECK_FALSE(first == fourth);
    worker.ends = true;
    worker.pump();
    CHECK(successResultOf(first) == "one");
    CHECK(successResultOf(second) == 100);
    failureResultOf<ValueError>(third);
    CHECK(successResultOf(fourth) == 1);
}

TEST_CASE("111.3: whenDone may be asked for afterwards, and often") {
    Worker worker;
    worker.ends = true;
    worker.pump();
    CHECK(successResultOf(worker.work.whenDone()) == 1);
    CHECK(successResultOf(worker.work.whenDone()) == 1);
    const auto copy = worker.work;
    CHECK(copy == worker.work);
    CHECK(successResultOf(copy.whenDone()) == 1);
}

TEST_CASE("111.4: stop and pause of a task that is done throw TaskDone") {
    Worker worker;
    worker.ends = true;
    worker.pump();
    CHECK_THROWS_AS(worker.work.stop(), TaskDone);
    CHECK_THROWS_AS(worker.work.pause(), TaskDone);
    CHECK_THROWS_AS(worker.work.resume(), NotPaused);
    CHECK(worker.scheduler.pending() == 0);
}

TEST_CASE("112.1: what the steps throw fails every whenDone, also later ones") {
    Worker worker;
    const auto first = worker.work.whenDone();
    const auto second = worker.work.whenDone();
    worker.dies = true;
    worker.pump();
    CHECK(failureResultOf<ValueError>(first) == failureResultOf<ValueError>(second));
    CHECK(failureResultOf<ValueError>(worker.work.whenDone()).getErrorMessage() == "died");
}

TEST_CASE("112.2: stop and pause of a task that has failed throw TaskFailed") {
    Worker worker;
    worker.dies = true;
    worker.pump();
    CHECK_THROWS_AS(worker.work.stop(), TaskFailed);
    CHECK_THROWS_AS(worker.work.pause(), TaskFailed);
    failureResultOf<ValueError>(worker.work.whenDone());
}

TEST_CASE("a task that failed and was never asked is an unhandled error when its last handle goes") {
    {
        Worker worker;
        worker.dies = true;
        worker.pump();
        CHECK(flushLoggedErrors<ValueError>().empty());
    }
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("a failure that no handle can ask for any more is logged at once") {
    StepByStep by;
    static_cast<void>(by.cooperator.cooperate([]() -> int { throw ValueError("unseen"); }));
    by.pump();
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("an error that only a cancelled whenDone could have got is not lost") {
    Worker worker;
    const auto asked = worker.work.whenDone();
    asked.cancel();
    failureResultOf<CancelledError>(asked);
    worker.dies = true;
    worker.pump();
    {
        const auto last = std::move(worker.work);
        CHECK(flushLoggedErrors<ValueError>().empty());
    }
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("113.1: a task that has yielded a Deferred takes no step until that has fired") {
    Worker worker;
    worker.waits = true;
    worker.pump(3);
    CHECK(worker.done == Done{});
    CHECK(worker.scheduler.pending() == 0);
    worker.waitedFor.callback("a value");
    CHECK(worker.scheduler.pending() == 1);
    worker.pump();
    CHECK(worker.done == Done{2});
}

TEST_CASE("113.2: the value is ignored, and the Deferred's result is None afterwards") {
    Worker worker;
    worker.waits = true;
    worker.pump();
    worker.waitedFor.callback("a value");
    bool called = false;
    worker.waitedFor.addCallback([&] { called = true; });
    CHECK(called);
    CHECK_THROWS_AS(worker.waitedFor.addCallback([](const std::string&) {}), ropewalk::WrongTypeError);
}

TEST_CASE("113.3: the firing takes no step itself") {
    Worker worker;
    worker.waits = true;
    worker.pump();
    worker.waitedFor.callback("a value");
    CHECK(worker.done == Done{});
    worker.pump();
    CHECK(worker.done == Done{2});
}

TEST_CASE("113.4: its failure fails the task") {
    Worker worker;
    const auto done = worker.work.whenDone();
    worker.waits = true;
    worker.pump();
    worker.waitedFor.errback(ValueError("waited for"));
    CHECK(failureResultOf<ValueError>(done).getErrorMessage() == "waited for");
    CHECK_THROWS_AS(worker.work.stop(), TaskFailed);
    worker.waitedFor = nullptr;
    worker.pump(2);
    CHECK(worker.done == Done{});
}

TEST_CASE(
    "113.5: a Deferred that has fired already costs a turn and no more; one that has failed, fails the task") {
    StepByStep by;
    std::vector<std::string> log;
    auto make = [](std::vector<std::string>& into) -> Steps<> {
        into.emplace_back("a");
        co_yield defer::succeed(1);
        into.emplace_back("b");
        co_yield defer::fail(ValueError("already"));
        into.emplace_back("never");
    };
    const auto done = by.cooperator.coiterate(make(log));
    by.pump();
    CHECK(log == std::vector<std::string>{"a"});
    assertNoResult(done);
    by.pump();
    CHECK(failureResultOf<ValueError>(done).getErrorMessage() == "already");
    CHECK(log == std::vector<std::string>{"a", "b"});
}

TEST_CASE("114.1: a task that was paused twice needs to be resumed twice") {
    Worker worker;
    worker.work.pause();
    worker.work.pause();
    worker.pump();
    worker.work.resume();
    worker.pump();
    CHECK(worker.done == Done{});
    worker.work.resume();
    worker.pump();
    CHECK(worker.done == Done{1});
}

TEST_CASE("114.2: resume throws NotPaused when it isn't paused") {
    Worker worker;
    CHECK_THROWS_AS(worker.work.resume(), NotPaused);
    worker.work.pause();
    worker.work.resume();
    CHECK_THROWS_AS(worker.work.resume(), NotPaused);
    worker.pump();
    CHECK(worker.done == Done{1});
}

TEST_CASE("114.3: resume takes no step itself; a paused task takes none") {
    Worker worker;
    worker.pump(2);
    worker.work.pause();
    CHECK(worker.scheduler.pending() == 0);
    worker.pump();
    CHECK(worker.done == Done{1, 2});
    worker.work.resume();
    CHECK(worker.done == Done{1, 2});
    worker.pump();
    CHECK(worker.done == Done{1, 2, 3});
}

TEST_CASE("115.1: paused while it waits: the Deferred fires first, then it is resumed") {
    Worker worker;
    worker.waits = true;
    worker.pump();
    worker.work.pause();
    worker.waitedFor.callback("a value");
    worker.pump(2);
    CHECK(worker.done == Done{});
    worker.work.resume();
    worker.pump();
    CHECK(worker.done == Done{2});
}

TEST_CASE("115.2: paused while it waits: it is resumed first, then the Deferred fires") {
    Worker worker;
    worker.waits = true;
    worker.pump();
    worker.work.pause();
    worker.work.resume();
    worker.pump(2);
    CHECK(worker.done == Done{});
    CHECK_THROWS_AS(worker.work.resume(), NotPaused); // DESIGN: waiting is no pause that resume could end
    worker.waitedFor.callback("a value");
    worker.pump();
    CHECK(worker.done == Done{2});
}

TEST_CASE("115.3: paused within the step that yields the Deferred: both must be released") {
    StepByStep by;
    Deferred<int> waitedFor;
    int steps = 0;
    CooperativeTask<>* itself = nullptr;
    auto work = by.cooperator.cooperate([&]() -> Deferred<int> {
        if (++steps == 1) {
            itself->pause();
            return waitedFor;
        }
        throw ropewalk::StopIteration();
    });
    itself = &work;
    by.pump();
    waitedFor.callback(1);
    by.pump(2);
    CHECK(steps == 1);
    work.resume();
    by.pump();
    CHECK(steps == 2);
    successResultOf(work.whenDone());
}

TEST_CASE("116.1: stop fails whenDone with TaskStopped, at once, and no step follows") {
    Worker worker;
    const auto done = worker.work.whenDone();
    worker.work.stop();
    failureResultOf<TaskStopped>(done);
    failureResultOf<TaskStopped>(worker.work.whenDone());
    worker.pump(2);
    CHECK(worker.done == Done{});
    CHECK(worker.scheduler.pending() == 0);
}

TEST_CASE("116.2: stop and pause of a task that was stopped throw TaskStopped") {
    Worker worker;
    worker.work.stop();
    CHECK_THROWS_AS(worker.work.stop(), TaskStopped);
    CHECK_THROWS_AS(worker.work.pause(), TaskStopped);
}

TEST_CASE("116.3: resume of a stopped task that wasn't paused throws NotPaused") {
    Worker worker;
    worker.work.stop();
    CHECK_THROWS_AS(worker.work.resume(), NotPaused);
}

TEST_CASE("116.4: resume of a stopped task that was paused does nothing") {
    Worker worker;
    worker.work.pause();
    worker.work.pause();
    worker.work.stop();
    worker.work.resume();
    worker.work.resume();
    CHECK_THROWS_AS(worker.work.resume(), NotPaused);
    worker.pump(2);
    CHECK(worker.done == Done{});
    CHECK(worker.scheduler.pending() == 0);
}

TEST_CASE("116.5: the errors derive from each other as Twisted's do, and each says what is wrong") {
    CHECK_THROWS_WITH_AS(throw TaskDone(), "the task is done", TaskFinished);
    CHECK_THROWS_WITH_AS(throw TaskStopped(), "the task was stopped", TaskFinished);
    CHECK_THROWS_WITH_AS(throw TaskFailed(), "the task failed", TaskFinished);
    CHECK_THROWS_WITH_AS(throw NotPaused(), "the task isn't paused", SchedulerError);
    CHECK_THROWS_WITH_AS(throw SchedulerStopped(), "the cooperator is stopped", SchedulerError);
}

TEST_CASE("116.6: stop of a task that waits: what it waited for is cancelled, and no step follows") {
    Worker worker;
    worker.waits = true;
    worker.pump();
    std::vector<std::string> seen;
    worker.waitedFor.addBoth([&] { seen.emplace_back("done"); });
    const auto done = worker.work.whenDone();
    worker.work.stop();
    failureResultOf<TaskStopped>(done);
    CHECK(seen == std::vector<std::string>{"done"});
    worker.waitedFor.callback("too late");
    worker.pump(2);
    CHECK(worker.done == Done{});
}

TEST_CASE("stopping a task that is paused and waits leaves nothing behind") {
    Worker worker;
    worker.waits = true;
    worker.pump();
    worker.work.pause();
    const auto done = worker.work.whenDone();
    worker.work.stop();
    CHECK(worker.waitedFor.called());
    failureResultOf<TaskStopped>(done);
    worker.work.resume();
    worker.pump(2);
    CHECK(worker.done == Done{});
}

TEST_CASE("a failure of what a paused task waits for fails it at once") {
    Worker worker;
    worker.waits = true;
    worker.pump();
    worker.work.pause();
    const auto done = worker.work.whenDone();
    worker.waitedFor.errback(ValueError());
    failureResultOf<ValueError>(done);
    worker.work.resume();
    worker.pump(2);
    CHECK(worker.done == Done{});
}

TEST_CASE("cancelling a whenDone leaves the task and the others alone") {
    Worker worker;
    const auto first = worker.work.whenDone();
    const auto second = worker.work.whenDone();
    first.cancel();
    failureResultOf<CancelledError>(first);
    worker.pump(2);
    CHECK(worker.done == Done{1, 2});
    worker.ends = true;
    worker.pump();
    CHECK(successResultOf(second) == 3);
}

TEST_CASE("nobody but the task fires a whenDone") {
    Worker worker;
    const auto done = worker.work.whenDone();
    CHECK_THROWS_AS(done.callback(1), ropewalk::RuntimeError);
    CHECK_THROWS_AS(done.errback(ValueError()), ropewalk::RuntimeError);
    worker.ends = true;
    worker.pump();
    CHECK(successResultOf(done) == 1);
}

TEST_CASE("a result that can't be copied goes to the first who asked") {
    StepByStep by;
    auto make = []() -> Steps<std::unique_ptr<int>> {
        co_yield {};
        co_return std::make_unique<int>(7);
    };
    const auto work = by.cooperator.cooperate(make());
    const auto first = work.whenDone();
    const auto second = work.whenDone();
    by.pump(2);
    CHECK(*successResultOf(first) == 7);
    failureResultOf<ropewalk::NoResultError>(second.addCallback([](std::unique_ptr<int>) { return 1; }));
    const auto third = work.whenDone();
    CHECK(third.called());
    failureResultOf<ropewalk::NoResultError>(third.addCallback([](std::unique_ptr<int>) { return 1; }));
}

TEST_CASE("a result whose copy fails is that Deferred's failure, and the others get theirs") {
    StepByStep by;
    bool fails = true;
    struct Copies {
        bool* fails;
        int value;
        Copies(bool& f, int v) : fails(&f), value(v) {}
        Copies(const Copies& other) : fails(other.fails), value(other.value) {
            if (std::exchange(*fails, false)) {
                throw ValueError("no copy");
            }
        }
        Copies(Copies&&) noexcept = default;
        Copies& operator=(const Copies&) = delete;
        ~Copies() = default;
    };
    auto make = [](bool& flag) -> Steps<Copies> {
        co_yield {};
        co_return Copies(flag, 9);
    };
    const auto work = by.cooperator.cooperate(make(fails));
    const auto first = work.whenDone();
    const auto second = work.whenDone();
    by.pump(2);
    failureResultOf<ValueError>(first);
    CHECK(successResultOf(second).value == 9);
}

TEST_CASE("stopping a task closes its generator, whoever else holds it") {
    StepByStep by;
    std::vector<std::string> log;
    auto make = [](std::vector<std::string>& into) -> Steps<> {
        const probes::AtExit last([&] { into.emplace_back("destroyed"); });
        try {
            for (;;) {
                co_yield {};
            }
        } catch (const GeneratorExit&) {
            into.emplace_back("exit");
            throw;
        }
    };
    const auto generator = make(log);
    const auto work = by.cooperator.cooperate(generator);
    const auto done = work.whenDone();
    by.pump();
    done.addErrback([&](const Failure& failure) {
        failure.trap<TaskStopped>();
        log.emplace_back("told");
    });
    work.stop();
    CHECK(log == std::vector<std::string>{"exit", "destroyed", "told"});
    CHECK(generator.finished());
}

TEST_CASE("what a generator throws when its task is stopped is logged; the task is stopped nevertheless") {
    StepByStep by;
    auto make = []() -> Steps<> {
        try {
            co_yield {};
        } catch (const GeneratorExit&) {
            throw ValueError("in answer");
        }
    };
    const auto work = by.cooperator.cooperate(make());
    const auto done = work.whenDone();
    by.pump();
    work.stop();
    failureResultOf<TaskStopped>(done);
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("a task that stops itself and then throws is stopped, and the error is logged") {
    for (const bool isGenerator : {true, false}) {
        CAPTURE(isGenerator);
        StepByStep by;
        CooperativeTask<>* itself = nullptr;
        auto make = [](CooperativeTask<>*& me) -> Steps<> {
            co_yield {};
            me->stop();
            throw ValueError("after the stop");
        };
        auto work = isGenerator ? by.cooperator.cooperate(make(itself)) : by.cooperator.cooperate([&] {
            itself->stop();
            throw ValueError("after the stop");
        });
        itself = &work;
        const auto done = work.whenDone();
        by.pump(2);
        failureResultOf<TaskStopped>(done);
        CHECK(flushLoggedErrors<ValueError>().size() == 1);
    }
}

TEST_CASE("a task that stops itself and ignores its closing is told off in the log") {
    StepByStep by;
    CooperativeTask<>* itself = nullptr;
    auto make = [](CooperativeTask<>*& me) -> Steps<> {
        co_yield {};
        me->stop();
        try {
            co_yield {};
        } catch (const GeneratorExit&) { // NOLINT(bugprone-empty-catch)
        }
        co_yield {};
    };
    auto work = by.cooperator.cooperate(make(itself));
    itself = &work;
    by.pump(2);
    CHECK(flushLoggedErrors<ropewalk::RuntimeError>().size() == 1);
    failureResultOf<TaskStopped>(work.whenDone());
}
