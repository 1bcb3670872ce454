#include <ropewalk/flow/march.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/flow/generator.hpp>
#include <ropewalk/task/clock.hpp>
#include <ropewalk/task/errors.hpp>
#include <support/memory_driver.hpp>

namespace flow = ropewalk::flow;
namespace march = ropewalk::flow2003::march;

using namespace std::chrono_literals;
using march::Context;
using march::Flow;
using march::PauseFlow;
using ropewalk::StopIteration;
using ropewalk::ValueError;
using ropewalk::defer::flushLoggedErrors;
using ropewalk::task::Clock;

namespace {

using Log = std::vector<std::string>;

/// Each place pauses at its first visit by each value, so that every call is made twice.
struct World {
    void pauseOnce(const std::string& place) {
        if (paused.insert(place).second) {
            ++pauses;
            throw PauseFlow();
        }
    }
    void finish() {
        while (!clock.getDelayedCalls().empty()) {
            clock.advance(0s);
        }
    }

    Clock clock;
    Log log;
    std::set<std::string> paused;
    int pauses = 0;
};

/// Pauses on odd numbers, which are lost, as in the mail.
struct EvenOnes {
    int data;
    int* calls;
    int next() {
        ++*calls;
        if (data < 0) {
            throw StopIteration();
        }
        const int n = data--;
        if (n % 2 != 0) {
            throw PauseFlow();
        }
        return n;
    }
};

} // namespace

TEST_CASE("an iterator that pauses is asked again, and other calls have their turn") {
    World w;
    int calls = 0;
    Flow c;
    c.addBranch([&](int data) { return EvenOnes{data, &calls}; }, [&] { w.log.emplace_back("end"); });
    c.addCallable([&](int n) { w.log.push_back(std::to_string(n)); });
    c.execute(4, w.clock);
    CHECK(w.log == Log{"4"});
    w.clock.callLater(0s, [&] { w.log.emplace_back("other"); });
    w.finish();
    CHECK(w.log == Log{"4", "2", "other", "0", "end"});
    CHECK(calls == 6);
}

TEST_CASE("a pause lasts for the waitInterval that the execution began with") {
    World w;
    Flow c;
    c.waitInterval = 2s;
    c.addCallable([&](int n) {
        w.pauseOnce(std::to_string(n));
        w.log.push_back(std::to_string(n));
    });
    c.execute(1, w.clock);
    c.waitInterval = 5s;
    c.execute(2, w.clock);
    w.clock.advance(1s);
    CHECK(w.log.empty());
    w.clock.advance(1s);
    CHECK(w.log == Log{"1"});
    w.clock.advance(3s);
    CHECK(w.log == Log{"1", "2"});
}

TEST_CASE("wherever a flow pauses, it comes to the same") {
    const auto run = [](World& w, bool pausing) {
        const auto at = [&w, pausing](const std::string& place) {
            if (pausing) {
                w.pauseOnce(place);
            }
        };
        Flow chained;
        chained.addCallable([&w, at](int n) {
            at("chained " + std::to_string(n));
            w.log.push_back("chained " + std::to_string(n));
        });
        Flow f;
        f.addCallable([at](int n) {
            at("callable");
            return n;
        });
        f.addBranch(
            [at](int n) {
                at("branch");
                std::vector<int> all;
                for (int i = 1; i <= n; ++i) {
                    all.push_back(i);
                }
                return all;
            },
            [&w, at] {
                at("finish");
                w.log.emplace_back("finish");
            });
        f.addContext([&w, at](Context& context) {
            const int n = context.get<int>("n");
            at("flush " + std::to_string(n));
            w.log.push_back("flush " + std::to_string(n));
        });
        f.addCallable([at](Context& context, int n) {
            at("set " + std::to_string(n));
            context.set("n", n);
            return n;
        });
        f.addMerge(
            [at](int sum, int n) {
                at("merge " + std::to_string(n));
                return sum + n;
            },
            [at] {
                at("start");
                return 10;
            });
        f.addCallable([&w, at](int n) {
            at("sink " + std::to_string(n));
            w.log.push_back("sink " + std::to_string(n));
            return n;
        });
        f.addChain(chained);
        f.execute(2, w.clock);
        w.finish();
        return w.log;
    };
    World straight;
    World pausing;
    const Log log = run(straight, false);
    CHECK(log == Log{"flush 1", "sink 11", "chained 11", "flush 2", "sink 12", "chained 12", "finish"});
    CHECK(run(pausing, true) == log);
    CHECK(pausing.pauses == 14);
}

TEST_CASE("several executions of one flow pause by themselves") {
    World w;
    Flow c;
    c.addBranch([](int n) { return std::vector{n, n + 1}; });
    c.addCallable([&](int n) {
        w.pauseOnce(std::to_string(n));
        w.log.push_back(std::to_string(n));
    });
    c.execute(10, w.clock);
    c.execute(20, w.clock);
    w.finish();
    CHECK(w.log == Log{"10", "20", "11", "21"});
}

TEST_CASE("a paused execution keeps the stages of a flow that is gone") {
    World w;
    {
        Flow c;
        c.addCallable([&](int n) {
            w.pauseOnce("first");
            return n;
        });
        c.addCallable([&](int n) { w.log.push_back(std::to_string(n)); });
        c.execute(1, w.clock);
    }
    w.finish();
    CHECK(w.log == Log{"1"});
}

TEST_CASE("an error after a pause is logged, and ends the execution") {
    World w;
    Flow c;
    c.addCallable([&](int) {
        w.pauseOnce("once");
        throw ValueError("later");
    });
    c.execute(1, w.clock);
    w.finish();
    const auto errors = flushLoggedErrors<ValueError>();
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].getErrorMessage() == "later");
}

TEST_CASE("a generator can't go on after a PauseFlow of its own; it can yield Cooperate, or a Deferred") {
    World w;
    const auto run = [&](auto generator) {
        w.log.clear();
        Flow b;
        b.addBranch(generator, [&] { w.log.emplace_back("end"); });
        b.addCallable([&](int n) { w.log.push_back(std::to_string(n)); });
        b.execute({}, w.clock);
    };
    run([]() -> flow::Generator<int> {
        co_yield 1;
        throw PauseFlow();
    });
    CHECK(w.log == Log{"1"});
    w.finish();
    CHECK(w.log == Log{"1", "end"});

    run([]() -> flow::Generator<int> {
        co_yield 1;
        co_yield flow::Cooperate(3s);
        co_yield 2;
    });
    w.clock.advance(2s);
    CHECK(w.log == Log{"1"});
    w.clock.advance(1s);
    CHECK(w.log == Log{"1", "2", "end"});

    const ropewalk::defer::Deferred<int> d;
    const auto waits = [&]() -> flow::Generator<int> {
        co_yield d;
        co_yield 2;
    };
    run(waits);
    CHECK(w.log.empty());
    d.callback(1);
    CHECK(w.log == Log{"2", "end"});
}

TEST_CASE("a reactor that goes ends the execution, and says so") {
    bool closed = false;
    struct Note {
        bool& closed;
        ~Note() { closed = true; }
    };
    {
        MemoryReactor world;
        Flow b;
        b.addBranch([&closed]() -> flow::Generator<int> {
            const Note note{closed};
            co_yield 1;
        });
        b.addCallable([](int) { throw PauseFlow(); });
        b.execute();
        world.reactor.iterate();
        CHECK_FALSE(closed);
    }
    CHECK(closed);
    CHECK(flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
}

TEST_CASE("it goes on by the thread's reactor") {
    World w;
    MemoryReactor world;
    Flow c;
    c.addCallable([&](int n) {
        w.pauseOnce("once");
        w.log.push_back(std::to_string(n));
    });
    c.execute(1);
    CHECK(w.log.empty());
    world.reactor.iterate();
    CHECK(w.log == Log{"1"});
}
