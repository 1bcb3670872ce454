#include <ropewalk/task/looping_call.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <source_location>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/reactor/errors.hpp>
#include <ropewalk/task/clock.hpp>

namespace defer = ropewalk::defer;

using namespace std::chrono_literals;
using defer::Deferred;
using defer::successResultOf;
using ropewalk::AssertionError;
using ropewalk::Seconds;
using ropewalk::ValueError;
using ropewalk::task::Clock;
using ropewalk::task::LoopingCall;

static_assert(!std::is_copy_constructible_v<LoopingCall> && !std::is_move_constructible_v<LoopingCall>);

namespace {

using Times = std::vector<Seconds>;

struct Noted {
    Noted() { loop.clock = &clock; }

    Clock clock;
    Times times;
    LoopingCall loop{[this] { times.push_back(clock.seconds()); }};
};

struct Counter {
    void add(int amount) { total += amount; }
    void count() { ++total; }
    int total = 0;
};

} // namespace

TEST_CASE("99.1: start calls the function before it returns") {
    Noted noted;
    const auto d = noted.loop.start(1s);
    CHECK(noted.times == Times{0s});
    CHECK(noted.loop.running());
    defer::assertNoResult(d);
}

TEST_CASE("99.2: after stop the Deferred of start fires with the LoopingCall") {
    Noted noted;
    const Deferred<LoopingCall*> d = noted.loop.start(1s);
    bool running = true;
    d.addCallback([&](LoopingCall* loop) {
        running = loop->running();
        return loop;
    });
    noted.clock.advance(1s);
    noted.loop.stop();
    CHECK(successResultOf(d) == &noted.loop);
    CHECK_FALSE(running);
    CHECK(noted.clock.getDelayedCalls().empty());
    noted.clock.advance(5s);
    CHECK(noted.times == Times{0s, 1s});
}

TEST_CASE("99.3: a start while it runs is refused, and changes nothing") {
    Noted noted;
    noted.loop.start(1s);
    CHECK_THROWS_AS(noted.loop.start(5s), AssertionError);
    CHECK_THROWS_AS(noted.loop.start(-5s), AssertionError);
    CHECK(noted.loop.interval() == 1s);
    noted.clock.advance(1s);
    CHECK(noted.times == Times{0s, 1s});
}

TEST_CASE("99.4, 99.5: stop and reset are refused when it does not run") {
    Noted noted;
    CHECK_THROWS_AS(noted.loop.stop(), AssertionError);
    CHECK_THROWS_AS(noted.loop.reset(), AssertionError);
    noted.loop.start(1s);
    noted.loop.stop();
    CHECK_THROWS_AS(noted.loop.stop(), AssertionError);
    CHECK_THROWS_AS(noted.loop.reset(), AssertionError);
}

TEST_CASE("99.6: an interval that is negative, or no number, is refused") {
    Noted noted;
    CHECK_THROWS_AS(noted.loop.start(-1s), ValueError);
    CHECK_THROWS_AS(noted.loop.start(Seconds(std::numeric_limits<double>::quiet_NaN())), ValueError);
    CHECK_FALSE(noted.loop.running());
    CHECK_FALSE(noted.loop.interval());
    CHECK(noted.times.empty());
    noted.loop.start(1s);
    CHECK(noted.times == Times{0s});
}

TEST_CASE("100.1: with now = false the first call comes after an interval") {
    Noted noted;
    noted.loop.start(2s, false);
    CHECK(noted.loop.running());
    noted.clock.advance(1999ms);
    CHECK(noted.times.empty());
    noted.clock.advance(1ms);
    noted.clock.advance(2s);
    CHECK(noted.times.size() == 2);
}

TEST_CASE(
    "100.2, 100.3, 100.4: stopped before its first call, it is never called, and the Deferred has fired") {
    Noted noted;
    const auto d = noted.loop.start(2s, false);
    noted.loop.stop();
    CHECK(noted.clock.getDelayedCalls().empty());
    CHECK(successResultOf(d) == &noted.loop);
    noted.clock.advance(10s);
    CHECK(noted.times.empty());
}

TEST_CASE("102.1: with the interval 0 every call asks for the next one at once") {
    Noted noted;
    noted.loop.start(0s);
    for (int turn = 0; turn < 3; ++turn) {
        REQUIRE(noted.clock.getDelayedCalls().size() == 1);
        CHECK(noted.clock.getDelayedCalls()[0].getTime() == noted.clock.seconds());
        noted.loop.stop();
        noted.loop.start(0s);
    }
    CHECK(noted.times == Times{0s, 0s, 0s, 0s});
}

TEST_CASE("102.2: on a Clock, the interval 0 calls until it is stopped, all in one advance") {
    Clock clock;
    int calls = 0;
    std::optional<LoopingCall> loop;
    loop.emplace([&] {
        if (++calls == 1000) {
            loop->stop();
        }
    });
    loop->clock = &clock;
    const auto d = loop->start(0s, false);
    CHECK(calls == 0);
    clock.advance(0s);
    CHECK(calls == 1000);
    CHECK(successResultOf(d) == &*loop);
}

TEST_CASE("107.1: reset lets a new interval begin now") {
    Noted noted;
    noted.loop.start(2s);
    noted.clock.advance(1s);
    noted.loop.reset();
    noted.clock.pump({1s, 1s, 1s, 1s});
    CHECK(noted.times == Times{0s, 3s, 5s});
}

TEST_CASE("reset before the first call moves that") {
    Noted noted;
    noted.loop.start(2s, false);
    noted.clock.advance(1s);
    noted.loop.reset();
    CHECK(noted.clock.getDelayedCalls().size() == 1);
    noted.clock.pump({1s, 1s, 1s, 1s});
    CHECK(noted.times == Times{3s, 5s});
}

TEST_CASE("reset while the function is being called changes nothing") {
    Clock clock;
    Times times;
    std::optional<LoopingCall> loop;
    loop.emplace([&] {
        times.push_back(clock.seconds());
        clock.advance(500ms);
        loop->reset();
    });
    loop->clock = &clock;
    loop->start(2s);
    clock.advance(1500ms);
    CHECK(times == Times{0s, 2s});
}

TEST_CASE("108.1: it prints its interval, where it was made and how many arguments it has") {
    Clock clock;
    const auto here = std::source_location::current();
    LoopingCall loop([](int, int) {}, 1, 2, here);
    loop.clock = &clock;
    const std::string place = here.file_name() + (":" + std::to_string(here.line()));
    CHECK(loop.str() == "LoopingCall<None>(made at " + place + ", 2 arguments)");
    loop.start(500ms);
    std::ostringstream out;
    out << loop;
    CHECK(out.str() == "LoopingCall<0.5>(made at " + place + ", 2 arguments)");
    const LoopingCall other([] {});
    CHECK(other.str().ends_with(std::to_string(__LINE__ - 1) + ")"));
}

TEST_CASE("a LoopingCall gives its function the same arguments every time") {
    Clock clock;
    std::vector<std::string> seen;
    LoopingCall loop([&](std::string a, const std::string& b) { seen.push_back(std::move(a) + b); },
                     std::string("a"), "b");
    loop.clock = &clock;
    loop.start(1s);
    clock.advance(1s);
    clock.advance(1s);
    CHECK(seen == std::vector<std::string>{"ab", "ab", "ab"});
}

TEST_CASE("a LoopingCall calls member functions, on objects and pointers, and functions that keep a state") {
    Clock clock;
    Counter counter;
    const auto shared = std::make_shared<Counter>();
    int last = 0;
    LoopingCall plain(&Counter::count, &counter);
    LoopingCall withArgument(&Counter::add, shared, 5);
    LoopingCall withReference(&Counter::add, std::ref(counter), 10);
    LoopingCall stateful([&last, n = 0]() mutable { last = ++n; });
    LoopingCall four([&last](int a, int b, int c, int d) { last = a * b * c * d; }, 1, 2, 3, 4);
    for (LoopingCall* loop : {&plain, &withArgument, &withReference, &stateful}) {
        loop->clock = &clock;
        loop->start(1s);
    }
    clock.advance(1s);
    CHECK(counter.total == 22);
    CHECK(shared->total == 10);
    CHECK(last == 2);
    four.clock = &clock;
    four.start(1s);
    CHECK(last == 24);
}

TEST_CASE("a LoopingCall ignores the value that its function returns") {
    Clock clock;
    int calls = 0;
    LoopingCall loop([&] { return ++calls; });
    loop.clock = &clock;
    loop.start(1s);
    clock.advance(1s);
    CHECK(calls == 2);
}

TEST_CASE("a LoopingCall of an empty function is refused") {
    CHECK_THROWS_AS(LoopingCall(std::function<void()>()), AssertionError);
    CHECK_THROWS_AS(LoopingCall::withCount(std::function<void(int)>()), AssertionError);
}

TEST_CASE("a LoopingCall can be started anew, with another interval and clock") {
    Noted noted;
    Clock other;
    const auto first = noted.loop.start(1s);
    noted.clock.advance(1s);
    noted.loop.stop();
    noted.loop.clock = &other;
    other.advance(7s);
    const auto second = noted.loop.start(3s, false);
    CHECK(successResultOf(first) == &noted.loop);
    CHECK(noted.loop.interval() == 3s);
    noted.clock.advance(50s);
    CHECK(noted.times == Times{0s, 1s});
    other.advance(3s);
    CHECK(noted.times.size() == 3);
    defer::assertNoResult(second);
    noted.loop.stop();
    CHECK(successResultOf(second) == &noted.loop);
}

TEST_CASE("another interval counts from the next call on") {
    Noted noted;
    noted.loop.start(2s);
    noted.loop.setInterval(3s);
    CHECK_THROWS_AS(noted.loop.setInterval(-1s), ValueError);
    noted.clock.pump({1s, 1s, 1s, 1s, 1s, 1s});
    CHECK(noted.times == Times{0s, 2s, 3s, 6s});
}

TEST_CASE("many LoopingCalls on one Clock keep their order") {
    Clock clock;
    std::string order;
    LoopingCall a([&] { order += 'a'; });
    LoopingCall b([&] { order += 'b'; });
    LoopingCall c([&] { order += 'c'; });
    for (LoopingCall* loop : {&a, &b, &c}) {
        loop->clock = &clock;
    }
    a.start(1s);
    b.start(2s);
    c.start(1s);
    clock.pump({1s, 1s});
    CHECK(order == "abcacbac");
}
