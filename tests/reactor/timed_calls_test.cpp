#include <ropewalk/reactor/reactor.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/trail.hpp>
#include <support/memory_driver.hpp>

using namespace std::chrono_literals;
using ropewalk::AlreadyCalled;
using ropewalk::AlreadyCancelled;
using ropewalk::DelayedCall;
using ropewalk::Reactor;
using ropewalk::ScopedCall;
using ropewalk::Seconds;
using ropewalk::defer::Deferred;
using ropewalk::defer::flushLoggedErrors;

namespace {

constexpr std::int64_t ms = MemoryDriver::millisecond;

using Calls = std::vector<std::string>;

Seconds at(double milliseconds) {
    return Seconds(milliseconds / 1000);
}

struct Fixture : MemoryReactor {
    auto log(std::string name) {
        return [this, name] { calls.push_back(name); };
    }
    auto stop() {
        return [this] { reactor.stop(); };
    }
    /// Runs until that moment.
    void runUntil(std::int64_t moment) {
        driver.at(moment, stop());
        reactor.run();
    }
    Calls calls;
};

} // namespace

TEST_CASE("a call is made after its delay, and the reactor waits until then") {
    Fixture f;
    Seconds calledAt{0};
    const DelayedCall call = f.reactor.callLater(2s, [&] {
        calledAt = f.reactor.seconds();
        f.reactor.stop();
    });
    CHECK(call.getTime() == 2s);
    f.reactor.run();
    CHECK(calledAt == 2s);
    CHECK_FALSE(call.active());
    CHECK(f.driver.polls == std::vector<std::int64_t>{2000 * ms});
}

TEST_CASE("95.4: a reactor refuses negative delays, and what isn't a number") {
    Fixture f;
    CHECK_THROWS_AS(f.reactor.callLater(-1s, [] {}), ropewalk::AssertionError);
    CHECK_THROWS_AS(f.reactor.callLater(-1ns, [] {}), ropewalk::AssertionError);
    CHECK_THROWS_AS(f.reactor.callLater(Seconds(std::nan("")), [] {}), ropewalk::AssertionError);
    const DelayedCall call = f.reactor.callLater(1s, [] {});
    CHECK_THROWS_AS(call.reset(Seconds(std::nan(""))), ropewalk::ValueError);
    CHECK_THROWS_AS(call.delay(Seconds(std::nan(""))), ropewalk::ValueError);
    CHECK(call.getTime() == 1s);
}

TEST_CASE("133.1: an exception that escapes a timed call is logged, and the loop goes on") {
    Fixture f;
    f.reactor.callLater(1s, [] { throw std::runtime_error("first"); });
    f.reactor.callLater(1s, [] { throw 42; });
    f.reactor.callLater(1s, f.log("second"));
    f.reactor.callLater(2s, f.stop());
    f.reactor.run();
    CHECK(f.calls == Calls{"second"});
    CHECK(f.reactor.seconds() == 2s);
    const auto errors = flushLoggedErrors();
    REQUIRE(errors.size() == 2);
    CHECK(errors[0].check<std::runtime_error>() != nullptr);
    CHECK(errors[1].check<int>() != nullptr);
}

TEST_CASE("133.2: a call without delay that a timed call asks for is made in the next turn") {
    Fixture f;
    f.reactor.callLater(1s, [&] {
        f.log("a")();
        f.reactor.callLater(0s, [&] {
            f.log("next turn")();
            f.reactor.stop();
        });
    });
    f.reactor.callLater(1s, f.log("b"));
    f.reactor.run();
    CHECK(f.calls == Calls{"a", "b", "next turn"});
    CHECK(f.driver.polls == std::vector<std::int64_t>{1000 * ms, 0});
}

TEST_CASE("133.3: cancelled calls vanish from getDelayedCalls") {
    Fixture f;
    const DelayedCall a = f.reactor.callLater(3s, [] {});
    const DelayedCall b = f.reactor.callLater(1s, [] {});
    const DelayedCall c = f.reactor.callLater(100000s, [] {});
    CHECK(f.reactor.getDelayedCalls() == std::vector<DelayedCall>{b, a, c});
    a.cancel();
    CHECK(f.reactor.getDelayedCalls() == std::vector<DelayedCall>{b, c});
    c.cancel();
    b.cancel();
    CHECK(f.reactor.getDelayedCalls().empty());
}

TEST_CASE("getDelayedCalls within a call has the others that are due, and not itself") {
    Fixture f;
    std::size_t count = 99;
    f.reactor.callLater(1s, [&] { count = f.reactor.getDelayedCalls().size(); });
    f.reactor.callLater(1s, f.stop());
    f.reactor.callLater(5s, [] {});
    f.reactor.run();
    CHECK(count == 2);
}

TEST_CASE("94.1, 94.2: a timed call counts as called while it runs") {
    Fixture f;
    DelayedCall call;
    call = f.reactor.callLater(1s, [&] {
        CHECK_FALSE(call.active());
        CHECK_THROWS_AS(call.cancel(), AlreadyCalled);
        CHECK_THROWS_AS(call.reset(1s), AlreadyCalled);
        CHECK_THROWS_AS(call.delay(1s), AlreadyCalled);
        f.reactor.stop();
    });
    CHECK(call.active());
    f.reactor.run();
}

TEST_CASE("97.1, 97.2: a reactor's call that is over can be neither cancelled nor moved") {
    Fixture f;
    const DelayedCall cancelled = f.reactor.callLater(1s, [] { FAIL("called"); });
    const DelayedCall run = f.reactor.callLater(1s, f.stop());
    cancelled.cancel();
    f.reactor.run();
    CHECK_THROWS_AS(cancelled.cancel(), AlreadyCancelled);
    CHECK_THROWS_AS(cancelled.reset(1s), AlreadyCancelled);
    CHECK_THROWS_AS(cancelled.delay(1s), AlreadyCancelled);
    CHECK_THROWS_AS(run.cancel(), AlreadyCalled);
    CHECK_THROWS_AS(run.reset(1s), AlreadyCalled);
    CHECK_THROWS_AS(run.delay(1s), AlreadyCalled);
}

TEST_CASE("96.1, 96.2, 96.3: a reactor's calls can be moved") {
    Fixture f;
    const DelayedCall call = f.reactor.callLater(4s, f.log("call"));
    f.driver.time = 1000 * ms;
    call.reset(1s);
    CHECK(call.getTime() == 2s);
    call.delay(5s);
    CHECK(call.getTime() == 7s);
    call.delay(-1500ms);
    CHECK(call.getTime() == at(5500));
    call.delay(-100s);
    CHECK(call.getTime() == 0s);
    call.reset(-500ms);
    CHECK(call.getTime() == at(500));
    call.reset(3s);
    CHECK(call.getTime() == 4s);
    f.runUntil(3999 * ms);
    CHECK(f.calls.empty());
    f.runUntil(4000 * ms);
    CHECK(f.calls == Calls{"call"});
}

TEST_CASE("96.4: a reactor's moved calls are in order again, also among those made later") {
    Fixture f;
    const DelayedCall a = f.reactor.callLater(1s, f.log("a"));
    a.reset(3s);
    f.reactor.callLater(2s, f.log("b"));
    const DelayedCall c = f.reactor.callLater(2500ms, f.log("c"));
    f.reactor.callLater(500ms, [&] { c.reset(2500ms); });
    f.reactor.callLater(3s, f.log("d"));
    f.reactor.callLater(3s, f.stop());
    f.reactor.run();
    CHECK(f.calls == Calls{"b", "a", "c", "d"});
}

TEST_CASE("a call that is moved or cancelled by another one that is due with it is not made then") {
    Fixture f;
    DelayedCall moved;
    DelayedCall cancelled;
    f.reactor.callLater(1s, [&] {
        moved.reset(1s);
        cancelled.cancel();
    });
    moved = f.reactor.callLater(1s, [&] {
        CHECK(f.reactor.seconds() == 2s);
        f.reactor.stop();
    });
    cancelled = f.reactor.callLater(1s, [] { FAIL("called"); });
    f.reactor.run();
    CHECK_FALSE(moved.active());
}

TEST_CASE("calls that are due together are made in the order of their moments, then of their making") {
    Fixture f;
    f.reactor.callLater(20ms, f.log("late"));
    f.reactor.callLater(5ms, f.log("early a"));
    f.reactor.callLater(10ms, f.log("middle"));
    f.reactor.callLater(5ms, f.log("early b"));
    f.reactor.callLater(1ms, [&] { f.driver.time = 100 * ms; });
    f.runUntil(101 * ms);
    CHECK(f.calls == Calls{"early a", "early b", "middle", "late"});
}

TEST_CASE("moments are whole milliseconds, rounded up: a call is never early") {
    Fixture f;
    f.driver.time = 10 * ms + 1;
    CHECK(f.reactor.callLater(1s, [] {}).getTime() == at(1011));
    CHECK(f.reactor.callLater(500us, [] {}).getTime() == at(11));
    CHECK(f.reactor.callLater(1ms, [] {}).getTime() == at(12));
    f.driver.time = 10 * ms;
    CHECK(f.reactor.callLater(1s, [] {}).getTime() == at(1010));
    CHECK(f.reactor.callLater(70ms, [] {}).getTime() == at(80));
    CHECK(f.reactor.callLater(Seconds(0.07), [] {}).getTime() == at(80));
    CHECK(f.reactor.callLater(1100us, [] {}).getTime() == at(12));
    for (int i = 1; i < 2000; ++i) {
        CHECK(f.reactor.callLater(Seconds(i / 1000.0), [] {}).getTime() == at(10 + i));
    }
    const DelayedCall call = f.reactor.callLater(1s, [] {});
    call.delay(Seconds(0.0701));
    CHECK(call.getTime() == at(1081));
    call.delay(Seconds(-0.0709));
    CHECK(call.getTime() == at(1011));
}

TEST_CASE("a delay under half a millisecond means the next turn") {
    Fixture f;
    f.driver.time = 10 * ms + 900'000;
    f.reactor.callLater(0s, f.log("none"));
    f.reactor.callLater(499'999ns, f.log("hardly any"));
    f.reactor.callLater(500us, [&] {
        CHECK(f.driver.time >= 11 * ms + 400'000);
        f.log("half")();
        f.reactor.stop();
    });
    f.reactor.iterate();
    CHECK(f.calls == Calls{"none", "hardly any"});
    f.reactor.run();
    CHECK(f.calls.back() == "half");
}

TEST_CASE("huge delays are kept, and never due") {
    Fixture f;
    const double infinity = std::numeric_limits<double>::infinity();
    const DelayedCall a = f.reactor.callLater(Seconds(infinity), [] { FAIL("called"); });
    const DelayedCall b = f.reactor.callLater(Seconds(1e300), [] { FAIL("called"); });
    const DelayedCall c = f.reactor.callLater(Seconds(1e10), [] { FAIL("called"); });
    CHECK(c.getTime() == Seconds(1e10));
    CHECK(a.getTime() == b.getTime());
    CHECK(f.reactor.getDelayedCalls().front() == c);
    a.delay(Seconds(infinity));
    b.delay(Seconds(1e300));
    c.delay(Seconds(-infinity));
    CHECK(c.getTime() == 0s);
    c.reset(Seconds(infinity));
    f.driver.at(1000 * ms, f.stop());
    f.reactor.run();
    CHECK(f.driver.polls.back() == ropewalk::Driver::forever);
}

TEST_CASE("when the clock has jumped, all that is due is made at once and in order") {
    Fixture f;
    for (const Seconds delay :
         {Seconds(3600 * 24 * 365.0), Seconds(1), Seconds(70), Seconds(3600), Seconds(1.5)}) {
        f.reactor.callLater(
            delay, [&, delay] { f.calls.push_back(std::to_string(static_cast<int>(delay.count()))); });
    }
    f.driver.at(3600LL * 24 * 366 * 1000 * ms, [] {});
    f.driver.time = 3600LL * 24 * 366 * 1000 * ms;
    f.reactor.iterate();
    CHECK(f.calls == Calls{"1", "1", "70", "3600", "31536000"});
}

TEST_CASE("a call that re-arms itself without delay doesn't keep events waiting") {
    Fixture f;
    int turns = 0;
    std::function<void()> again = [&] {
        ++turns;
        f.driver.time += ms;
        f.reactor.callLater(0s, again);
    };
    again();
    f.driver.at(5 * ms, f.stop());
    f.reactor.run();
    CHECK(turns >= 5);
    CHECK(turns <= 8);
}

TEST_CASE("the clock is read at the first request for the time in a call, and then no more") {
    Fixture f;
    int reads = -1;
    f.reactor.callLater(1s, [&] {
        const int before = f.driver.clockReads;
        f.driver.time += 5 * ms;
        const Seconds first = f.reactor.seconds();
        CHECK(first == at(1005));
        f.driver.time += 5 * ms;
        CHECK(f.reactor.seconds() == first);
        CHECK(f.reactor.callLater(1s, [] {}).getTime() == at(2005));
        reads = f.driver.clockReads - before;
    });
    f.reactor.callLater(1s, [&] {
        CHECK(f.reactor.seconds() == at(1010));
        f.reactor.stop();
    });
    f.reactor.run();
    CHECK(reads == 1);
}

TEST_CASE("outside the loop the clock is read whenever the time is asked for") {
    Fixture f;
    CHECK(f.reactor.seconds() == 0s);
    f.driver.time = 1000 * ms;
    CHECK(f.reactor.seconds() == 1s);
    f.runUntil(2000 * ms);
    f.driver.time = 3000 * ms;
    CHECK(f.reactor.seconds() == 3s);
    CHECK(f.reactor.callLater(1s, [] {}).getTime() == 4s);
}

TEST_CASE("a turn without timed calls doesn't read the clock") {
    Fixture f;
    f.driver.at(1, [] {});
    f.driver.at(2, f.stop());
    const int before = f.driver.clockReads;
    f.reactor.run();
    CHECK(f.driver.clockReads == before);
}

TEST_CASE("a ScopedCall cancels its call when it goes") {
    Fixture f;
    {
        const ScopedCall call = f.reactor.callLater(1s, [] { FAIL("called"); });
        CHECK(call.active());
        CHECK(call->getTime() == 1s);
    }
    CHECK(f.reactor.getDelayedCalls().empty());

    ScopedCall call = f.reactor.callLater(1s, [] { FAIL("called"); });
    call = f.reactor.callLater(1s, f.log("second"));
    ScopedCall other = std::move(call);
    CHECK_FALSE(call);
    const DelayedCall kept = ScopedCall(f.reactor.callLater(1s, f.log("kept"))).release();
    f.reactor.callLater(1s, f.stop());
    f.reactor.run();
    CHECK(f.calls == Calls{"second", "kept"});
    CHECK_FALSE(other.active());
    other.cancel();
    CHECK_FALSE(kept.active());
}

TEST_CASE("an empty DelayedCall refuses everything, and isn't active") {
    const DelayedCall call = nullptr;
    CHECK_FALSE(call);
    CHECK_FALSE(call.active());
    CHECK_THROWS_AS(call.cancel(), ropewalk::AssertionError);
    CHECK_THROWS_AS(call.reset(1s), ropewalk::AssertionError);
    CHECK_THROWS_AS(call.delay(1s), ropewalk::AssertionError);
    CHECK_THROWS_AS(static_cast<void>(call.getTime()), ropewalk::AssertionError);
}

TEST_CASE("functions and arguments of any alignment are kept in place") {
    struct alignas(64) Wide {
        int value = 7;
    };
    Fixture f;
    int sum = 0;
    const Wide wide;
    f.reactor.callLater(1s, [&sum, wide] {
        CHECK(reinterpret_cast<std::uintptr_t>(&wide) % 64 == 0);
        sum += wide.value;
    });
    const DelayedCall cancelled =
        f.reactor.callLater(1s, [&sum](const Wide& given) { sum += given.value; }, wide);
    cancelled.cancel();
    f.reactor.callLater(1s, [&sum](const Wide& given) { sum += given.value; }, wide);
    f.reactor.callLater(1s, f.stop());
    f.reactor.run();
    CHECK(sum == 14);
}

TEST_CASE("a function whose destructor throws is logged and does no harm") {
    struct Thrower {
        Thrower() = default;
        Thrower(Thrower&& other) noexcept : armed(std::exchange(other.armed, false)) {}
        ~Thrower() noexcept(false) {
            if (armed) {
                throw std::runtime_error("destructor");
            }
        }
        void operator()() {}
        bool armed = true;
    };
    Fixture f;
    const DelayedCall cancelled = f.reactor.callLater(1s, Thrower());
    cancelled.cancel();
    f.reactor.callLater(1s, Thrower());
    f.reactor.callLater(1s, f.stop());
    f.reactor.run();
    CHECK(flushLoggedErrors<std::runtime_error>().size() == 2);
}

TEST_CASE("a coroutine may be a timed call: its captures and arguments live until it has ended") {
    Fixture f;
    Deferred<int> awaited;
    auto held = std::make_shared<std::string>("held");
    const std::weak_ptr<std::string> watch = held;
    const DelayedCall call = f.reactor.callLater(
        1s,
        [held = std::move(held), &f, &awaited](const std::string& name) -> Deferred<void> {
            const int value = co_await awaited;
            f.log (*held + name + std::to_string(value))();
        },
        std::string(" still "));
    f.reactor.callLater(2s, [&] {
        CHECK(watch.use_count() == 1);
        CHECK(f.calls.empty());
        awaited.callback(3);
        f.reactor.stop();
    });
    f.reactor.run();
    CHECK(f.calls == Calls{"held still 3"});
    CHECK(watch.expired());
    CHECK_FALSE(call.active());
}

TEST_CASE("a timed call whose Deferred fails is reported as unhandled") {
    Fixture f;
    f.reactor.callLater(1s, []() -> Deferred<void> {
        co_await 1;
        throw std::runtime_error("lost");
    });
    f.reactor.callLater(1s, f.stop());
    f.reactor.run();
    CHECK(flushLoggedErrors<std::runtime_error>().size() == 1);
}

TEST_CASE("the trail shows who runs the reactor and who asked for the call") {
    Fixture f;
    std::string trail;
    f.reactor.callLater(1s, [&] {
        trail = ropewalk::defer::currentTrail().str();
        f.reactor.stop();
    });
    const int callLaterLine = __LINE__ - 4;
    f.reactor.run();
    const int runLine = __LINE__ - 1;
    const auto run = trail.find("timed_calls_test.cpp:" + std::to_string(runLine));
    const auto asked = trail.find("timed_calls_test.cpp:" + std::to_string(callLaterLine));
    CHECK_MESSAGE(run != std::string::npos, trail);
    CHECK_MESSAGE(asked != std::string::npos, trail);
    CHECK(run < asked);
}

#if ROPEWALK_CHECKS
TEST_CASE("in a build with checks, a reactor used in a thread that isn't its own says so") {
    Fixture f;
    const DelayedCall call = f.reactor.callLater(1s, [] {});
    int refused = 0;
    std::thread([&] {
        auto tried = [&refused](auto use) {
            try {
                use();
            } catch (const ropewalk::AssertionError&) {
                ++refused;
            }
        };
        tried([&] { f.reactor.callLater(1s, [] {}); });
        tried([&] { call.cancel(); });
        tried([&] { call.reset(1s); });
        tried([&] { call.delay(1s); });
        tried([&] { f.reactor.run(); });
        tried([&] { f.reactor.iterate(); });
        tried([&] { f.reactor.callWhenRunning([] {}); });
        tried([&] { f.reactor.getDelayedCalls(); });
        tried([&] { f.reactor.fireSystemEvent("event"); });
    }).join();
    CHECK(refused == 9);
    CHECK(call.active());
}
#endif

TEST_CASE("a pending call takes at most 100 bytes beside its function") {
    constexpr std::size_t overhead = sizeof(std::size_t);
    for (const std::size_t function : {std::size_t{8}, std::size_t{16}, std::size_t{48}}) {
        const std::size_t block = (sizeof(ropewalk::detail::Call) + function + overhead + 15) / 16 * 16;
        CHECK(block - function <= 100);
    }
}
