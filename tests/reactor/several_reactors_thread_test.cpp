// labels: threads
#include <ropewalk/reactor/reactor.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <uv.h>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/reactor/uv_loop.hpp>

using namespace std::chrono_literals;
using ropewalk::Firer;
using ropewalk::Reactor;
using ropewalk::defer::Deferred;

TEST_CASE("several reactors run in several threads, each with its own calls") {
    constexpr int count = 4;
    std::atomic<int> right = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
        threads.emplace_back([&right] {
            Reactor reactor;
            const std::thread::id mine = std::this_thread::get_id();
            int calls = 0;
            for (int k = 0; k < 100; ++k) {
                reactor.callLater(std::chrono::microseconds(37 * k), [&] {
                    if (std::this_thread::get_id() == mine && &ropewalk::reactor() == &reactor &&
                        ++calls == 100) {
                        reactor.stop();
                    }
                });
            }
            reactor.run();
            right += calls == 100 ? 1 : 0;
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(right == count);
}

TEST_CASE("134.1: the calls of each of several threads come in their order, in the reactor's thread") {
    constexpr int senders = 4;
    constexpr int each = 2000;
    Reactor reactor;
    const std::thread::id mine = std::this_thread::get_id();
    std::vector<int> seen(senders);
    int wrong = 0;
    int left = senders * each;
    std::vector<std::thread> threads;
    for (int sender = 0; sender < senders; ++sender) {
        threads.emplace_back([&, sender] {
            for (int i = 0; i < each; ++i) {
                reactor.callFromThread([&, sender, i] {
                    wrong +=
                        std::this_thread::get_id() != mine || seen[static_cast<std::size_t>(sender)]++ != i
                            ? 1
                            : 0;
                    if (--left == 0) {
                        reactor.stop();
                    }
                });
            }
        });
    }
    reactor.run();
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(wrong == 0);
    CHECK(left == 0);
}

TEST_CASE("a call from a thread wakes a reactor that waits") {
    std::atomic<bool> waits = false;
    uv_prepare_t beforeWaiting;
    Reactor reactor;
    uv_prepare_init(ropewalk::uvLoop(reactor), &beforeWaiting);
    beforeWaiting.data = &waits;
    uv_prepare_start(&beforeWaiting, [](uv_prepare_t* handle) {
        static_cast<std::atomic<bool>*>(handle->data)->store(true);
        static_cast<std::atomic<bool>*>(handle->data)->notify_all();
    });
    std::thread other([&] {
        waits.wait(false);
        reactor.callFromThread(&Reactor::stop, &reactor);
    });
    reactor.run();
    other.join();
    uv_close(reinterpret_cast<uv_handle_t*>(&beforeWaiting), nullptr);
}

TEST_CASE("two reactors call each other") {
    Reactor here;
    Reactor* there = nullptr;
    std::atomic<bool> ready = false;
    std::thread other([&] {
        Reactor reactor;
        there = &reactor;
        reactor.callWhenRunning([&] { ready = true; });
        reactor.run();
    });
    while (!ready) {
        std::this_thread::yield();
    }
    int rounds = 0;
    std::function<void()> ping = [&] {
        if (++rounds == 200) {
            there->callFromThread([there] { there->stop(); });
            here.stop();
            return;
        }
        there->callFromThread([&] { here.callFromThread([&] { ping(); }); });
    };
    here.callWhenRunning([&] { ping(); });
    here.run();
    other.join();
    CHECK(rounds == 200);
}

TEST_CASE("firers fire from other threads, each once") {
    Reactor reactor;
    constexpr int count = 500;
    int sum = 0;
    int abandoned = 0;
    int left = count;
    std::vector<Firer<int>> firers;
    for (int i = 0; i < count; ++i) {
        Deferred<int> d;
        firers.push_back(reactor.firer(d));
        d.addCallback([&](int value) { sum += value; })
            .addErrback([&](const ropewalk::Failure& failure) {
                failure.trap<ropewalk::AbandonedError>();
                ++abandoned;
            })
            .addBoth([&] {
                if (--left == 0) {
                    reactor.stop();
                }
            });
    }
    std::thread other([given = std::move(firers)]() mutable {
        for (std::size_t i = 0; i < given.size(); ++i) {
            if (i % 2 == 0) {
                given[i](static_cast<int>(i));
            }
        }
        given.clear();
    });
    reactor.run();
    other.join();
    CHECK(sum == 249 * 250);
    CHECK(abandoned == 250);
}

TEST_CASE("firers may be used while their reactor goes") {
    for (int round = 0; round < 50; ++round) {
        std::vector<Firer<std::string>> firers;
        std::thread other;
        std::atomic<bool> go = false;
        {
            Reactor reactor;
            for (int i = 0; i < 20; ++i) {
                firers.push_back(reactor.firer(Deferred<std::string>()));
            }
            other = std::thread([&] {
                while (!go) {}
                for (std::size_t i = 0; i < firers.size(); ++i) {
                    if (i % 3 == 0) {
                        firers[i]("value");
                    }
                }
                firers.clear();
            });
            go = true;
        }
        other.join();
    }
    ropewalk::defer::flushLoggedErrors<ropewalk::AbandonedError>();
}

TEST_CASE("signals stop the reactor that was made first, and another that asks for it") {
    const auto before = std::signal(SIGTERM, SIG_DFL);
    Reactor first;
    std::atomic<int> waiting = 0;
    std::atomic<bool> indifferentStopped = false;
    Reactor* indifferent = nullptr;
    std::thread asks([&] {
        Reactor reactor;
        reactor.callWhenRunning([&] { ++waiting; });
        reactor.run(true);
    });
    std::thread doesNot([&] {
        Reactor reactor;
        indifferent = &reactor;
        reactor.callWhenRunning([&] { ++waiting; });
        reactor.run();
        indifferentStopped = true;
    });
    std::function<void()> poll = [&] {
        if (waiting == 2) {
            std::raise(SIGTERM);
        } else {
            first.callLater(1ms, poll);
        }
    };
    first.callWhenRunning(poll);
    first.run();
    asks.join();
    CHECK_FALSE(indifferentStopped);
    indifferent->callFromThread([&] { indifferent->stop(); });
    doesNot.join();
    std::signal(SIGTERM, before);
}
