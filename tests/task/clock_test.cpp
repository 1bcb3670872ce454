#include <ropewalk/task/clock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/errors.hpp>

using namespace std::chrono_literals;
using ropewalk::AlreadyCalled;
using ropewalk::AlreadyCancelled;
using ropewalk::DelayedCall;
using ropewalk::ScopedCall;
using ropewalk::Seconds;
using ropewalk::defer::Deferred;
using ropewalk::task::Clock;

namespace {

using Calls = std::vector<std::string>;

struct Log {
    auto operator()(std::string name) {
        return [this, name] { calls.push_back(name); };
    }
    Calls calls;
};

} // namespace

TEST_CASE("92.1: a Clock starts at zero") {
    const Clock clock;
    CHECK(clock.seconds() == Seconds(0));
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("92.2: advance runs what is due in the order of time") {
    Clock clock;
    Log log;
    clock.callLater(3s, log("third"));
    clock.callLater(1s, log("first"));
    clock.callLater(2s, log("second"));
    clock.callLater(5s, log("too late"));
    clock.advance(4s);
    CHECK(log.calls == Calls{"first", "second", "third"});
    CHECK(clock.getDelayedCalls().size() == 1);
    clock.advance(1s);
    CHECK(log.calls.back() == "too late");
}

TEST_CASE("92.3: calls of one time run in the order in which they were made") {
    Clock clock;
    Log log;
    for (const char* name : {"a", "b", "c", "d"}) {
        clock.callLater(1s, log(name));
    }
    clock.advance(1s);
    CHECK(log.calls == Calls{"a", "b", "c", "d"});
}

TEST_CASE("92.3: a call that was moved to another's time has the place of its making") {
    Clock clock;
    Log log;
    const DelayedCall a = clock.callLater(1s, log("a"));
    clock.callLater(2s, log("b"));
    const DelayedCall c = clock.callLater(7s, log("c"));
    c.reset(2s);
    a.reset(2s);
    clock.advance(2s);
    CHECK(log.calls == Calls{"a", "b", "c"});
}

TEST_CASE("93.1: while advance runs calls, the time is that of its end") {
    Clock clock;
    std::vector<Seconds> seen;
    clock.callLater(1s, [&] { seen.push_back(clock.seconds()); });
    clock.callLater(2s, [&] { seen.push_back(clock.seconds()); });
    clock.advance(2500ms);
    CHECK(seen == std::vector<Seconds>{2500ms, 2500ms});
}

TEST_CASE("93.2: a call that is asked for within a call and due by then runs in the same advance") {
    Clock clock;
    Log log;
    clock.callLater(1s, [&] {
        clock.callLater(0s, log("now"));
        clock.callLater(1s, log("later"));
        clock.callLater(-1s, log("before"));
    });
    clock.callLater(2s, log("second"));
    clock.advance(2s);
    CHECK(log.calls == Calls{"before", "second", "now"});
    clock.advance(1s);
    CHECK(log.calls.back() == "later");
}

TEST_CASE("94.1, 94.2: a call counts as called while it runs") {
    Clock clock;
    DelayedCall call;
    bool active = true;
    call = clock.callLater(1s, [&] {
        active = call.active();
        CHECK_THROWS_AS(call.cancel(), AlreadyCalled);
    });
    CHECK(call.active());
    clock.advance(1s);
    CHECK_FALSE(active);
    CHECK_FALSE(call.active());
}

TEST_CASE("95.1, 95.2: an exception comes out of advance, and what else was due waits for the next") {
    Clock clock;
    Log log;
    clock.callLater(1s, log("a"));
    clock.callLater(2s, [] { throw std::runtime_error("b"); });
    clock.callLater(3s, log("c"));
    CHECK_THROWS_WITH_AS(clock.advance(5s), "b", std::runtime_error);
    CHECK(log.calls == Calls{"a"});
    CHECK(clock.seconds() == 5s);
    clock.advance(0s);
    CHECK(log.calls == Calls{"a", "c"});
}

TEST_CASE("95.3: a Clock takes negative delays") {
    Clock clock;
    Log log;
    clock.callLater(0s, log("now"));
    const DelayedCall call = clock.callLater(-1s, log("before"));
    CHECK(call.getTime() == -1s);
    CHECK(log.calls.empty());
    clock.advance(0s);
    CHECK(log.calls == Calls{"before", "now"});
}

TEST_CASE("96.1: reset counts from now") {
    Clock clock;
    Log log;
    const DelayedCall call = clock.callLater(4s, log("call"));
    clock.advance(1s);
    call.reset(1s);
    CHECK(call.getTime() == 2s);
    call.reset(6s);
    CHECK(call.getTime() == 7s);
    clock.advance(5s);
    CHECK(log.calls.empty());
    clock.advance(1s);
    CHECK(log.calls == Calls{"call"});
    CHECK(call.getTime() == 7s);
}

TEST_CASE("96.2, 96.3: delay counts from the time that was set, and may be negative") {
    Clock clock;
    Log log;
    const DelayedCall call = clock.callLater(4s, log("call"));
    clock.advance(1s);
    call.delay(2s);
    CHECK(call.getTime() == 6s);
    call.delay(-4s);
    CHECK(call.getTime() == 2s);
    call.delay(-10s);
    CHECK(call.getTime() == -8s);
    clock.advance(0s);
    CHECK(log.calls == Calls{"call"});
}

TEST_CASE("96.4: moved calls are in order again, also among those made later") {
    Clock clock;
    Log log;
    const DelayedCall a = clock.callLater(1s, log("a"));
    a.reset(3s);
    clock.callLater(2s, log("b"));
    const DelayedCall c = clock.callLater(2500ms, log("c"));
    clock.callLater(500ms, [&] { c.reset(3s); });
    clock.pump({500ms, 500ms, 500ms, 500ms, 500ms, 500ms, 500ms});
    CHECK(log.calls == Calls{"b", "a", "c"});
}

TEST_CASE("97.1: a cancelled call can be neither cancelled nor moved") {
    Clock clock;
    const DelayedCall call = clock.callLater(1s, [] { FAIL("called"); });
    call.cancel();
    CHECK_FALSE(call.active());
    CHECK(clock.getDelayedCalls().empty());
    CHECK_THROWS_AS(call.cancel(), AlreadyCancelled);
    CHECK_THROWS_AS(call.reset(1s), AlreadyCancelled);
    CHECK_THROWS_AS(call.delay(1s), AlreadyCancelled);
    CHECK_THROWS_AS(call.cancel(), ropewalk::ValueError);
    clock.advance(2s);
}

TEST_CASE("97.2: a call that has run can be neither cancelled nor moved") {
    Clock clock;
    const DelayedCall call = clock.callLater(1s, [] {});
    clock.advance(1s);
    CHECK_THROWS_AS(call.cancel(), AlreadyCalled);
    CHECK_THROWS_AS(call.reset(1s), AlreadyCalled);
    CHECK_THROWS_AS(call.delay(1s), AlreadyCalled);
    CHECK_THROWS_AS(call.cancel(), ropewalk::ValueError);
}

TEST_CASE("pump advances by each of several times") {
    Clock clock;
    std::vector<Seconds> seen;
    for (const Seconds time : {1s, 2s, 3s}) {
        clock.callLater(time, [&] { seen.push_back(clock.seconds()); });
    }
    const std::vector<std::chrono::milliseconds> amounts{1000ms, 500ms, 700ms};
    clock.pump(amounts);
    CHECK(seen == std::vector<Seconds>{Seconds(1), clock.seconds()});
}

TEST_CASE("advance may be called within a call") {
    Clock clock;
    Log log;
    clock.callLater(1s, [&] {
        log("outer")();
        clock.advance(2s);
    });
    clock.callLater(2s, log("inner"));
    clock.advance(1s);
    CHECK(log.calls == Calls{"outer", "inner"});
    CHECK(clock.seconds() == 3s);
}

TEST_CASE("a Clock's calls take extra arguments, and member functions with their object") {
    struct Poet {
        void read(const std::string& line, int count) { read_ += line + std::to_string(count); }
        std::string read_;
    };
    Clock clock;
    Poet poet;
    auto shared = std::make_shared<Poet>();
    int sum = 0;
    clock.callLater(1s, [&](int a, int b, int c, int d, int e) { sum = a + b + c + d + e; }, 1, 2, 3, 4, 5);
    clock.callLater(1s, &Poet::read, &poet, "line ", 1);
    clock.callLater(1s, &Poet::read, shared, std::string("line "), 2);
    clock.callLater(1s, [&](std::unique_ptr<int> moved) { sum += *moved; }, std::make_unique<int>(100));
    clock.callLater(1s, [&](std::string& changeable) { changeable += "!"; }, std::string("text"));
    clock.advance(1s);
    CHECK(sum == 115);
    CHECK(poet.read_ == "line 1");
    CHECK(shared->read_ == "line 2");
}

TEST_CASE("an empty function is refused where it is given") {
    Clock clock;
    CHECK_THROWS_AS(clock.callLater(1s, std::function<void()>()), ropewalk::AssertionError);
    CHECK_THROWS_AS(clock.callLater(1s, static_cast<void (*)()>(nullptr)), ropewalk::AssertionError);
    CHECK_THROWS_AS(clock.callLater(1s, std::move_only_function<void(int)>(), 1), ropewalk::AssertionError);
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("what isn't a number is refused, and changes nothing") {
    Clock clock;
    Log log;
    const Seconds nan(std::nan(""));
    CHECK_THROWS_AS(clock.callLater(nan, log("never")), ropewalk::ValueError);
    const DelayedCall call = clock.callLater(1s, log("call"));
    CHECK_THROWS_AS(call.reset(nan), ropewalk::ValueError);
    CHECK_THROWS_AS(call.delay(nan), ropewalk::ValueError);
    CHECK_THROWS_AS(clock.advance(nan), ropewalk::ValueError);
    clock.advance(1s);
    CHECK(log.calls == Calls{"call"});
}

TEST_CASE("a cancelled call's function is destroyed at once, one that has run afterwards") {
    Clock clock;
    auto held = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = held;
    const DelayedCall cancelled = clock.callLater(1s, [held] {});
    const DelayedCall run = clock.callLater(1s, [held] { CHECK(held.use_count() == 1); });
    held.reset();
    CHECK(watch.use_count() == 2);
    cancelled.cancel();
    CHECK(watch.use_count() == 1);
    clock.advance(1s);
    CHECK(watch.expired());
}

TEST_CASE("a call's function may drop everything that names the call while it runs or is cancelled") {
    Clock clock;
    auto call = std::make_shared<DelayedCall>();
    int run = 0;
    *call = clock.callLater(1s, [&run, call]() mutable {
        call.reset();
        ++run;
    });
    std::weak_ptr<DelayedCall> watch = call;
    call.reset();
    clock.advance(1s);
    CHECK(run == 1);
    CHECK(watch.expired());

    call = std::make_shared<DelayedCall>();
    watch = call;
    *call = clock.callLater(1s, [call] {});
    DelayedCall& handle = *call;
    call.reset();
    handle.cancel();
    CHECK(watch.expired());
}

TEST_CASE("a Clock may be destroyed within one of its calls, at any depth") {
    auto clock = std::make_optional<Clock>();
    Log log;
    clock->callLater(1s, [&] {
        clock->callLater(0s, [&] {
            clock.reset();
            log("inner")();
        });
        Clock& turned = *clock;
        turned.advance(1s);
        log("outer")();
    });
    clock->callLater(2s, log("never"));
    clock->advance(1s);
    CHECK(log.calls == Calls{"inner", "outer"});
    CHECK_FALSE(clock.has_value());
}

TEST_CASE("handles outlive their Clock, and do nothing") {
    DelayedCall pending;
    DelayedCall run;
    ScopedCall scoped;
    auto held = std::make_shared<int>(1);
    {
        Clock clock;
        pending = clock.callLater(1s, [held] {});
        run = clock.callLater(0s, [] {});
        scoped = clock.callLater(1s, [held] {});
        clock.advance(0s);
        CHECK(held.use_count() == 3);
    }
    CHECK(held.use_count() == 1);
    CHECK_FALSE(pending.active());
    pending.reset(1s);
    pending.delay(1s);
    pending.cancel();
    CHECK(pending.getTime() == 1s);
    CHECK_THROWS_AS(run.cancel(), AlreadyCalled);
    CHECK_FALSE(scoped.active());
}

TEST_CASE("a call that is asked for while its Clock is being destroyed is never made") {
    struct Restless {
        Restless(Clock& theClock, DelayedCall& theCall) : clock(&theClock), call(&theCall) {}
        Restless(Restless&& other) noexcept : clock(std::exchange(other.clock, nullptr)), call(other.call) {}
        ~Restless() {
            if (clock != nullptr) {
                *call = clock->callLater(1s, [] { FAIL("called"); });
            }
        }
        void operator()() {}
        Clock* clock;
        DelayedCall* call;
    };
    DelayedCall late;
    {
        Clock clock;
        clock.callLater(1s, Restless(clock, late));
    }
    CHECK(late);
    CHECK_FALSE(late.active());
}

TEST_CASE("a coroutine may be called later: its captures live until it has ended") {
    Clock clock;
    Log log;
    Deferred<int> awaited;
    auto held = std::make_shared<std::string>("held");
    const std::weak_ptr<std::string> watch = held;
    clock.callLater(
        1s,
        [held = std::move(held), &log, &awaited](const std::string& name) -> Deferred<void> {
            const int value = co_await awaited;
            log (*held + name + std::to_string(value))();
        },
        std::string(" still "));
    clock.advance(1s);
    CHECK(watch.use_count() == 1);
    awaited.callback(3);
    CHECK(log.calls == Calls{"held still 3"});
    CHECK(watch.expired());
}

TEST_CASE("a DelayedCall prints its state") {
    Clock clock;
    const DelayedCall call = clock.callLater(1500ms, [] {});
    CHECK(call.str().find("due in 1.5 s, made at ") != std::string::npos);
    CHECK(call.str().find("clock_test.cpp:") != std::string::npos);
    const DelayedCall other = clock.callLater(2s, [] {});
    other.cancel();
    CHECK(other.str().find("cancelled") != std::string::npos);
    clock.advance(2s);
    CHECK(call.str().find(", called,") != std::string::npos);
    CHECK(DelayedCall().str() == "<DelayedCall None>");
}

TEST_CASE("random calls on a Clock run as those of a simple model") {
    struct Expected {
        double time;
        int number;
    };
    std::mt19937 random(20240101);
    auto below = [&random](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
    for (int round = 0; round < 200; ++round) {
        Clock clock;
        double now = 0;
        std::vector<Expected> model;
        std::vector<std::pair<int, DelayedCall>> calls;
        std::vector<int> run;
        int made = 0;
        for (int step = 0; step < 100; ++step) {
            const double time = below(8) * 0.5;
            const int at = calls.empty() ? 0 : below(static_cast<int>(calls.size()));
            auto inModel = [&](int number) { return std::ranges::find(model, number, &Expected::number); };
            switch (below(5)) {
                case 0:
                case 1:
                    model.push_back({now + time, made});
                    calls.emplace_back(made, clock.callLater(Seconds(time), [&run, number = made] {
                        run.push_back(number);
                    }));
                    ++made;
                    break;
                case 2:
                    if (!calls.empty() && calls[static_cast<std::size_t>(at)].second.active()) {
                        const auto& [number, call] = calls[static_cast<std::size_t>(at)];
                        call.cancel();
                        model.erase(inModel(number));
                    }
                    break;
                case 3:
                    if (!calls.empty() && calls[static_cast<std::size_t>(at)].second.active()) {
                        const auto& [number, call] = calls[static_cast<std::size_t>(at)];
                        if (below(2) == 0) {
                            call.reset(Seconds(time));
                            inModel(number)->time = now + time;
                        } else {
                            call.delay(Seconds(time - 2));
                            inModel(number)->time += time - 2;
                        }
                    }
                    break;
                default: {
                    now += time;
                    std::vector<int> expected;
                    std::ranges::sort(model, {},
                                      [](const Expected& e) { return std::pair(e.time, e.number); });
                    while (!model.empty() && model.front().time <= now) {
                        expected.push_back(model.front().number);
                        model.erase(model.begin());
                    }
                    run.clear();
                    clock.advance(Seconds(time));
                    REQUIRE(run == expected);
                    REQUIRE(clock.getDelayedCalls().size() == model.size());
                }
            }
        }
    }
}
