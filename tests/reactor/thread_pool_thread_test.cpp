// labels: threads
#include <ropewalk/reactor/thread_pool.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/reactor/uv_driver.hpp>

using namespace std::chrono_literals;
using ropewalk::Result;
using ropewalk::ThreadPool;
using ropewalk::UvDriver;
using ropewalk::defer::flushLoggedErrors;

namespace {

constexpr ropewalk::Seconds forEver{1e9};

/// Tells when the thread that it was made in has ended.
struct AtThreadEnd {
    std::counting_semaphore<>* ended = nullptr;
    ~AtThreadEnd() {
        if (ended != nullptr) {
            ended->release();
        }
    }
};
thread_local AtThreadEnd atThreadEnd;

void waitForEndOf(int threads, std::counting_semaphore<>& ended) {
    for (int i = 0; i < threads; ++i) {
        ended.acquire();
    }
}

/// Threads that are kept busy until they are let go.
class Busy {
public:
    Busy(ThreadPool& pool, int count) : begun_(count) {
        for (int i = 0; i < count; ++i) {
            pool.callInThread([this] {
                begun_.count_down();
                go_.wait();
            });
        }
    }
    void begun() { begun_.wait(); }
    void letGo() { go_.count_down(); }

private:
    std::latch begun_;
    std::latch go_{1};
};

} // namespace

TEST_CASE("a pool calls functions in other threads, with their arguments") {
    UvDriver driver;
    ThreadPool pool(driver, 0, 3);
    pool.start();
    std::mutex mutex;
    std::vector<std::string> said;
    int here = 0;
    const auto mine = std::this_thread::get_id();
    const auto say = [&](const std::string& a, int b) {
        const std::lock_guard lock(mutex);
        here += std::this_thread::get_id() == mine ? 1 : 0;
        said.push_back(a + std::to_string(b));
    };
    for (int i = 0; i < 20; ++i) {
        pool.callInThread(say, "n", i);
    }
    pool.callInThread([owned = std::make_unique<int>(7), &say] { say("owned", *owned); });
    pool.stop();
    CHECK(said.size() == 21);
    CHECK(here == 0);
}

TEST_CASE("one thread works in the order in which work was given") {
    UvDriver driver;
    ThreadPool pool(driver, 1, 1);
    std::vector<int> order;
    pool.callInThread([&] { order.push_back(0); });
    pool.start();
    for (int i = 1; i < 100; ++i) {
        pool.callInThread([&order, i] { order.push_back(i); });
    }
    pool.stop();
    REQUIRE(order.size() == 100);
    CHECK(std::ranges::is_sorted(order));
}

TEST_CASE("a pool has its minimum of threads at once, and grows when nobody is idle") {
    UvDriver driver;
    ThreadPool pool(driver, 2, 4, "grows", forEver);
    CHECK(pool.name() == "grows");
    CHECK(pool.min() == 2);
    CHECK(pool.max() == 4);
    CHECK(pool.threads() == 0);
    CHECK_FALSE(pool.started());
    pool.start();
    CHECK(pool.started());
    CHECK(pool.threads() == 2);
    CHECK(pool.working() == 0);
    Busy busy(pool, 4);
    busy.begun();
    CHECK(pool.threads() == 4);
    CHECK(pool.working() == 4);
    CHECK(pool.idle() == 0);
    std::latch done(3);
    for (int i = 0; i < 3; ++i) {
        pool.callInThread([&] { done.count_down(); });
    }
    CHECK(pool.waiting() == 3);
    CHECK(pool.threads() == 4);
    busy.letGo();
    done.wait();
    CHECK(pool.waiting() == 0);
    CHECK(pool.threads() == 4);
    pool.stop();
    CHECK(pool.threads() == 0);
    CHECK(pool.working() == 0);
}

TEST_CASE("what waits before the start is done after it, by as many threads as it takes") {
    UvDriver driver;
    ThreadPool pool(driver, 0, 8, "", forEver);
    Busy busy(pool, 5);
    CHECK(pool.waiting() == 5);
    CHECK(pool.threads() == 0);
    pool.start();
    CHECK(pool.threads() == 5);
    busy.begun();
    busy.letGo();
    pool.stop();
}

TEST_CASE("a thread that finds nothing to do leaves, down to the minimum") {
    UvDriver driver;
    std::counting_semaphore<> ended(0);
    ThreadPool pool(driver, 1, 3, "", 1ms);
    pool.start();
    std::latch begun(3);
    std::latch go(1);
    for (int i = 0; i < 3; ++i) {
        pool.callInThread([&] {
            atThreadEnd.ended = &ended;
            begun.count_down();
            go.wait();
        });
    }
    begun.wait();
    CHECK(pool.threads() == 3);
    go.count_down();
    waitForEndOf(2, ended);
    CHECK(pool.threads() == 1);
    CHECK_FALSE(ended.try_acquire());
    pool.stop();
    CHECK(ended.try_acquire());
    CHECK(pool.threads() == 0);
}

TEST_CASE("without minimum and idle time no thread waits") {
    UvDriver driver;
    ThreadPool pool(driver, 0, 1, "", 0s);
    pool.start();
    for (int i = 0; i < 5; ++i) {
        std::counting_semaphore<> ended(0);
        pool.callInThread([&] { atThreadEnd.ended = &ended; });
        waitForEndOf(1, ended);
        CHECK(pool.threads() == 0);
    }
}

TEST_CASE("adjustPoolsize makes threads, and lets those in excess leave") {
    UvDriver driver;
    ThreadPool pool(driver, 0, 2, "", forEver);
    pool.start();
    Busy busy(pool, 4);
    CHECK(pool.threads() == 2);
    CHECK(pool.waiting() == 2);
    pool.adjustPoolsize({}, 6);
    CHECK(pool.threads() == 4);
    busy.begun();
    pool.adjustPoolsize(6);
    CHECK(pool.threads() == 6);
    CHECK(pool.idle() == 2);
    std::counting_semaphore<> ended(0);
    busy.letGo();
    std::latch marked(6);
    for (int i = 0; i < 6; ++i) {
        pool.callInThread([&] {
            atThreadEnd.ended = &ended;
            marked.arrive_and_wait();
        });
    }
    marked.wait();
    pool.adjustPoolsize(0, 0);
    waitForEndOf(6, ended);
    CHECK(pool.threads() == 0);
    bool called = false;
    pool.callInThread([&] { called = true; });
    CHECK(pool.waiting() == 1);
    pool.adjustPoolsize(0, 1);
    pool.stop();
    CHECK(called);
}

TEST_CASE("bounds that make no sense are refused") {
    UvDriver driver;
    CHECK_THROWS_AS(ThreadPool(driver, -1, 2), ropewalk::AssertionError);
    CHECK_THROWS_AS(ThreadPool(driver, 3, 2), ropewalk::AssertionError);
    ThreadPool pool(driver, 1, 2);
    CHECK_THROWS_AS(pool.adjustPoolsize(-1), ropewalk::AssertionError);
    CHECK_THROWS_AS(pool.adjustPoolsize(5), ropewalk::AssertionError);
    CHECK_THROWS_AS(pool.adjustPoolsize({}, 0), ropewalk::AssertionError);
    CHECK(pool.min() == 1);
    CHECK(pool.max() == 2);
    CHECK_THROWS_AS(pool.callInThread(static_cast<void (*)()>(nullptr)), ropewalk::AssertionError);
}

TEST_CASE("an exception out of work is logged, and its thread goes on") {
    UvDriver driver;
    ThreadPool pool(driver, 1, 1);
    pool.start();
    std::thread::id first;
    std::thread::id second;
    pool.callInThread([&] {
        first = std::this_thread::get_id();
        throw ropewalk::ValueError("out of work");
    });
    pool.callInThread([&] { throw 7; });
    pool.callInThread([&] { second = std::this_thread::get_id(); });
    pool.stop();
    CHECK(first == second);
    CHECK(flushLoggedErrors<ropewalk::ValueError>().size() == 1);
    CHECK(flushLoggedErrors<int>().size() == 1);
}

TEST_CASE("callInThreadWithCallback tells, in the same thread, what came of it") {
    UvDriver driver;
    ThreadPool pool(driver, 0, 1);
    pool.start();
    std::thread::id worker;
    std::thread::id told;
    std::optional<Result<int>> sum;
    std::optional<Result<std::string>> failed;
    bool voidSuccess = false;
    pool.callInThreadWithCallback(
        [&](bool success, Result<int> result) {
            told = std::this_thread::get_id();
            CHECK(success);
            sum.emplace(std::move(result));
        },
        [&](int a, int b) {
            worker = std::this_thread::get_id();
            return a + b;
        },
        3, 4);
    pool.callInThreadWithCallback(
        [&](bool success, Result<std::string> result) {
            CHECK_FALSE(success);
            failed.emplace(std::move(result));
        },
        []() -> std::string { throw ropewalk::KeyError("missing"); });
    pool.callInThreadWithCallback([&](bool success, Result<void>) { voidSuccess = success; }, [] {});
    pool.callInThreadWithCallback([](bool, const Result<void>&) { throw ropewalk::ValueError("told"); },
                                  [] {});
    pool.stop();
    CHECK(told == worker);
    CHECK(sum->value() == 7);
    CHECK(failed->error().check<ropewalk::KeyError>() != nullptr);
    CHECK(voidSuccess);
    CHECK(flushLoggedErrors<ropewalk::ValueError>().size() == 1);
}

TEST_CASE("a function is destroyed in its thread, before the result is told and the next is called") {
    UvDriver driver;
    ThreadPool pool(driver, 0, 1);
    pool.start();
    struct Traced {
        Traced(std::vector<std::string>& theLog, std::thread::id theMaker) : log(&theLog), maker(theMaker) {}
        Traced(Traced&& other) noexcept : log(std::exchange(other.log, nullptr)), maker(other.maker) {}
        ~Traced() {
            if (log != nullptr) {
                log->push_back(std::this_thread::get_id() == maker ? "gone here" : "gone");
            }
        }
        std::vector<std::string>* log;
        std::thread::id maker;
    };
    std::vector<std::string> log;
    const auto mine = std::this_thread::get_id();
    pool.callInThreadWithCallback([&](bool, Result<void>) { log.push_back("told"); },
                                  [&log, traced = Traced(log, mine)] { log.push_back("called"); });
    pool.callInThread([&log, traced = Traced(log, mine)] { log.push_back("called"); });
    pool.callInThread([&log] { log.push_back("next"); });
    pool.stop();
    CHECK(log == std::vector<std::string>{"called", "gone", "told", "called", "gone", "next"});
}

TEST_CASE("stop waits for work in flight and for what waits; what comes then waits for the next start") {
    UvDriver driver;
    ThreadPool pool(driver, 0, 1);
    pool.start();
    std::latch begun(1);
    std::vector<std::string> log;
    pool.callInThread([&] {
        begun.count_down();
        log.push_back("in flight");
        for (int i = 0; i < 3; ++i) {
            pool.callInThread([&, i] { log.push_back("waits " + std::to_string(i)); });
        }
        pool.callInThread([&] { CHECK_THROWS_AS(pool.stop(), ropewalk::RuntimeError); });
    });
    begun.wait();
    pool.stop();
    pool.stop();
    while (pool.waiting() > 0) { // whatever was given after stop had begun
        pool.start();
        pool.stop();
    }
    CHECK(log == std::vector<std::string>{"in flight", "waits 0", "waits 1", "waits 2"});
    pool.callInThread([&] { log.push_back("again"); });
    CHECK(pool.waiting() == 1);
    CHECK(log.back() == "waits 2");
    pool.start();
    pool.stop();
    CHECK(log.back() == "again");
}

TEST_CASE("a pool that goes waits for work in flight, and destroys what isn't begun") {
    UvDriver driver;
    std::optional<ThreadPool> pool(std::in_place, driver, 0, 1);
    pool->start();
    std::latch begun(1);
    auto held = std::make_shared<int>(1);
    bool done = false;
    std::binary_semaphore go(0);
    pool->callInThread([&] {
        begun.count_down();
        go.acquire();
        done = true;
    });
    begun.wait();
    pool->callInThread([held] { FAIL("called"); });
    // The first thing that is destroyed lets the work in flight end.
    struct LetGo {
        explicit LetGo(std::binary_semaphore& theGo) noexcept : go(&theGo) {}
        LetGo(LetGo&& other) noexcept : go(std::exchange(other.go, nullptr)) {}
        ~LetGo() {
            if (go != nullptr) {
                go->release();
            }
        }
        std::binary_semaphore* go;
    };
    pool->callInThread([letGo = LetGo(go)] { FAIL("called"); });
    CHECK(held.use_count() == 2);
    pool.reset();
    CHECK(done);
    CHECK(held.use_count() == 1);

    pool.emplace(driver);
    pool->callInThread([held] { FAIL("called"); });
    pool.reset();
    CHECK(held.use_count() == 1);
}

TEST_CASE("an abandoned pool waits for nobody") {
    UvDriver driver;
    std::counting_semaphore<> ended(0);
    std::latch go(1);
    auto held = std::make_shared<int>(1);
    {
        ThreadPool pool(driver, 0, 2, "", forEver);
        pool.start();
        std::latch begun(2);
        for (int i = 0; i < 2; ++i) {
            pool.callInThread([&] {
                atThreadEnd.ended = &ended;
                begun.count_down();
                go.wait();
            });
        }
        begun.wait();
        pool.callInThread([held] { FAIL("called"); });
        pool.abandon();
        pool.callInThread([held] { FAIL("called"); });
        CHECK(held.use_count() == 1);
    }
    go.count_down();
    waitForEndOf(2, ended);
}

TEST_CASE("a pool may be destroyed in one of its own threads") {
    UvDriver driver;
    auto* pool = new ThreadPool(driver, 0, 2, "", forEver);
    std::counting_semaphore<> ended(0);
    pool->start();
    pool->callInThread([&] {
        atThreadEnd.ended = &ended;
        delete pool;
    });
    waitForEndOf(1, ended);
}

TEST_CASE("many threads may give work while threads come and go") {
    UvDriver driver;
    ThreadPool pool(driver, 0, 4, "", 0s);
    pool.start();
    std::atomic<int> done = 0;
    std::vector<std::thread> givers;
    for (int giver = 0; giver < 3; ++giver) {
        givers.emplace_back([&] {
            for (int i = 0; i < 300; ++i) {
                pool.callInThread([&] { ++done; });
            }
        });
    }
    for (std::thread& giver : givers) {
        giver.join();
    }
    pool.stop();
    CHECK(done == 900);
}

TEST_CASE("a driver without threads says so") {
    struct Bare final : ropewalk::Driver {
        std::int64_t now() override { return 0; }
        std::int64_t wallTime() override { return 0; }
        void poll(std::int64_t) override {}
        void wake() noexcept override {}
    } driver;
    ThreadPool pool(driver, 0, 2);
    pool.start();
    auto held = std::make_shared<int>(1);
    CHECK_THROWS_AS(pool.callInThread([held] {}), ropewalk::UnsupportedError);
    CHECK(held.use_count() == 1);
    ThreadPool other(driver, 1, 2);
    CHECK_THROWS_AS(other.start(), ropewalk::UnsupportedError);
    CHECK_FALSE(other.started());
}

TEST_CASE("when the system has no more threads, those that there are do the work") {
    struct Scarce final : ropewalk::Driver {
        std::int64_t now() override { return 0; }
        std::int64_t wallTime() override { return 0; }
        void poll(std::int64_t) override {}
        void wake() noexcept override {}
        std::unique_ptr<ropewalk::Worker> startWorker(const char* name,
                                                      std::unique_ptr<ropewalk::Work> work) override {
            if (left-- <= 0) {
                throw ropewalk::IOError(std::make_error_code(std::errc::resource_unavailable_try_again));
            }
            return real.startWorker(name, std::move(work));
        }
        UvDriver real;
        int left = 1;
    } driver;
    ThreadPool pool(driver, 0, 5, "", forEver);
    pool.start();
    std::latch begun(1);
    std::latch go(1);
    bool second = false;
    pool.callInThread([&] {
        begun.count_down();
        go.wait();
    });
    begun.wait();
    pool.callInThread([&] { second = true; });
    CHECK(pool.threads() == 1);
    CHECK(pool.waiting() == 1);
    go.count_down();
    pool.stop();
    CHECK(second);
    pool.start();
    CHECK_THROWS_AS(pool.callInThread([] {}), ropewalk::IOError);
    CHECK(pool.waiting() == 0);
}
