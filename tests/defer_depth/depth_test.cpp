#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/log_beginner.hpp>
#include <ropewalk/defer/queue.hpp>

#include <cstddef>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/resource.h>

// However many Deferreds and coroutines hang on each other, the stack that it takes is that of a few. CMakeLists.txt has
// this run with a stack of 8 MiB, which is 8 bytes for each.
namespace {

using namespace ropewalk;
using defer::Deferred;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

constexpr int depth = sanitized ? 100'000 : 1'000'000;
constexpr int lesserDepth = 100'000; // deep enough for recursion to be found, and quick

/// How many coroutines were abandoned, and how many other errors logged, while it exists.
class Counts : public log::LogObserver {
public:
    Counts() { log::addObserver(*this); }
    ~Counts() override { log::removeObserver(*this); }

    void operator()(const log::LogEvent& event) override {
        if (event.text.starts_with("abandoned: ")) {
            ++abandoned;
        } else {
            ++others;
        }
    }

    int abandoned = 0;
    int others = 0;
};

/// Adds up what comes out of a chain.
struct Got {
    int value = -1;
    int failures = 0;

    void watch(const Deferred<int>& d) {
        d.addCallbacks([this](int n) { value = n; }, [this] { ++failures; });
    }
};

TEST_CASE("the stack is limited to 8 MiB") {
    rlimit limit{};
    REQUIRE(getrlimit(RLIMIT_STACK, &limit) == 0);
    CHECK(limit.rlim_cur <= 8 * 1024 * 1024);
}

/// The last one waits for the one before, and so on down to `first`.
Deferred<int> chainedByReturning(Deferred<int> first, int count) {
    for (int i = 0; i < count; ++i) {
        Deferred<int> next = defer::succeed(0).addCallback([first](int) { return first; });
        first = std::move(next);
    }
    return first;
}

TEST_CASE("Deferreds that callbacks returned, each waiting for the one before") {
    const Counts counts;
    Got got;
    Deferred<int> first;
    Deferred<int> last = chainedByReturning(first, depth);
    SUBCASE("fired") {
        got.watch(last);
        first.callback(7);
        CHECK(got.value == 7);
    }
    SUBCASE("dropped") {
        first = nullptr;
        last = nullptr;
    }
    CHECK(counts.others == 0);
}

TEST_CASE("the same in other ways") {
    const Counts counts;
    Got got;
    Deferred<int> first;
    Deferred<int> last = chainedByReturning(first, lesserDepth);
    SUBCASE("failed") {
        got.watch(last);
        first.errback(ValueError());
        CHECK(got.failures == 1);
    }
    SUBCASE("cancelled from above") {
        got.watch(last);
        last.cancel();
        CHECK(got.failures == 1);
    }
    SUBCASE("dropped, the last handle before the first") {
        last = nullptr;
        first = nullptr;
    }
    CHECK(counts.others == 0);
}

TEST_CASE("Deferreds that wait for the next, fired from the outermost on") {
    const Counts counts;
    Got got;
    std::vector<Deferred<int>> all(depth);
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
        all[i].addCallback([next = all[i + 1]](int) { return next; });
    }
    got.watch(all.front());
    const Deferred<int> last = all.back();
    for (std::size_t i = 0; i + 1 < all.size(); ++i) all[i].callback(0);
    SUBCASE("fired") {
        last.callback(9);
        CHECK(got.value == 9);
    }
    SUBCASE("dropped") {}
    all.clear();
    CHECK(counts.others == 0);
}

Deferred<int> chainedByChainDeferred(Deferred<int> first, int count) {
    for (int i = 0; i < count; ++i) {
        Deferred<int> next;
        first.chainDeferred(next);
        first = std::move(next);
    }
    return first;
}

TEST_CASE("Deferreds joined by chainDeferred") {
    const Counts counts;
    Got got;
    Deferred<int> first;
    Deferred<int> last = chainedByChainDeferred(first, depth);
    SUBCASE("fired") {
        got.watch(last);
        first.callback(7);
        CHECK(got.value == 7);
    }
    SUBCASE("failed") {
        got.watch(last);
        first.errback(ValueError());
        CHECK(got.failures == 1);
    }
    SUBCASE("dropped, the first handle before the last") {
        first = nullptr;
        last = nullptr;
    }
    SUBCASE("dropped, the last handle before the first") {
        last = nullptr;
        first = nullptr;
    }
    CHECK(counts.others == 0);
}

Deferred<int> addsOne(Deferred<int> d) {
    const int n = co_await d;
    co_return n + 1;
}

Deferred<int> chainedByAwaiting(Deferred<int> first, int count) {
    for (int i = 0; i < count; ++i) first = addsOne(std::move(first));
    return first;
}

TEST_CASE("coroutines, each awaiting the one before") {
    const Counts counts;
    Got got;
    Deferred<int> first;
    Deferred<int> last = chainedByAwaiting(first, depth);
    SUBCASE("fired") {
        got.watch(last);
        first.callback(0);
        CHECK(got.value == depth);
        CHECK(counts.abandoned == 0);
    }
    SUBCASE("dropped: each is abandoned, with its line in the log") {
        last = nullptr;
        CHECK(counts.abandoned == 0);
        first = nullptr;
        CHECK(counts.abandoned == depth);
    }
    CHECK(counts.others == 0);
}

TEST_CASE("the same in other ways, for coroutines") {
    const Counts counts;
    Got got;
    Deferred<int> first;
    Deferred<int> last = chainedByAwaiting(first, lesserDepth);
    SUBCASE("failed") {
        got.watch(last);
        first.errback(ValueError());
        CHECK(got.failures == 1);
        CHECK(counts.abandoned == 0);
    }
    SUBCASE("cancelled from above") {
        got.watch(last);
        last.cancel();
        CHECK(got.failures == 1);
        CHECK(counts.abandoned == 0);
    }
    SUBCASE("dropped, the first handle before the last") {
        first = nullptr;
        CHECK(counts.abandoned == lesserDepth);
        CHECK_FALSE(last.called());
        last = nullptr;
    }
    CHECK(counts.others == 0);
}

Deferred<int> awaitsItsOwn() {
    Deferred<int> d;
    co_return co_await d;
}

TEST_CASE("coroutines that are left to their thread's end") {
    const Counts counts;
    std::thread([] { chainedByAwaiting(awaitsItsOwn(), lesserDepth); }).join();
    CHECK(counts.abandoned == lesserDepth + 1);
    CHECK(counts.others == 0);
}

TEST_CASE("coroutines and callbacks in turn") {
    const Counts counts;
    Got got;
    Deferred<int> first;
    Deferred<int> last = first;
    for (int i = 0; i < lesserDepth; ++i) {
        last = addsOne(std::move(last));
        last = defer::succeed(0).addCallback([last](int) { return last; });
    }
    SUBCASE("fired") {
        got.watch(last);
        first.callback(0);
        CHECK(got.value == lesserDepth);
    }
    SUBCASE("dropped") {
        first = nullptr;
        last = nullptr;
        CHECK(counts.abandoned == lesserDepth);
    }
    CHECK(counts.others == 0);
}

Deferred<int> awaitsFired(int count) {
    int sum = 0;
    for (int i = 0; i < count; ++i) sum += co_await defer::succeed(1);
    co_return sum;
}

TEST_CASE("a coroutine that awaits ten times as many that have fired") {
    Got got;
    got.watch(awaitsFired(10 * depth));
    CHECK(got.value == 10 * depth);
}

Deferred<int> awaitsPending(int count, Deferred<int>& next) {
    int sum = 0;
    for (int i = 0; i < count; ++i) {
        next = Deferred<int>();
        const Deferred<int> here = next;
        sum += co_await here;
    }
    co_return sum;
}

TEST_CASE("a coroutine that awaits as many that fire later") {
    Got got;
    Deferred<int> next = nullptr;
    got.watch(awaitsPending(depth, next));
    while (got.value < 0) std::exchange(next, nullptr).callback(1);
    CHECK(got.value == depth);
}

Deferred<int> consumes(defer::DeferredQueue<int>& queue, int count) {
    int sum = 0;
    for (int i = 0; i < count; ++i) sum += co_await queue.get();
    co_return sum;
}

TEST_CASE("a coroutine that consumes many objects from a queue") {
    Got got;
    defer::DeferredQueue<int> queue;
    got.watch(consumes(queue, depth));
    for (int i = 0; i < depth; ++i) queue.put(1);
    CHECK(got.value == depth);
}

Deferred<int> passes(Deferred<void> gate, int& ended) {
    co_await gate;
    ++ended;
    co_return 1;
}

TEST_CASE("many coroutines on one Deferred") {
    const Counts counts;
    int ended = 0;
    Deferred<void> gate;
    for (int i = 0; i < lesserDepth; ++i) passes(gate, ended);
    SUBCASE("fired") {
        gate.callback();
        CHECK(ended == lesserDepth);
    }
    SUBCASE("dropped") {
        gate = nullptr;
        CHECK(ended == 0);
        CHECK(counts.abandoned == lesserDepth);
    }
    CHECK(counts.others == 0);
}

TEST_CASE("a chain of many callbacks") {
    int ran = 0;
    const Deferred<int> d;
    for (int i = 0; i < lesserDepth; ++i) {
        d.addCallback([&](int n) {
            ++ran;
            return n + 1;
        });
    }
    Got got;
    got.watch(d);
    d.callback(0);
    CHECK(ran == lesserDepth);
    CHECK(got.value == lesserDepth);
}

TEST_CASE("closures that hold the next Deferred, dropped from the first on") {
    int alive = 0;
    Deferred<int> first;
    {
        Deferred<int> last = first;
        for (int i = 0; i < lesserDepth; ++i) {
            Deferred<int> next;
            last.addCallback([next](int n) { return n; });
            last = std::move(next);
        }
        last.addCallback([&alive](int n) { return n + ++alive; });
    }
    first = nullptr;
    CHECK(alive == 0);
}

TEST_CASE("lists of lists") {
    Got got;
    const Deferred<int> first;
    Deferred<int> last = first;
    for (int i = 0; i < lesserDepth / 10; ++i) {
        std::vector<Deferred<int>> one;
        one.push_back(std::move(last));
        last = defer::DeferredList(one).addCallback(
            [](std::vector<Result<int>> results) { return *results[0] + 1; });
    }
    got.watch(last);
    first.callback(0);
    CHECK(got.value == lesserDepth / 10);
}

} // namespace

int main(int argc, char** argv) {
    log::globalLogBeginner().beginLoggingTo({});
    return doctest::Context(argc, argv).run();
}
