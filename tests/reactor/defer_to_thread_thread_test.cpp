// labels: threads
#include <ropewalk/reactor/threads.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/reactor/uv_driver.hpp>

using namespace std::chrono_literals;
using ropewalk::callMultipleInThread;
using ropewalk::deferToThread;
using ropewalk::deferToThreadPool;
using ropewalk::Failure;
using ropewalk::Reactor;
using ropewalk::Result;
using ropewalk::ThreadPool;
using ropewalk::defer::Deferred;
using ropewalk::defer::failureResultOf;
using ropewalk::defer::flushLoggedErrors;
using ropewalk::defer::successResultOf;

TEST_CASE("144.1, 144.2: deferToThread runs elsewhere, and fires in the reactor's thread") {
    Reactor reactor;
    const auto mine = std::this_thread::get_id();
    std::thread::id ranIn;
    std::thread::id firedIn;
    std::string result;
    reactor.callWhenRunning([&] {
        deferToThread(
            reactor,
            [&](std::string a, int b) {
                ranIn = std::this_thread::get_id();
                return a + std::to_string(b);
            },
            "n", 5)
            .addCallback([&](std::string value) {
                firedIn = std::this_thread::get_id();
                result = std::move(value);
                reactor.stop();
            });
    });
    reactor.run();
    CHECK(ranIn != std::thread::id());
    CHECK(ranIn != mine);
    CHECK(firedIn == mine);
    CHECK(result == "n5");
}

TEST_CASE("144.3: what is thrown in the thread fails the Deferred") {
    Reactor reactor;
    Deferred<int> number = deferToThread(reactor, []() -> int { throw ropewalk::ValueError("bad"); });
    Deferred<void> nothing = deferToThread(reactor, [] { throw 3; });
    Deferred<std::string> result =
        deferToThread(reactor, []() -> Result<std::string> { return std::unexpected(Failure::of(1.5)); });
    std::string text;
    int seen = 0;
    const auto last = [&] {
        if (++seen == 3) {
            reactor.stop();
        }
    };
    number.addErrback([&](const Failure& failure) { text = failure.trap<ropewalk::ValueError>().what(); })
        .addBoth(last);
    nothing.addErrback([](const Failure& failure) { failure.trap<int>(); }).addBoth(last);
    result.addErrback([](const Failure& failure) { failure.trap<double>(); }).addBoth(last);
    reactor.run();
    CHECK(text == "bad");
    CHECK(seen == 3);
}

TEST_CASE("values of any kind come back from a thread") {
    Reactor reactor;
    struct Adder {
        int base;
        int add(int n) { return base + n; }
    } adder{40};
    int sum = 0;
    std::unique_ptr<int> owned;
    std::string unwrapped;
    bool nothing = false;
    [](Reactor& r, Adder& a, int& s, std::unique_ptr<int>& o, std::string& u, bool& n) -> Deferred<void> {
        s = co_await deferToThread(r, &Adder::add, &a, 2);
        o = co_await deferToThread(r, [] { return std::make_unique<int>(9); });
        u = co_await deferToThread(r, []() -> Result<std::string> { return "text"; });
        co_await deferToThread(r, [] {});
        n = true;
        r.stop();
    }(reactor, adder, sum, owned, unwrapped, nothing);
    reactor.run();
    CHECK(sum == 42);
    CHECK(*owned == 9);
    CHECK(unwrapped == "text");
    CHECK(nothing);
}

TEST_CASE("work waits until the reactor runs, and reactor() in its thread is that reactor") {
    Reactor reactor;
    Reactor* there = nullptr;
    bool called = false;
    reactor.callInThread([&] {
        there = &ropewalk::reactor();
        there->callFromThread([&] { reactor.stop(); });
        called = true;
    });
    CHECK(reactor.getThreadPool().waiting() == 1);
    CHECK(reactor.getThreadPool().min() == 0);
    CHECK(reactor.getThreadPool().max() == 10);
    reactor.iterate();
    CHECK_FALSE(called);
    reactor.run();
    CHECK(called);
    CHECK(there == &reactor);
}

TEST_CASE("a thread of another pool may be lent the reactor, or not") {
    Reactor reactor;
    ThreadPool lent(reactor, 0, 1);
    ThreadPool bare(reactor.driver(), 0, 1);
    lent.start();
    bare.start();
    Reactor* there = nullptr;
    lent.callInThread([&] { there = &ropewalk::reactor(); });
    bare.callInThread([&] { CHECK_THROWS_AS(ropewalk::reactor(), ropewalk::NoReactorError); });
    lent.stop();
    bare.stop();
    CHECK(there == &reactor);
}

TEST_CASE("callInThread passes arguments, and logs what is thrown") {
    Reactor reactor;
    int sum = 0;
    reactor.callInThread([&](int a) { sum += a; }, 1);
    reactor.callInThread([&](int a, int b) { sum += a + b; }, 2, 3);
    reactor.suggestThreadPoolSize(1);
    reactor.callInThread([] { throw ropewalk::KeyError("k"); });
    reactor.callInThread([&] { reactor.callFromThread([&] { reactor.stop(); }); });
    reactor.run();
    CHECK(sum == 6);
    CHECK(flushLoggedErrors<ropewalk::KeyError>().size() == 1);
}

TEST_CASE("suggestThreadPoolSize bounds the pool") {
    Reactor reactor;
    CHECK_THROWS_AS(reactor.suggestThreadPoolSize(-1), ropewalk::ValueError);
    reactor.suggestThreadPoolSize(2);
    CHECK(reactor.getThreadPool().max() == 2);
    std::latch begun(2);
    std::latch go(1);
    for (int i = 0; i < 2; ++i) {
        reactor.callInThread([&] {
            begun.count_down();
            go.wait();
        });
    }
    reactor.callWhenRunning([&] {
        begun.wait();
        reactor.callInThread([&] { reactor.callFromThread([&] { reactor.stop(); }); });
        CHECK(reactor.getThreadPool().threads() == 2);
        CHECK(reactor.getThreadPool().waiting() == 1);
        go.count_down();
    });
    reactor.run();
}

TEST_CASE("cancelled before it begins, the function isn't called") {
    Reactor reactor;
    reactor.suggestThreadPoolSize(1);
    auto held = std::make_shared<int>(1);
    bool called = false;
    Deferred<int> d = deferToThread(reactor, [&called, held] {
        called = true;
        return 1;
    });
    d.cancel();
    CHECK(failureResultOf<ropewalk::defer::CancelledError>(d)
              .template check<ropewalk::defer::CancelledError>());
    reactor.callInThread([&] { reactor.callFromThread([&] { reactor.stop(); }); });
    reactor.run();
    CHECK_FALSE(called);
    CHECK(held.use_count() == 1);
}

TEST_CASE("cancelled while it runs, its result is ignored") {
    Reactor reactor;
    std::latch begun(1);
    std::latch go(1);
    int errors = 0;
    Deferred<int> d = deferToThread(reactor, [&] {
        begun.count_down();
        go.wait();
        return 1;
    });
    d.addCallback([](int) { FAIL("fired"); }).addErrback([&](const Failure& failure) {
        failure.trap<ropewalk::defer::CancelledError>();
        ++errors;
    });
    reactor.callWhenRunning([&] {
        begun.wait();
        d.cancel();
        CHECK(errors == 1);
        go.count_down();
        deferToThread(reactor, [] {}).addCallback([&] { reactor.stop(); });
    });
    reactor.run();
    reactor.iterate();
    CHECK(errors == 1);
}

TEST_CASE("the shutdown waits for work in flight and for what waits; results are there in the next run") {
    Reactor reactor;
    reactor.suggestThreadPoolSize(1);
    std::latch begun(1);
    std::latch go(1);
    std::vector<std::string> log;
    Deferred<int> inFlight = deferToThread(reactor, [&] {
        begun.count_down();
        go.wait();
        return 1;
    });
    inFlight.addCallback([&](int) { log.push_back("first"); });
    deferToThread(reactor, [] { return 2; }).addCallback([&](int) { log.push_back("second"); });
    reactor.callWhenRunning([&] {
        begun.wait();
        reactor.stop();
    });
    reactor.addSystemEventTrigger("before", "shutdown", [&] { go.count_down(); });
    reactor.addSystemEventTrigger("after", "shutdown",
                                  [&] { CHECK(reactor.getThreadPool().threads() == 0); });
    reactor.run();
    CHECK(log.empty());
    deferToThread(reactor, [] {}).addCallback([&] { reactor.stop(); });
    CHECK(reactor.getThreadPool().waiting() == 1);
    reactor.run();
    CHECK(log == std::vector<std::string>{"first", "second"});
}

TEST_CASE("the pool that was given out serves the next run too, and keeps its size") {
    Reactor reactor;
    ThreadPool& pool = reactor.getThreadPool();
    pool.adjustPoolsize(1, 3);
    for (int round = 0; round < 3; ++round) {
        bool called = false;
        pool.callInThread([&] {
            called = true;
            reactor.callFromThread([&] { reactor.stop(); });
        });
        CHECK_FALSE(called);
        reactor.run();
        CHECK(called);
        CHECK(pool.max() == 3);
        CHECK_FALSE(pool.started());
    }
}

TEST_CASE("a crash leaves the pool as it is") {
    Reactor reactor;
    bool called = false;
    reactor.callWhenRunning([&] {
        reactor.getThreadPool();
        reactor.crash();
    });
    reactor.run();
    CHECK(reactor.getThreadPool().started());
    std::latch done(1);
    reactor.callInThread([&] {
        called = true;
        done.count_down();
    });
    done.wait();
    CHECK(called);
    reactor.callWhenRunning([&] { reactor.stop(); });
    reactor.run();
    CHECK_FALSE(reactor.getThreadPool().started());
}

TEST_CASE("a reactor that goes waits for work in flight, and destroys what isn't begun") {
    auto held = std::make_shared<int>(1);
    std::binary_semaphore go(0);
    bool done = false;
    Deferred<int> inFlight;
    Deferred<int> unbegun;
    {
        Reactor reactor;
        reactor.suggestThreadPoolSize(1);
        std::latch begun(1);
        reactor.callWhenRunning([&] {
            inFlight = deferToThread(reactor, [&, held] {
                begun.count_down();
                go.acquire();
                ropewalk::reactor().callFromThread([held] { FAIL("called"); });
                done = true;
                return 1;
            });
            unbegun = deferToThread(reactor, [held] { return 2; });
            begun.wait();
            reactor.crash();
        });
        reactor.run();
        go.release();
    }
    CHECK(done);
    CHECK_FALSE(inFlight.called());
    CHECK_FALSE(unbegun.called());
    CHECK(held.use_count() == 1);
}

TEST_CASE("a reactor that never ran destroys the work it was given") {
    auto held = std::make_shared<int>(1);
    Deferred<void> d;
    {
        Reactor reactor;
        reactor.callInThread([held] { FAIL("called"); });
        d = deferToThread(reactor, [held] { FAIL("called"); });
        CHECK(held.use_count() == 3);
    }
    CHECK(held.use_count() == 1);
    CHECK_FALSE(d.called());
}

TEST_CASE("a pool of one's own, and its end before the work began") {
    Reactor reactor;
    std::optional<ThreadPool> pool(std::in_place, reactor, 0, 1);
    pool->start();
    int sum = 0;
    deferToThreadPool(
        reactor, *pool, [](int a, int b) { return a + b; }, 1, 2)
        .addCallback([&](int value) {
            sum = value;
            reactor.stop();
        });
    reactor.run();
    CHECK(sum == 3);
    pool->stop();
    Deferred<int> d = deferToThreadPool(reactor, *pool, [] { return 1; });
    pool.reset();
    CHECK_FALSE(d.called());
    reactor.iterate();
    CHECK(d.called());
    d.addErrback([](const Failure& failure) {
        failure.trap<ropewalk::AbandonedError>();
        return 0;
    });
}

TEST_CASE("a result that comes when the pool outlives the reactor reaches nobody") {
    ropewalk::UvDriver driver;
    ThreadPool pool(driver, 0, 1);
    pool.start();
    std::latch begun(1);
    std::latch go(1);
    Deferred<std::string> d;
    {
        Reactor reactor;
        d = deferToThreadPool(reactor, pool, [&] {
            begun.count_down();
            go.wait();
            return std::string("too late");
        });
        begun.wait();
    }
    go.count_down();
    pool.stop();
    CHECK_FALSE(d.called());
}

TEST_CASE("no thread to be had: the Deferred fails") {
    struct NoThreads final : ropewalk::Driver {
        std::int64_t now() override { return 0; }
        std::int64_t wallTime() override { return 0; }
        void poll(std::int64_t) override {}
        void wake() noexcept override {}
        std::unique_ptr<ropewalk::Worker> startWorker(const char*, std::unique_ptr<ropewalk::Work>) override {
            throw ropewalk::IOError(std::make_error_code(std::errc::resource_unavailable_try_again));
        }
    } driver;
    Reactor reactor;
    ThreadPool pool(driver, 0, 1);
    pool.start();
    auto held = std::make_shared<int>(1);
    Deferred<int> d = deferToThreadPool(reactor, pool, [held] { return *held; });
    CHECK(failureResultOf<ropewalk::IOError>(d).check<ropewalk::IOError>()->code() ==
          std::errc::resource_unavailable_try_again);
    CHECK(held.use_count() == 1);
    reactor.iterate();
}

TEST_CASE("callMultipleInThread calls them in one thread, in order, up to the first that throws") {
    Reactor reactor;
    std::vector<int> order;
    std::vector<std::thread::id> threads;
    std::vector<std::function<void()>> functions;
    for (int i = 0; i < 5; ++i) {
        functions.emplace_back([&, i] {
            order.push_back(i);
            threads.push_back(std::this_thread::get_id());
            if (i == 3) {
                reactor.callFromThread([&] { reactor.stop(); });
                throw ropewalk::ValueError("fourth");
            }
        });
    }
    callMultipleInThread(reactor, functions);
    reactor.run();
    CHECK(order == std::vector<int>{0, 1, 2, 3});
    CHECK(threads == std::vector<std::thread::id>(4, threads.at(0)));
    CHECK(flushLoggedErrors<ropewalk::ValueError>().size() == 1);
}
