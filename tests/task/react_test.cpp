#include <ropewalk/task/react.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/reactor/errors.hpp>
#include <ropewalk/task/defer_later.hpp>
#include <support/memory_driver.hpp>

namespace defer = ropewalk::defer;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using defer::Deferred;
using defer::flushLoggedErrors;
using ropewalk::EmptyDeferredError;
using ropewalk::Reactor;
using ropewalk::SystemExit;
using ropewalk::ValueError;

namespace {

using Arguments = std::vector<std::string>;

/// The texts of what was logged as an error.
struct Errors {
    std::vector<std::string> texts;
    std::vector<bool> withFailure;
    ropewalk::log::ScopedObserver<std::function<void(const ropewalk::log::LogEvent&)>> watch{
        [this](const ropewalk::log::LogEvent& event) {
            if (event.level >= ropewalk::log::LogLevel::error) {
                texts.emplace_back(event.text);
                withFailure.push_back(event.failure != nullptr);
            }
        }};
};

/// How often the reactor's shutdown was begun, and how often it was stopped before that.
struct Shutdowns {
    explicit Shutdowns(Reactor& reactor) {
        reactor.addSystemEventTrigger("before", "shutdown", [this] { ++count; });
    }
    int count = 0;
};

Deferred<void> plain(Reactor& reactor) {
    return task::deferLater(reactor, 5ms);
}

Deferred<std::string> coroutine(Reactor& reactor, Arguments arguments) {
    co_await task::deferLater(reactor, 5ms);
    co_return arguments.at(0);
}

} // namespace

TEST_CASE("123.1: main is called with the reactor and the arguments, the program's name left out") {
    MemoryReactor made;
    Reactor* given = nullptr;
    Arguments seen;
    const auto main = [&](Reactor& reactor, Arguments arguments) {
        given = &reactor;
        seen = std::move(arguments);
        return defer::succeed();
    };
    char name[] = "program";
    char first[] = "alice";
    char second[] = "secret";
    char* argv[] = {name, first, second, nullptr};
    CHECK(task::react(main, 3, argv, made.reactor) == 0);
    CHECK(given == &made.reactor);
    CHECK(seen == Arguments{"alice", "secret"});
    CHECK(task::react(main, {"bob"}, made.reactor) == 0);
    CHECK(seen == Arguments{"bob"});
    CHECK(task::react(main, 1, argv, made.reactor) == 0);
    CHECK(seen.empty());
    CHECK(task::react(main, 0, nullptr, made.reactor) == 0);
}

TEST_CASE("123.1: main may do without the arguments, and react without a reactor") {
    MemoryReactor made;
    Reactor* given = nullptr;
    const auto main = [&](Reactor& reactor) {
        given = &reactor;
        return defer::succeed(1);
    };
    CHECK(task::react(main) == 0);
    CHECK(given == &made.reactor);
    CHECK(task::react(main, Arguments{"unwanted"}) == 0);
    char name[] = "program";
    char* argv[] = {name, nullptr};
    CHECK(task::react(main, 1, argv) == 0);
}

TEST_CASE("123.2: the reactor runs until main's Deferred fires") {
    MemoryReactor made;
    CHECK(task::react(plain, {}, made.reactor) == 0);
    CHECK(made.driver.time == 5 * MemoryDriver::millisecond);
    CHECK_FALSE(made.reactor.running());
}

TEST_CASE("123.3: main may be a coroutine") {
    MemoryReactor made;
    CHECK(task::react(coroutine, {"x"}, made.reactor) == 0);
    CHECK(made.driver.time == 5 * MemoryDriver::millisecond);
}

TEST_CASE("a coroutine main may refer to its arguments, and to a closure's variables") {
    MemoryReactor made;
    std::string seen;
    const auto main = [&seen](Reactor& reactor, const Arguments& arguments) -> Deferred<void> {
        co_await task::deferLater(reactor, 5ms);
        seen = arguments.at(1);
    };
    CHECK(task::react(main, {"a", "a longer text than fits in place"}, made.reactor) == 0);
    CHECK(seen == "a longer text than fits in place");
}

TEST_CASE("123.4: a Deferred that has fired already ends the run when it has started") {
    MemoryReactor made;
    bool started = false;
    const auto main = [&](Reactor& reactor) {
        reactor.callWhenRunning([&] { started = true; });
        return defer::succeed();
    };
    CHECK(task::react(main, {}, made.reactor) == 0);
    CHECK(started);
}

TEST_CASE("123.5: the reactor is stopped once") {
    MemoryReactor made;
    const Shutdowns shutdowns(made.reactor);
    CHECK(task::react(plain, {}, made.reactor) == 0);
    CHECK(shutdowns.count == 1);
}

TEST_CASE(
    "123.5: it is not stopped by main's end when it is being stopped, or was stopped in the same turn") {
    MemoryReactor made;
    const auto main = [](Reactor& reactor) {
        Deferred<void> d;
        reactor.callLater(1ms, [&reactor, d] {
            reactor.stop();
            d.callback();
        });
        return d;
    };
    CHECK(task::react(main, {}, made.reactor) == 0);
    const auto late = [](Reactor& reactor) {
        Deferred<void> d;
        reactor.addSystemEventTrigger("during", "shutdown", [d] { d.callback(); });
        reactor.callLater(1ms, [&reactor] { reactor.stop(); });
        return d;
    };
    CHECK(task::react(late, {}, made.reactor) == 0);
}

TEST_CASE("123.6: the exit code is 0 whatever the value") {
    MemoryReactor made;
    CHECK(task::react([](Reactor&) { return defer::succeed(7); }, {}, made.reactor) == 0);
    CHECK(task::react([](Reactor&) { return defer::succeed("text"); }, {}, made.reactor) == 0);
    CHECK(task::react([](Reactor&) { return defer::succeed(false); }, {}, made.reactor) == 0);
}

TEST_CASE("124.1, 124.2: a failure is logged, and the exit code is 1") {
    MemoryReactor made;
    Errors errors;
    const auto main = [](Reactor& reactor) {
        return task::deferLater(reactor, 1ms, [] { throw ValueError("no good"); });
    };
    CHECK(task::react(main, {}, made.reactor) == 1);
    REQUIRE(errors.texts.size() == 1);
    CHECK(errors.texts[0] == "main function encountered error");
    CHECK(errors.withFailure[0]);
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE(
    "124.1, 124.2: so it is when main's Deferred has failed before the reactor runs, or a coroutine throws") {
    MemoryReactor made;
    CHECK(task::react([](Reactor&) -> Deferred<int> { return defer::fail(ValueError()); }, {},
                      made.reactor) == 1);
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
    const auto throwing = [](Reactor&) -> Deferred<int> {
        co_await defer::succeed();
        throw ValueError();
    };
    CHECK(task::react(throwing, {}, made.reactor) == 1);
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("124.3, 124.4: a SystemExit gives the exit code, and is not logged") {
    MemoryReactor made;
    const Errors errors;
    const auto main = [](Reactor& reactor) -> Deferred<void> {
        co_await task::deferLater(reactor, 1ms);
        throw SystemExit(23);
    };
    CHECK(task::react(main, {}, made.reactor) == 23);
    CHECK(task::react([](Reactor&) -> Deferred<void> { return defer::fail(SystemExit()); }, {},
                      made.reactor) == 0);
    CHECK(errors.texts.empty());
}

TEST_CASE("a SystemExit that main throws before it returns gives the exit code, and nothing runs") {
    MemoryReactor made;
    const auto main = [](Reactor&) -> Deferred<void> { throw SystemExit(4); };
    CHECK(task::react(main, {}, made.reactor) == 4);
    CHECK(made.driver.polls.empty());
}

TEST_CASE("125.1: a reactor that somebody else stopped is not stopped again") {
    MemoryReactor made;
    const Shutdowns shutdowns(made.reactor);
    Deferred<void> d;
    const auto main = [&](Reactor& reactor) {
        reactor.callLater(1ms, [&] { reactor.stop(); });
        reactor.addSystemEventTrigger("before", "shutdown", [&] {
            d.callback();
            return task::deferLater(reactor, 5ms);
        });
        return d;
    };
    CHECK(task::react(main, {}, made.reactor) == 0);
    CHECK(shutdowns.count == 1);
    CHECK(made.driver.time == 6 * MemoryDriver::millisecond);
}

TEST_CASE(
    "125.2: when the reactor is stopped and main never finishes, that is logged, and the exit code is 1") {
    MemoryReactor made;
    const Errors errors;
    Deferred<void> never;
    const auto main = [&](Reactor& reactor) {
        reactor.callLater(1ms, [&] { reactor.stop(); });
        return never;
    };
    CHECK(task::react(main, {}, made.reactor) == 1);
    CHECK(errors.texts == std::vector<std::string>{"main function never finished"});
    never.errback(ValueError("too late for react"));
    never = nullptr;
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("125.2: so it is after a signal") {
    MemoryReactor made;
    made.driver.signalAt(3 * MemoryDriver::millisecond, SIGTERM);
    const Errors errors;
    const auto main = [](Reactor& reactor) { return task::deferLater(reactor, 1h); };
    CHECK(task::react(main, {}, made.reactor) == 1);
    CHECK(errors.texts.size() == 1);
}

TEST_CASE("125.3: a failure during the shutdown is logged, and the exit code is 1") {
    MemoryReactor made;
    Deferred<void> d;
    const auto main = [&](Reactor& reactor) {
        reactor.callLater(1ms, [&] { reactor.stop(); });
        reactor.addSystemEventTrigger("during", "shutdown", [&] { d.errback(ValueError()); });
        return d;
    };
    CHECK(task::react(main, {}, made.reactor) == 1);
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("126.1: what main throws before it returns comes out, and the reactor does not run") {
    MemoryReactor made;
    const auto main = [](Reactor&) -> Deferred<void> { throw ValueError("at once"); };
    CHECK_THROWS_WITH_AS(task::react(main, {}, made.reactor), "at once", ValueError);
    CHECK(made.driver.polls.empty());
    const Shutdowns shutdowns(made.reactor);
    CHECK(task::react(plain, {}, made.reactor) == 0);
    CHECK(shutdowns.count == 1);
}

TEST_CASE("an empty Deferred from main is an error before the reactor runs") {
    MemoryReactor made;
    const auto main = [](Reactor&) -> Deferred<void> { return nullptr; };
    CHECK_THROWS_AS(task::react(main, {}, made.reactor), EmptyDeferredError);
    CHECK(made.driver.polls.empty());
}

TEST_CASE("react on a reactor that runs, or that crashes") {
    MemoryReactor made;
    bool refused = false;
    const auto outer = [&](Reactor& reactor) {
        return task::deferLater(reactor, 1ms, [&] {
            CHECK_THROWS_AS(task::react(plain, {}, reactor), ropewalk::ReactorAlreadyRunning);
            refused = true;
        });
    };
    CHECK(task::react(outer, {}, made.reactor) == 0);
    CHECK(refused);
    const Errors errors;
    Deferred<void> never;
    const auto crashing = [&](Reactor& reactor) {
        reactor.callLater(1ms, [&] { reactor.crash(); });
        return never;
    };
    CHECK(task::react(crashing, {}, made.reactor) == 1);
    CHECK(errors.texts.size() == 1);
    CHECK(task::react(plain, {}, made.reactor) == 0);
}

TEST_CASE("the last of several calls of react says the last exit code") {
    MemoryReactor made;
    for (const int code : {3, 0, 7}) {
        CHECK(task::react([&](Reactor&) -> Deferred<void> { return defer::fail(SystemExit(code)); }, {},
                          made.reactor) == code);
    }
    CHECK(made.reactor.getDelayedCalls().empty());
}
