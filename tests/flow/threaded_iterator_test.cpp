// labels: threads
#include <ropewalk/flow/threaded_iterator.hpp>

#include <doctest/doctest.h>

#include <any>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/april.hpp>
#include <ropewalk/flow/errors.hpp>
#include <ropewalk/flow/march.hpp>
#include <ropewalk/reactor/reactor.hpp>

namespace april = ropewalk::flow2003::april;
namespace defer = ropewalk::defer;
namespace march = ropewalk::flow2003::march;

using april::DeferredFlow;
using april::Generator;
using april::Results;
using april::Steps;
using ropewalk::Failure;
using ropewalk::IOError;
using ropewalk::Reactor;
using ropewalk::StopIteration;

namespace {

using Ints = std::vector<int>;

/// Counts down, two at a time.
class CountIterator : public april::ThreadedIterator {
public:
    explicit CountIterator(int count, std::atomic<std::thread::id>* thread = nullptr)
        : count_(count), thread_(thread) {}

    Ints next() {
        if (thread_ != nullptr) {
            *thread_ = std::this_thread::get_id();
        }
        if (count_ <= 0) {
            throw StopIteration();
        }
        count_ -= 2;
        return {count_ + 2, count_ + 1};
    }

private:
    int count_;
    std::atomic<std::thread::id>* thread_;
};

struct Fails : april::ThreadedIterator {
    bool begun = false;
    std::vector<std::any> next() {
        if (std::exchange(begun, true)) {
            throw IOError("lost");
        }
        return {1};
    }
};

/// A table for any number of connections, and what was done to it.
struct Pool {
    struct Cursor {
        void execute(const std::string& sql) { pool->executed = sql; }
        void execute(const std::string& sql, const std::any& data) {
            pool->executed = sql + " " + std::to_string(std::any_cast<int>(data));
        }
        Ints fetchmany() {
            ++pool->fetches;
            return pool->rows == 0 ? Ints() : Ints{pool->rows--};
        }
        Ints fetchall() {
            Ints all;
            for (Ints row = fetchmany(); !row.empty(); row = fetchmany()) {
                all.push_back(row.front());
            }
            return all;
        }
        Pool* pool;
    };
    struct Connection {
        std::unique_ptr<Cursor> cursor() { return std::make_unique<Cursor>(pool); }
        Pool* pool;
    };
    std::shared_ptr<Connection> connect() { return std::make_shared<Connection>(this); }

    int rows = 3;
    std::string executed;
    int fetches = 0;
};

Ints numbers(const Results& results) {
    Ints numbers;
    for (const std::any& result : results) {
        const bool failed = std::any_cast<Failure>(&result) != nullptr;
        numbers.push_back(failed ? -1 : std::any_cast<int>(result));
    }
    return numbers;
}

template <class D>
auto outcome(Reactor& reactor, const D& deferred) {
    deferred.addBoth([&reactor](auto result) {
        reactor.stop();
        return result;
    });
    reactor.run();
    return defer::successResultOf(deferred);
}

} // namespace

TEST_CASE("an iterator in a thread, whose lists are one sequence of values") {
    Reactor reactor;
    std::atomic<std::thread::id> thread;
    CHECK(numbers(outcome(reactor, DeferredFlow(CountIterator(6, &thread)))) == Ints{6, 5, 4, 3, 2, 1});
    CHECK(thread != std::thread::id());
    CHECK(thread != std::this_thread::get_id());
}

TEST_CASE("an error in the thread is the last result") {
    Reactor reactor;
    const Results results = outcome(reactor, DeferredFlow(Fails()));
    CHECK(numbers(results) == Ints{1, -1});
    CHECK(std::any_cast<Failure>(results[1]).check<IOError>() != nullptr);
}

TEST_CASE("a Generator over a thread") {
    Reactor reactor;
    const auto doubles = []() -> Steps {
        Generator lst(CountIterator(4));
        while (true) {
            co_yield lst;
            if (lst.stop) {
                co_return;
            }
            co_yield 2 * lst.getResult<int>();
        }
    };
    CHECK(numbers(outcome(reactor, DeferredFlow(doubles()))) == Ints{8, 6, 4, 2});
}

TEST_CASE("one that says nothing gives nothing") {
    Reactor reactor;
    CHECK(outcome(reactor, DeferredFlow(april::ThreadedIterator())).empty());
}

TEST_CASE("a flow that blocks can't wait for a thread") {
    Reactor reactor;
    april::Flow flow(CountIterator(4));
    CHECK_THROWS_AS(flow.execute(), ropewalk::Unsupported);
}

TEST_CASE("a flow that is cancelled stops its thread") {
    struct Endless : april::ThreadedIterator {
        explicit Endless(std::atomic<bool>& theEnd) : end(&theEnd) {}
        Endless(Endless&& other) noexcept : end(std::exchange(other.end, nullptr)) {}
        ~Endless() {
            if (end != nullptr) {
                *end = true;
            }
        }
        static Ints next() { return {1, 2, 3}; }
        std::atomic<bool>* end;
    };
    std::atomic<bool> gone = false;
    {
        Reactor reactor;
        const DeferredFlow d(Endless{gone});
        reactor.iterate();
        d.cancel();
        defer::failureResultOf<defer::CancelledError>(d);
    }
    CHECK(gone);
}

TEST_CASE("a query, row by row and at once") {
    Reactor reactor;
    const auto pool = std::make_shared<Pool>();
    CHECK(numbers(outcome(reactor, DeferredFlow(april::QueryIterator(pool, "select")))) == Ints{3, 2, 1});
    CHECK(pool->executed == "select");
    CHECK(pool->fetches == 4);
    pool->rows = 2;
    CHECK(numbers(outcome(reactor, DeferredFlow(april::QueryIterator(pool, "all", true)))) == Ints{2, 1});
    CHECK(pool->executed == "all");
}

TEST_CASE("March: an iterator in a thread, and a query for each value, as branches") {
    Reactor reactor;
    Ints seen;
    march::Flow f;
    f.addBranch([](int count) { return CountIterator(count); }, [&] { reactor.stop(); });
    f.addCallable([&](int n) { seen.push_back(n); });
    f.execute(4);
    CHECK(seen.empty());
    reactor.run();
    CHECK(seen == Ints{4, 3, 2, 1});

    seen.clear();
    const auto pool = std::make_shared<Pool>();
    march::Flow q;
    q.addBranch(march::FlowQueryIterator<Pool>(pool, "select"), [&] { reactor.stop(); });
    q.addCallable([&](int n) { seen.push_back(n); });
    q.execute(7);
    reactor.run();
    CHECK(seen == Ints{3, 2, 1});
    CHECK(pool->executed == "select 7");
}

TEST_CASE("March: an error in the thread ends the execution, and is logged") {
    Reactor reactor;
    Ints seen;
    march::Flow f;
    f.addBranch([] { return Fails(); });
    f.addCallable([&](int n) {
        seen.push_back(n);
        reactor.callLater(ropewalk::Seconds(0.01), [&] { reactor.stop(); });
    });
    f.execute();
    reactor.run();
    CHECK(seen == Ints{1});
    CHECK(defer::flushLoggedErrors<IOError>().size() == 1);
}

TEST_CASE("a query with parameters needs a cursor that takes them") {
    struct Plain {
        struct Cursor {
            void execute(const std::string&) {}
            Ints fetchmany() { return {}; }
            Ints fetchall() { return {}; }
        };
        struct Connection {
            Cursor cursor() { return {}; }
        };
        Connection connect() { return {}; }
    };
    Reactor reactor;
    const april::QueryIterator query(std::make_shared<Plain>(), "select");
    const Results results = outcome(reactor, DeferredFlow(query(1)));
    REQUIRE(results.size() == 1);
    CHECK(std::any_cast<Failure>(results[0]).check<ropewalk::UnsupportedError>() != nullptr);
}
