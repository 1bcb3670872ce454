#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include "probes.hpp"

namespace defer = ropewalk::defer;

using defer::AlreadyCalledError;
using defer::Deferred;
using probes::AtExit;
using probes::Words;
using ropewalk::Failure;
using ropewalk::ValueError;

// What callbacks, cancellers and destructors may do to the Deferreds that are at work.
namespace {

TEST_CASE(
    "a callback that fires its own Deferred gets AlreadyCalledError, and fails with it if it lets it out") {
    const Deferred<int> d;
    bool caught = false;
    d.addCallback([&](int n) {
        CHECK_THROWS_AS(d.callback(2), AlreadyCalledError);
        caught = true;
        return n;
    });
    d.addCallback([&](int) { d.errback(ValueError("x")); });
    d.callback(1);
    CHECK(caught);
    defer::failureResultOf<AlreadyCalledError>(d);
}

TEST_CASE("a fire inside a callback runs the other chain at once, before callback returns") {
    Words seen;
    const Deferred<int> inner;
    inner.addCallback([&](int n) { seen.push_back("inner " + std::to_string(n)); });
    const Deferred<int> outer;
    outer.addCallback([&](int n) {
        seen.push_back("before");
        inner.callback(n + 1);
        seen.push_back("after");
    });
    outer.callback(1);
    CHECK(seen == Words{"before", "inner 2", "after"});
}

TEST_CASE("also when that chain waits for the one that runs: it goes on when this one has a result") {
    Words seen;
    const Deferred<int> a;
    const Deferred<void> b;
    b.addCallback([&] { return a; }).addCallback([&](int n) { seen.push_back("b " + std::to_string(n)); });
    a.addCallback([&](int n) {
        b.callback();
        seen.push_back("a");
        return n + 1;
    });
    a.callback(1);
    CHECK(seen == Words{"a", "b 2"});
}

TEST_CASE("cancelling one's own Deferred inside a callback does nothing") {
    int calls = 0;
    const Deferred<int> d([&] { ++calls; });
    d.addCallback([&](int n) {
        d.cancel();
        return n;
    });
    d.callback(3);
    CHECK(calls == 0);
    CHECK(defer::successResultOf(d) == 3);
}

TEST_CASE("cancelling, inside a callback, what one is about to return: its failure is taken at once") {
    const Deferred<int> d = defer::succeed(0);
    d.addCallback([](int) {
        const Deferred<int> inner;
        inner.cancel("changed my mind");
        return inner;
    });
    CHECK(defer::failureResultOf<defer::CancelledError>(d).getErrorMessage() == "changed my mind");
}

TEST_CASE("a callback of the inner may cancel the outer, which waits for it: nothing happens") {
    const Deferred<int> inner;
    const Deferred<void> outer;
    const Deferred<int> end = outer.addCallback([&] { return inner; });
    inner.addCallback([&](int n) { return n; });
    const Deferred<int> source;
    source.addCallback([&](int n) {
        outer.callback();
        outer.cancel();
        return n;
    });
    source.callback(1);
    defer::failureResultOf<defer::CancelledError>(end);
    CHECK_NOTHROW(inner.callback(2));
}

TEST_CASE("pausing and unpausing inside a callback, and unpausing inside the callback of another") {
    Words seen;
    const Deferred<void> d;
    const Deferred<void> other;
    d.addCallback([&] {
        d.pause();
        seen.push_back("first");
    });
    d.addCallback([&] { seen.push_back("second"); });
    other.addCallback([&] {
        d.unpause();
        seen.push_back("other");
    });
    d.callback();
    CHECK(seen == Words{"first"});
    other.callback();
    CHECK(seen == Words{"first", "second", "other"});
}

TEST_CASE("pausing the chain that will go on, from inside the chain that it waits for") {
    Words seen;
    const Deferred<int> inner;
    const Deferred<void> outer;
    const Deferred<int> innerEnd = inner.addCallback([&](int n) {
        outer.pause();
        return n;
    });
    outer.addCallback([&] { return innerEnd; }).addCallback([&](int n) {
        seen.push_back(std::to_string(n));
    });
    outer.callback();
    inner.callback(4);
    CHECK(seen.empty());
    CHECK(outer.paused() == 1);
    outer.unpause();
    CHECK(seen == Words{"4"});
}

TEST_CASE("a callback may add many, more than fit beside it, and they run in order") {
    int expected = 0;
    bool inOrder = true;
    const Deferred<int> d;
    d.addCallback([&](int n) {
        for (int i = 0; i < 100; ++i) {
            d.addCallback([&, i, text = std::string("a capture of some size")](int m) {
                inOrder = inOrder && i == expected++;
                return m;
            });
        }
        return n;
    });
    d.callback(1);
    CHECK(inOrder);
    CHECK(expected == 100);
}

TEST_CASE("a callback may add itself again, without end in sight") {
    struct Again {
        Deferred<int> d;
        int* left;
        int operator()(int n) const {
            if (--*left > 0) d.addCallback(Again{d, left});
            return n;
        }
    };
    int left = 10000;
    const Deferred<int> d;
    d.addCallback(Again{d, &left});
    d.callback(1);
    CHECK(left == 0);
}

TEST_CASE("a closure's destructor may add to its own Deferred") {
    Words seen;
    const Deferred<int> d;
    d.addCallback([&, last = AtExit([&] {
                          d.addCallback([&](int n) {
                              seen.push_back("added at exit");
                              return n;
                          });
                      })](int n) { return n; });
    d.addCallback([&](int n) {
        seen.push_back("next");
        return n;
    });
    d.callback(1);
    CHECK(seen == Words{"next", "added at exit"});
}

TEST_CASE("a closure's destructor may fire another Deferred, pause its own, and cancel") {
    Words seen;
    const Deferred<int> other;
    const Deferred<int> cancelled;
    other.addCallback([&](int) { seen.push_back("other"); });
    cancelled.addErrback([&] { seen.push_back("cancelled"); });
    const Deferred<int> d;
    d.addCallback([&, last = AtExit([&] {
                          other.callback(1);
                          cancelled.cancel();
                          d.cancel();
                          d.pause();
                      })](int n) { return n; });
    d.addCallback([&](int) { seen.push_back("next"); });
    d.callback(1);
    CHECK(seen == Words{"other", "cancelled"});
    d.unpause();
    CHECK(seen == Words{"other", "cancelled", "next"});
}

TEST_CASE("a value's destructor may do the same") {
    Words seen;
    const Deferred<int> other;
    other.addCallback([&](int) { seen.push_back("other"); });
    const auto makeValue = [&] { return AtExit([&] { other.callback(1); }); };
    const Deferred<decltype(makeValue())> d;
    const Deferred<void> end = d.addCallback([] {});
    end.addCallback([&] { seen.push_back("next"); });
    d.callback(makeValue());
    CHECK(seen == Words{"other", "next"});
}

TEST_CASE("a value's destructor may fire what its chain waits for") {
    const Deferred<int> inner;
    const auto makeValue = [&] {
        return AtExit([&] {
            if (!inner.called()) inner.callback(7);
        });
    };
    Deferred<decltype(makeValue())> d;
    const Deferred<int> end = d.addCallback([&](auto&& value) {
        const auto dropped = std::move(value);
        return inner;
    });
    d.callback(makeValue());
    CHECK(defer::successResultOf(end) == 7);
}

TEST_CASE("a canceller may add callbacks, pause, and cancel again") {
    Words seen;
    int calls = 0;
    const Deferred<int> d([&](const Deferred<int>& self) {
        ++calls;
        self.cancel();
        self.addErrback([&](const Failure& f) {
            seen.push_back(f.check<defer::CancelledError>() != nullptr ? "cancelled" : "other");
            return 1;
        });
        self.pause();
    });
    d.cancel();
    CHECK(calls == 1);
    CHECK(d.called());
    CHECK(seen.empty());
    d.unpause();
    CHECK(seen == Words{"cancelled"});
}

TEST_CASE("a canceller that fires runs the callbacks before it goes on") {
    Words seen;
    const Deferred<int> d([&](const Deferred<int>& self) {
        self.callback(1);
        seen.push_back("canceller ends");
    });
    d.addCallback([&](int) { seen.push_back("callback"); });
    d.cancel();
    CHECK(seen == Words{"callback", "canceller ends"});
}

TEST_CASE("the destructor of a canceller may use the Deferred") {
    Words seen;
    Deferred<int> d = nullptr;
    d = Deferred<int>([last = AtExit([&] {
                           d.addCallback([&](int n) {
                               seen.push_back("added");
                               return n;
                           });
                           d.cancel();
                       })] {});
    d.addCallback([&](int n) {
        seen.push_back("callback");
        return n;
    });
    d.callback(1);
    CHECK(seen == Words{"callback", "added"});
    CHECK(defer::successResultOf(d) == 1);
}

TEST_CASE("an observer of the log may make, fire and drop Deferreds while an error is reported") {
    int reports = 0;
    const Deferred<int> other;
    ropewalk::log::ScopedObserver watch([&](const ropewalk::log::LogEvent& event) {
        if (event.failure == nullptr) return;
        ++reports;
        if (reports == 1) {
            other.callback(1);
            defer::fail<int>(ropewalk::KeyError("second"));
        }
    });
    defer::fail<int>(ValueError("first"));
    CHECK(reports == 2);
    CHECK(other.called());
    CHECK(defer::flushLoggedErrors<ValueError>().size() == 1);
    CHECK(defer::flushLoggedErrors<ropewalk::KeyError>().size() == 1);
}

} // namespace
