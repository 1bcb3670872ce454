// The real driver, and the reactor on it, with short real times.
#include <ropewalk/reactor/uv_driver.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/reactor/uv_loop.hpp>
#include <support/memory_driver.hpp>

#include "child_process.hpp"

using namespace std::chrono_literals;
using ropewalk::Reactor;
using ropewalk::UvDriver;

namespace {

constexpr std::int64_t ms = 1'000'000;

std::int64_t steadyNow() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

} // namespace

TEST_CASE("a UvDriver's clock is the system's monotonic one, and its wall clock the system's") {
    UvDriver driver;
    const std::int64_t before = steadyNow();
    const std::int64_t now = driver.now();
    CHECK(now >= before);
    CHECK(now <= steadyNow());
    const std::int64_t wall = std::chrono::duration_cast<std::chrono::nanoseconds>(
                                  std::chrono::system_clock::now().time_since_epoch())
                                  .count();
    CHECK(driver.wallTime() - wall < 3600 * 1000 * ms);
    CHECK(wall - driver.wallTime() < 3600 * 1000 * ms);
}

TEST_CASE("poll waits until the moment given, and not at all for one that has passed") {
    UvDriver driver;
    std::int64_t begun = driver.now();
    driver.poll(0);
    driver.poll(begun - 5 * ms);
    CHECK(driver.now() - begun < 100 * ms);
    begun = driver.now();
    const std::int64_t until = begun + 20 * ms;
    while (driver.now() < until) {
        driver.poll(until);
    }
    CHECK(driver.now() - begun < 500 * ms);
    // Earlier and later ones take the place of the one before.
    driver.poll(driver.now() + 3600 * 1000 * ms - 3600 * 1000 * ms);
    begun = driver.now();
    driver.poll(begun + 2 * ms);
    CHECK(driver.now() - begun < 500 * ms);
}

TEST_CASE("a moment that has just passed when poll begins doesn't make it wait for ever") {
    UvDriver driver;
    for (int i = 0; i < 200; ++i) {
        driver.poll(driver.now() + 1);
        driver.poll(driver.now() - 1);
    }
}

TEST_CASE("wake makes poll return, also when it comes before") {
    std::atomic<bool> waits = false;
    UvDriver driver;
    const auto aboutToWait = [](void* mark) {
        static_cast<std::atomic<bool>*>(mark)->store(true);
        static_cast<std::atomic<bool>*>(mark)->notify_all();
        return ropewalk::Driver::forever;
    };
    driver.shareLoop(aboutToWait, &waits);
    driver.wake();
    driver.poll(ropewalk::Driver::forever);
    waits = false;
    std::thread other([&] {
        waits.wait(false);
        driver.wake();
    });
    driver.poll(ropewalk::Driver::forever);
    other.join();
}

TEST_CASE("a UvDriver has chance") {
    UvDriver driver;
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    driver.random(&a, sizeof a);
    driver.random(&b, sizeof b);
    CHECK(a != b);
}

TEST_CASE("a reactor on libuv never makes a call early") {
    Reactor reactor;
    int left = 0;
    std::int64_t earliest = ms * 1000;
    for (int i = 0; i < 40; ++i) {
        ++left;
        const std::int64_t begun = steadyNow();
        const auto delay = std::chrono::microseconds(500 + 317 * i);
        reactor.callLater(delay, [&, begun, delay] {
            const std::int64_t waited = steadyNow() - begun;
            earliest = std::min(earliest, waited - std::chrono::nanoseconds(delay).count());
            if (--left == 0) {
                reactor.stop();
            }
        });
    }
    reactor.run();
    CHECK(earliest >= 0);
}

TEST_CASE("hello, reactor: to make one, start, run and destroy it takes less than 5 ms") {
    std::int64_t best = 1000 * ms;
    for (int i = 0; i < 5; ++i) {
        const std::int64_t begun = steadyNow();
        {
            Reactor reactor;
            reactor.callWhenRunning([&] { reactor.stop(); });
            reactor.run();
        }
        best = std::min(best, steadyNow() - begun);
    }
    CHECK(best < 5 * ms);
}

TEST_CASE("the first UvDriver has SIGPIPE ignored, unless the program handles it") {
    const Ended ignored = inChild([] {
        std::signal(SIGPIPE, SIG_DFL);
        const UvDriver driver;
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
            return 1;
        }
        close(ends[1]);
        return write(ends[0], "x", 1) == -1 && errno == EPIPE ? 0 : 2;
    });
    CHECK(ignored.exitCode == 0);
    const Ended handled = inChild([] {
        static int seen = 0;
        std::signal(SIGPIPE, [](int) { ++seen; });
        const UvDriver driver;
        std::raise(SIGPIPE);
        return seen == 1 ? 0 : 1;
    });
    CHECK(handled.exitCode == 0);
    const Ended later = inChild([] {
        const UvDriver first;
        std::signal(SIGPIPE, SIG_DFL);
        const UvDriver second;
        std::raise(SIGPIPE);
        return 0;
    });
    CHECK(later.signal == SIGPIPE);
}

TEST_CASE("uvLoop gives the loop under a reactor, on which the handles of others live") {
    struct Foreign {
        Reactor& reactor;
        uv_timer_t timer;
        std::vector<std::string> calls;
    };
    Reactor reactor;
    Foreign foreign{reactor, {}, {}};
    uv_loop_t* loop = ropewalk::uvLoop(reactor);
    REQUIRE(uv_timer_init(loop, &foreign.timer) == 0);
    foreign.timer.data = &foreign;
    // What a foreign handle asks of the reactor from within libuv's turn isn't kept waiting.
    uv_timer_start(
        &foreign.timer,
        [](uv_timer_t* timer) {
            auto& self = *static_cast<Foreign*>(timer->data);
            self.calls.emplace_back("timer");
            self.reactor.callLater(2ms, [&self] {
                self.calls.emplace_back("call");
                uv_close(reinterpret_cast<uv_handle_t*>(&self.timer), nullptr);
                self.reactor.callLater(0s, [&self] { self.reactor.stop(); });
            });
        },
        2, 0);
    reactor.callLater(30s, [] { FAIL("waited too long"); });
    reactor.run();
    CHECK(foreign.calls == std::vector<std::string>{"timer", "call"});
}

TEST_CASE("a foreign handle may stop the reactor, or crash it, before libuv waits or afterwards") {
    for (const std::uint64_t after : {0U, 1U}) {
        for (const auto end : {&Reactor::stop, &Reactor::crash}) {
            struct Ending {
                Reactor reactor;
                void (Reactor::*end)();
            } ending{{}, end};
            uv_timer_t timer;
            uv_timer_init(ropewalk::uvLoop(ending.reactor), &timer);
            timer.data = &ending;
            uv_timer_start(
                &timer,
                [](uv_timer_t* handle) {
                    auto& self = *static_cast<Ending*>(handle->data);
                    (self.reactor.*self.end)();
                },
                after, 0);
            ending.reactor.run();
            uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
            ending.reactor.iterate();
        }
    }
}

TEST_CASE("a reactor that isn't driven by libuv has no loop of it") {
    MemoryReactor made;
    CHECK_THROWS_AS(ropewalk::uvLoop(made.reactor), ropewalk::UnsupportedError);
}
