#include "probes.hpp"

#include <ropewalk/defer/queue.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// DeferredQueue: statements 89 and 90.
namespace {

using namespace ropewalk;
using defer::CancelledError;
using defer::Deferred;
using defer::DeferredQueue;
using probes::Counted;
using probes::Words;

TEST_CASE("89.1: put gives the object to the get that waits longest") {
    DeferredQueue<int> queue;
    const Deferred<int> first = queue.get();
    const Deferred<int> second = queue.get();
    CHECK(queue.waiting() == 2);
    queue.put(1);
    CHECK(defer::successResultOf(first) == 1);
    CHECK_FALSE(second.called());
    queue.put(2);
    CHECK(defer::successResultOf(second) == 2);
    CHECK(queue.waiting() == 0);
    CHECK(queue.pending() == 0);
}

TEST_CASE("89.2, 89.3: else it keeps up to size objects, and throws QueueOverflow at once for one more") {
    DeferredQueue<int> queue(2);
    queue.put(1);
    queue.put(2);
    CHECK(queue.pending() == 2);
    CHECK_THROWS_AS(queue.put(3), defer::QueueOverflow);
    CHECK(queue.pending() == 2);
    CHECK(defer::successResultOf(queue.get()) == 1);
    queue.put(3);
    CHECK(defer::successResultOf(queue.get()) == 2);
    CHECK(defer::successResultOf(queue.get()) == 3);
}

TEST_CASE("89.4: get returns what is kept, the oldest first, already fired") {
    DeferredQueue<std::string> queue;
    queue.put("a");
    queue.put("b");
    const Deferred<std::string> first = queue.get();
    CHECK(first.called());
    CHECK(defer::successResultOf(first) == "a");
    CHECK(defer::successResultOf(queue.get()) == "b");
    CHECK(queue.pending() == 0);
}

TEST_CASE("89.5, 89.6: else up to backlog gets wait, and one more throws QueueUnderflow at once") {
    DeferredQueue<int> queue(std::nullopt, 2);
    const Deferred<int> first = queue.get();
    const Deferred<int> second = queue.get();
    CHECK_THROWS_AS(queue.get(), defer::QueueUnderflow);
    CHECK(queue.waiting() == 2);
    queue.put(1);
    queue.put(2);
    CHECK(defer::successResultOf(first) == 1);
    CHECK(defer::successResultOf(second) == 2);
    const Deferred<int> third = queue.get();
    queue.put(3);
    CHECK(defer::successResultOf(third) == 3);
}

TEST_CASE("89.7: 0 means none: a queue that keeps nothing only hands over") {
    DeferredQueue<int> queue(0);
    CHECK_THROWS_AS(queue.put(1), defer::QueueOverflow);
    const Deferred<int> d = queue.get();
    queue.put(2);
    CHECK(defer::successResultOf(d) == 2);
    CHECK_THROWS_AS(queue.put(3), defer::QueueOverflow);
}

TEST_CASE("89.7: and one in which nobody may wait") {
    DeferredQueue<int> queue(std::nullopt, 0);
    CHECK_THROWS_AS(queue.get(), defer::QueueUnderflow);
    queue.put(2);
    CHECK(defer::successResultOf(queue.get()) == 2);
    CHECK_THROWS_AS(queue.get(), defer::QueueUnderflow);
}

TEST_CASE("89.8: without limits any number is kept, and may wait") {
    DeferredQueue<int> queue;
    for (int i = 0; i < 10'000; ++i) queue.put(i);
    int sum = 0;
    for (int i = 0; i < 20'000; ++i) queue.get().addCallback([&](int n) { sum += n; });
    CHECK(sum == 49'995'000);
    CHECK(queue.waiting() == 10'000);
    for (int i = 0; i < 10'000; ++i) queue.put(1);
    CHECK(sum == 50'005'000);
}

TEST_CASE("90.1: cancelling a get that waits removes it, so that no object is lost") {
    DeferredQueue<int> queue;
    const Deferred<int> cancelled = queue.get();
    const Deferred<int> next = queue.get();
    cancelled.cancel();
    defer::failureResultOf<CancelledError>(cancelled);
    CHECK(queue.waiting() == 1);
    queue.put(5);
    CHECK(defer::successResultOf(next) == 5);
    const Deferred<int> alone = queue.get();
    alone.cancel();
    defer::failureResultOf<CancelledError>(alone);
    queue.put(6);
    CHECK(queue.pending() == 1);
    CHECK(defer::successResultOf(queue.get()) == 6);
}

TEST_CASE("90.2: cancelling one that has its object has no effect") {
    DeferredQueue<int> queue;
    queue.put(1);
    const Deferred<int> d = queue.get();
    d.cancel();
    CHECK(defer::successResultOf(d) == 1);
}

TEST_CASE("objects that can only be moved") {
    DeferredQueue<std::unique_ptr<int>> queue;
    queue.put(std::make_unique<int>(1));
    CHECK(*defer::successResultOf(queue.get()) == 1);
    const Deferred<std::unique_ptr<int>> d = queue.get();
    queue.put(std::make_unique<int>(2));
    CHECK(*defer::successResultOf(d) == 2);
}

Deferred<void> consumes(DeferredQueue<std::string>& queue, Words& seen) {
    for (;;) {
        const std::string word = co_await queue.get();
        if (word == "end") co_return;
        seen.push_back(word);
    }
}

TEST_CASE("a coroutine that consumes what others put") {
    DeferredQueue<std::string> queue;
    Words seen;
    queue.put("first");
    const Deferred<void> own = consumes(queue, seen);
    CHECK(seen == Words{"first"});
    queue.put("second");
    queue.put("third");
    CHECK(seen == Words{"first", "second", "third"});
    queue.put("end");
    defer::successResultOf(own);
    queue.put("left");
    CHECK(queue.pending() == 1);
}

TEST_CASE("cancelling a coroutine that waits in the queue loses no object") {
    DeferredQueue<std::string> queue;
    Words seen;
    const Deferred<void> own = consumes(queue, seen);
    own.cancel();
    defer::failureResultOf<CancelledError>(own);
    queue.put("kept");
    CHECK(queue.pending() == 1);
}

TEST_CASE("a callback may put and get, in the queue that called it") {
    DeferredQueue<int> queue;
    std::vector<int> seen;
    queue.get().addCallback([&](int n) {
        seen.push_back(n);
        queue.get().addCallback([&](int next) { seen.push_back(next); });
        queue.put(n + 1);
        queue.put(n + 2);
    });
    queue.put(1);
    CHECK(seen == std::vector{1, 2});
    CHECK(queue.pending() == 1);
}

// A queue that goes before those who wait in it.

TEST_CASE("a queue that goes lets go of those who wait, unfired") {
    int closures = 0;
    Deferred<int> held = nullptr;
    {
        DeferredQueue<int> queue;
        queue.get().addCallback([count = Counted(closures)](int) { FAIL("called"); });
        held = queue.get();
        CHECK(closures == 1);
    }
    CHECK(closures == 0);
    CHECK_FALSE(held.called());
    held.cancel();
    defer::failureResultOf<CancelledError>(held);
}

TEST_CASE("coroutines that wait in a queue that goes are abandoned") {
    Words seen;
    auto queue = std::make_unique<DeferredQueue<std::string>>();
    consumes(*queue, seen);
    consumes(*queue, seen);
    queue = nullptr;
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 2);
}

TEST_CASE("objects that are left go with the queue; what was got stays") {
    int alive = 0;
    Deferred<Counted> got = nullptr;
    {
        DeferredQueue<Counted> queue;
        queue.put(Counted(alive));
        queue.put(Counted(alive));
        got = queue.get();
        CHECK(alive == 2);
    }
    CHECK(alive == 1);
    got = nullptr;
    CHECK(alive == 0);
}

TEST_CASE("a queue may be destroyed by a callback that it fires") {
    auto queue = std::make_unique<DeferredQueue<int>>();
    queue->get().addCallback([&](int) { queue = nullptr; });
    queue->put(1);
    CHECK(queue == nullptr);
}

TEST_CASE("what is destroyed with a queue may use its other waiters") {
    Deferred<int> second = nullptr;
    bool cancelled = false;
    {
        DeferredQueue<int> queue;
        queue.get().addCallback([use = probes::AtExit([&] {
                                     second.cancel();
                                     cancelled = true;
                                 })](int) {});
        second = queue.get();
    }
    CHECK(cancelled);
    defer::failureResultOf<CancelledError>(second);
}

} // namespace
