// labels: threads
#include <ropewalk/reactor/threads.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/reactor/reactor.hpp>

using namespace std::chrono_literals;
using ropewalk::AbandonedError;
using ropewalk::blockingCallFromThread;
using ropewalk::Failure;
using ropewalk::Reactor;
using ropewalk::defer::Deferred;
using ropewalk::defer::flushLoggedErrors;

namespace {

/// Runs the reactor, and meanwhile the function in another thread, whose end stops the reactor.
void runBeside(Reactor& reactor, const std::function<void()>& function) {
    std::thread other;
    reactor.callWhenRunning([&] {
        other = std::thread([&] {
            function();
            reactor.callFromThread([&] { reactor.stop(); });
        });
    });
    reactor.run();
    other.join();
}

} // namespace

TEST_CASE("144.4: blockingCallFromThread runs in the reactor's thread and returns the value") {
    Reactor reactor;
    const auto mine = std::this_thread::get_id();
    std::thread::id ranIn;
    std::string text;
    std::unique_ptr<int> owned;
    runBeside(reactor, [&] {
        text = blockingCallFromThread(
            reactor,
            [&](const std::string& a, int b) {
                ranIn = std::this_thread::get_id();
                return a + std::to_string(b);
            },
            "n", 5);
        owned = blockingCallFromThread(reactor, [] { return std::make_unique<int>(3); });
        blockingCallFromThread(reactor, [] {});
    });
    CHECK(ranIn == mine);
    CHECK(text == "n5");
    CHECK(*owned == 3);
}

TEST_CASE("144.5: it waits for the Deferred that the function returns") {
    Reactor reactor;
    int value = 0;
    bool later = false;
    std::string awaited;
    runBeside(reactor, [&] {
        value = blockingCallFromThread(reactor, [&] {
            Deferred<int> d;
            reactor.callLater(1ms, [&later, d] {
                later = true;
                d.callback(8);
            });
            return d;
        });
        const std::string prefix = "after ";
        awaited = blockingCallFromThread(
            reactor,
            [&reactor, prefix](int ms) -> Deferred<std::string> {
                Deferred<void> pause;
                reactor.callLater(std::chrono::milliseconds(ms), [pause] { pause.callback(); });
                co_await pause;
                co_return prefix + std::to_string(ms);
            },
            2);
        blockingCallFromThread(reactor, [&] {
            Deferred<void> d;
            d.callback();
            return d;
        });
    });
    CHECK(value == 8);
    CHECK(later);
    CHECK(awaited == "after 2");
}

TEST_CASE("144.6: it throws the original exception, of the function or of its Deferred") {
    Reactor reactor;
    runBeside(reactor, [&] {
        CHECK_THROWS_AS(blockingCallFromThread(reactor, [] { throw ropewalk::KeyError("k"); }),
                        ropewalk::KeyError);
        CHECK_THROWS_AS(
            blockingCallFromThread(reactor, []() -> Deferred<int> { throw ropewalk::ValueError("v"); }),
            ropewalk::ValueError);
        try {
            blockingCallFromThread(reactor, [&] {
                Deferred<int> d;
                reactor.callLater(0s, [d] { d.errback(ropewalk::ValueError("from the Deferred")); });
                return d;
            });
            FAIL("nothing thrown");
        } catch (const ropewalk::ValueError& error) {
            CHECK(std::string(error.what()) == "from the Deferred");
        }
        CHECK_THROWS_AS(blockingCallFromThread(reactor, [] { return Deferred<int>(nullptr); }),
                        ropewalk::EmptyDeferredError);
    });
}

TEST_CASE("a Deferred that nobody can fire any more lets the thread go on") {
    Reactor reactor;
    runBeside(reactor, [&] {
        CHECK_THROWS_AS(blockingCallFromThread(reactor, [] { return Deferred<int>(); }), AbandonedError);
        CHECK_THROWS_AS(blockingCallFromThread(reactor,
                                               [&] {
                                                   Deferred<int> d;
                                                   auto dropped = reactor.firer(d);
                                                   return d;
                                               }),
                        AbandonedError);
    });
}

TEST_CASE("in the reactor's own thread it throws rather than wait for ever") {
    Reactor reactor;
    bool called = false;
    CHECK_THROWS_AS(blockingCallFromThread(reactor, [&] { called = true; }), ropewalk::RuntimeError);
    reactor.iterate();
    CHECK_FALSE(called);
}

TEST_CASE("a thread of the reactor's pool may call, and another reactor's thread") {
    Reactor reactor;
    int sum = 0;
    reactor.callInThread([&] {
        sum += blockingCallFromThread(ropewalk::reactor(), [] { return 1; });
        reactor.callFromThread([&] { reactor.stop(); });
    });
    reactor.run();
    runBeside(reactor, [&] {
        Reactor other;
        other.callWhenRunning([&] {
            sum += blockingCallFromThread(reactor, [] { return 2; });
            other.stop();
        });
        other.run();
    });
    CHECK(sum == 3);
}

TEST_CASE("before the first run it waits for that") {
    Reactor reactor;
    std::latch calling(1);
    int value = 0;
    std::thread other([&] {
        calling.count_down();
        value = blockingCallFromThread(reactor, [&] {
            reactor.stop();
            return 4;
        });
    });
    calling.wait();
    reactor.run();
    other.join();
    CHECK(value == 4);
}

TEST_CASE("when the reactor stops, what a thread waits for is cancelled, and the thread goes on") {
    Reactor reactor;
    bool cancelled = false;
    Deferred<void> never([&] { cancelled = true; });
    std::string why;
    reactor.callInThread([&] {
        try {
            blockingCallFromThread(reactor, [&] {
                reactor.callLater(0s, [&] { reactor.stop(); });
                return never;
            });
        } catch (const AbandonedError& error) {
            why = error.what();
        }
    });
    reactor.run();
    CHECK(cancelled);
    CHECK(why == "the reactor has stopped");
}

TEST_CASE("a coroutine that a thread waits for sees the cancellation before the thread goes on") {
    Reactor reactor;
    bool left = false;
    bool abandoned = false;
    Deferred<void> never;
    reactor.callInThread([&] {
        std::string local = "of the thread's";
        try {
            blockingCallFromThread(reactor, [&]() -> Deferred<void> {
                reactor.callLater(0s, [&] { reactor.stop(); });
                try {
                    co_await never;
                } catch (const ropewalk::defer::CancelledError&) {
                    left = local == "of the thread's";
                    throw;
                }
            });
        } catch (const AbandonedError&) {
            abandoned = true;
        }
    });
    reactor.run();
    CHECK(left);
    CHECK(abandoned);
}

TEST_CASE("one that answers its cancellation gives that answer") {
    Reactor reactor;
    int value = 0;
    Deferred<int> answers([](const Deferred<int>& d) { d.callback(6); });
    reactor.callInThread([&] {
        value = blockingCallFromThread(reactor, [&] {
            reactor.callLater(0s, [&] { reactor.stop(); });
            return answers;
        });
    });
    reactor.run();
    CHECK(value == 6);
}

TEST_CASE("one that holds out against its cancellation holds nobody up") {
    Reactor reactor;
    Deferred<int> stubborn;
    bool abandoned = false;
    reactor.callInThread([&] {
        try {
            blockingCallFromThread(reactor, [&]() -> Deferred<int> {
                reactor.callLater(0s, [&] { reactor.stop(); });
                for (;;) {
                    try {
                        const int value = co_await stubborn;
                        co_return value;
                    } catch (const ropewalk::defer::CancelledError&) {
                        stubborn = Deferred<int>();
                    }
                }
            });
        } catch (const AbandonedError&) {
            abandoned = true;
        }
    });
    reactor.run();
    CHECK(abandoned);
    stubborn.errback(ropewalk::ValueError("too late"));
    CHECK(flushLoggedErrors<ropewalk::ValueError>().size() == 1);
}

TEST_CASE(
    "work in flight that calls during the shutdown, and a thread that calls after it, aren't left waiting") {
    Reactor reactor;
    std::latch begun(1);
    std::latch go(1);
    bool abandoned = false;
    reactor.addSystemEventTrigger("during", "shutdown", [&] { go.count_down(); }); // before the pool's own
    reactor.callInThread([&] {
        begun.count_down();
        go.wait();
        try {
            blockingCallFromThread(reactor, [] { FAIL("called"); });
        } catch (const AbandonedError&) {
            abandoned = true;
        }
    });
    reactor.callWhenRunning([&] {
        begun.wait();
        reactor.stop();
    });
    reactor.run();
    CHECK(abandoned);
    std::thread([&] { CHECK_THROWS_AS(blockingCallFromThread(reactor, [] {}), AbandonedError); }).join();
    int value = 0;
    runBeside(reactor, [&] { value = blockingCallFromThread(reactor, [] { return 5; }); });
    CHECK(value == 5);
}

TEST_CASE("a call that was under way when the reactor stopped isn't made in the next run") {
    Reactor reactor;
    std::latch go(1);
    bool abandoned = false;
    std::thread other;
    reactor.callWhenRunning([&] {
        other = std::thread([&] {
            go.wait();
            try {
                blockingCallFromThread(reactor, [] { FAIL("called"); });
            } catch (const AbandonedError&) {
                abandoned = true;
            }
        });
        reactor.crash();
    });
    reactor.run();
    go.count_down();
    other.join();
    CHECK(abandoned);
    reactor.callWhenRunning([&] { reactor.stop(); });
    reactor.run();
}

TEST_CASE("when the reactor goes, what a thread waits for is cancelled, and the thread goes on") {
    Deferred<int> outlives;
    std::string why;
    std::thread other;
    {
        Reactor reactor;
        bool called = false;
        other = std::thread([&] {
            try {
                blockingCallFromThread(reactor, [&] {
                    called = true;
                    return outlives.addCallback([](int) { FAIL("not cancelled"); });
                });
            } catch (const AbandonedError& error) {
                why = error.what();
            }
        });
        while (!called) {
            reactor.iterate(1ms);
        }
    }
    other.join();
    CHECK(why == "the reactor is gone");
    CHECK(outlives.called());
}
