#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <array>
#include <ostream>
#include <string>
#include <utility>

#include "probes.hpp"

namespace defer = ropewalk::defer;

using defer::Deferred;
using defer::flushLoggedErrors;
using ropewalk::Failure;
using ropewalk::ValueError;

// Exceptions out of destructors: logged, and nothing else is disturbed.
namespace {

class Thrower {
public:
    Thrower() = default;
    Thrower(Thrower&& other) noexcept : armed_(std::exchange(other.armed_, false)) {}
    Thrower& operator=(Thrower&&) = delete;
    ~Thrower() noexcept(false) {
        if (armed_) throw ValueError("out of a destructor");
    }

private:
    bool armed_ = true;
};

void checkLogged(std::size_t count) {
    CHECK(flushLoggedErrors<ValueError>().size() == count);
}

TEST_CASE("out of a closure that has run: the result stands, and the next callback runs") {
    probes::Events events;
    const Deferred<int> d;
    d.addCallback([t = Thrower()](int n) { return n + 1; }).addCallback([](int n) { return n * 2; });
    d.callback(1);
    CHECK(defer::successResultOf(d) == 4);
    REQUIRE(events.all.size() == 1);
    CHECK(events.all[0].text == "Exception out of a destructor");
    CHECK(events.all[0].level == ropewalk::log::LogLevel::critical);
    checkLogged(1);
}

TEST_CASE("out of one that threw itself: that exception is the result") {
    const Deferred<int> d;
    d.addCallback([t = Thrower()](int) -> int { throw ropewalk::KeyError("thrown"); });
    d.callback(1);
    defer::failureResultOf<ropewalk::KeyError>(d);
    checkLogged(1);
}

TEST_CASE("out of the closure of the side that didn't run") {
    const Deferred<int> d;
    d.addErrback([t = Thrower()](const Failure& f) { return f; });
    d.callback(1);
    CHECK(defer::successResultOf(d) == 1);
    checkLogged(1);
}

TEST_CASE("out of a closure that waited for a Deferred") {
    const Deferred<int> inner;
    const Deferred<int> d = defer::succeed().addCallback([&, t = Thrower()] { return inner; });
    checkLogged(0);
    inner.callback(5);
    CHECK(defer::successResultOf(d) == 5);
    checkLogged(1);
}

TEST_CASE("out of closures of a Deferred that never fired: each is logged, and all are destroyed") {
    int alive = 0;
    {
        const Deferred<int> d;
        d.addCallback([c = probes::Counted(alive), t = Thrower()](int n) { return n; });
        d.addErrback([c = probes::Counted(alive), t = Thrower()](const Failure& f) { return f; });
        d.addBoth([c = probes::Counted(alive), t = Thrower()] {});
    }
    CHECK(alive == 0);
    checkLogged(3);
}

TEST_CASE("out of an over-aligned closure, which lies on the heap") {
    struct alignas(64) Wide {
        std::array<char, 64> bytes{};
    };
    const Deferred<int> d;
    d.addCallback([w = Wide(), t = Thrower()](int n) { return n; });
    d.callback(1);
    CHECK(defer::successResultOf(d) == 1);
    checkLogged(1);
}

TEST_CASE("out of a value that goes with its Deferred") {
    { Deferred<Thrower>().callback(Thrower()); }
    checkLogged(1);
    {
        Deferred<std::pair<Thrower, std::array<char, 100>>>().callback(
            std::pair(Thrower(), std::array<char, 100>()));
    }
    checkLogged(1);
}

TEST_CASE("out of a value that the next result replaces") {
    const Deferred<Thrower> d;
    const Deferred<int> end = d.addCallback([] { return 3; });
    d.callback(Thrower());
    CHECK(defer::successResultOf(end) == 3);
    checkLogged(1);
}

TEST_CASE("out of a value that a failure replaces") {
    const Deferred<Thrower> d;
    const Deferred<int> end = d.addCallback([]() -> int { throw ropewalk::KeyError("thrown"); });
    d.callback(Thrower());
    defer::failureResultOf<ropewalk::KeyError>(end);
    checkLogged(1);
}

TEST_CASE("out of a parameter that a callback took by value: that is the callback's exception") {
    const Deferred<Thrower> d;
    const Deferred<void> end = d.addCallback([](Thrower) {});
    d.callback(Thrower());
    CHECK(defer::failureResultOf<ValueError>(end).getErrorMessage() == "out of a destructor");
    checkLogged(0);
}

TEST_CASE("out of a canceller, whether the Deferred fires, is cancelled or goes") {
    SUBCASE("fires") {
        const Deferred<int> d([t = Thrower()] {});
        d.callback(1);
        CHECK(defer::successResultOf(d) == 1);
    }
    SUBCASE("is cancelled") {
        const Deferred<int> d([t = Thrower()] {});
        d.cancel();
        defer::failureResultOf<defer::CancelledError>(d);
    }
    SUBCASE("goes") {
        const Deferred<int> d([t = Thrower()] {});
    }
    checkLogged(1);
}

TEST_CASE("out of extra arguments") {
    const Deferred<int> d;
    d.addCallback([](int n, const Thrower&) { return n; }, Thrower());
    d.callback(1);
    CHECK(defer::successResultOf(d) == 1);
    checkLogged(1);
}

} // namespace
