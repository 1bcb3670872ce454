#include "probes.hpp"

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/living.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Who keeps a coroutine: the chain that it waits on, and nothing else.
namespace {

using namespace ropewalk;
using defer::Deferred;
using probes::contains;
using probes::Counted;
using probes::Words;

/// Whether the coroutine of which `alive` counts a local has been destroyed with a word in the log.
bool abandoned(int alive) {
    const std::size_t logged = defer::flushLoggedErrors<AbandonedError>().size();
    CHECK(logged == (alive == 0 ? 1 : 0));
    return alive == 0;
}

Deferred<void> awaitsLocal(int& alive, const Deferred<void>& outside) {
    const Counted local(alive);
    Deferred<void> d = outside;
    co_await d;
}

Deferred<void> awaitsParameter(int& alive, Deferred<void> d) {
    const Counted local(alive);
    co_await d;
}

Deferred<void> awaitsMovedParameter(int& alive, Deferred<void> d) {
    const Counted local(alive);
    co_await std::move(d);
}

Deferred<void> awaitsResultOfParameter(int& alive, Deferred<void> d) {
    const Counted local(alive);
    co_await d.result();
}

struct InAStruct {
    int before = 0;
    Deferred<void> d = nullptr;
    int after = 0;
};

Deferred<void> awaitsMember(int& alive, const Deferred<void>& outside) {
    const Counted local(alive);
    InAStruct s;
    s.d = outside;
    co_await s.d;
}

Deferred<void> awaitsArrayElement(int& alive, const Deferred<void>& outside) {
    const Counted local(alive);
    std::array<Deferred<void>, 3> all{nullptr, outside, nullptr};
    co_await all[1];
}

Deferred<void> awaitsByLocalReference(int& alive, const Deferred<void>& outside) {
    const Counted local(alive);
    const Deferred<void> d = outside;
    const Deferred<void>& same = d;
    co_await same;
}

Deferred<void> awaitsCopyMadeInPlace(int& alive, const Deferred<void>& outside) {
    const Counted local(alive);
    co_await Deferred<void>(outside);
}

Deferred<void> awaitsResultOfTemporary(int& alive, const Deferred<void>& outside) {
    const Counted local(alive);
    co_await Deferred<void>(outside).result();
}

Deferred<void> awaitsWhatACallbackGave(int& alive, const Deferred<void>& outside) {
    const Counted local(alive);
    co_await outside.addCallback([] {});
}

struct Way {
    const char* name;
    Deferred<void> (*awaits)(int& alive, const Deferred<void>& d);
};

const Way ways[] = {
    {"a local", awaitsLocal},
    {"a parameter", [](int& alive, const Deferred<void>& d) { return awaitsParameter(alive, d); }},
    {"a parameter, moved",
     [](int& alive, const Deferred<void>& d) { return awaitsMovedParameter(alive, d); }},
    {"a parameter's result()",
     [](int& alive, const Deferred<void>& d) { return awaitsResultOfParameter(alive, d); }},
    {"a member of a local", awaitsMember},
    {"an element of a local array", awaitsArrayElement},
    {"a local, by a reference", awaitsByLocalReference},
    {"a temporary", awaitsCopyMadeInPlace},
    {"a temporary's result()", awaitsResultOfTemporary},
    {"what addCallback returned", awaitsWhatACallbackGave},
};

TEST_CASE("an awaited handle in the frame doesn't count: those outside keep the coroutine") {
    for (const Way& way : ways) {
        CAPTURE(way.name);
        int alive = 0;
        Deferred<void> d;
        const Deferred<void> own = way.awaits(alive, d);
        Deferred<void> other = d;
        d = nullptr;
        CHECK_FALSE(abandoned(alive));
        std::exchange(other, nullptr).callback();
        CHECK(alive == 0);
        defer::successResultOf(own);
    }
}

TEST_CASE(
    "and when the last of those goes, it is abandoned: its locals are destroyed, its own Deferred stays unfired") {
    for (const Way& way : ways) {
        CAPTURE(way.name);
        int alive = 0;
        Deferred<void> d;
        const Deferred<void> own = way.awaits(alive, d);
        CHECK(alive == 1);
        d = nullptr;
        CHECK(abandoned(alive));
        CHECK_FALSE(own.called());
    }
}

Deferred<void> awaitsNobodysTemporary(int& alive) {
    const Counted local(alive);
    co_await Deferred<void>();
}

Deferred<void> awaitsNobodysResult(int& alive) {
    const Counted local(alive);
    co_await Deferred<void>().result();
}

TEST_CASE("a temporary that nobody else holds: the coroutine is abandoned as it suspends") {
    int alive = 0;
    Deferred<void> own = nullptr;
    SUBCASE("itself") {
        own = awaitsNobodysTemporary(alive);
    }
    SUBCASE("its result()") {
        own = awaitsNobodysResult(alive);
    }
    CHECK(abandoned(alive));
    CHECK_FALSE(own.called());
}

Deferred<void> awaitsItsOwn(int& alive, Deferred<void>*& inside) {
    const Counted local(alive);
    Deferred<void> d;
    inside = &d;
    co_await d;
}

TEST_CASE(
    "a local that was the only handle when it suspended does count: it waits on, and the task dump shows it") {
    int alive = 0;
    Deferred<void>* inside = nullptr;
    const Deferred<void> own = awaitsItsOwn(alive, inside);
    CHECK_FALSE(abandoned(alive));
    const std::vector<defer::LivingCoroutine> living = defer::livingCoroutines();
    REQUIRE(living.size() == 1);
    CHECK(contains(living[0].str(), "awaitsItsOwn"));
    SUBCASE("until it is fired") {
        const Deferred<void> d = *inside;
        d.callback();
        defer::successResultOf(own);
    }
    SUBCASE("or cancelled") {
        own.cancel();
        defer::failureResultOf<defer::CancelledError>(own);
    }
    CHECK(alive == 0);
}

Deferred<void> awaitsInAVector(int& alive, std::vector<Deferred<void>> all) {
    const Counted local(alive);
    co_await all[0];
}

Deferred<void> awaitsInAPointer(int& alive, std::unique_ptr<Deferred<void>> one) {
    const Counted local(alive);
    co_await *one;
}

TEST_CASE("a handle in a container on the heap counts: dropping the others abandons nothing") {
    int alive = 0;
    Deferred<void> d;
    Deferred<void> own = nullptr;
    SUBCASE("a vector") {
        own = awaitsInAVector(alive, {d});
    }
    SUBCASE("a unique_ptr") {
        own = awaitsInAPointer(alive, std::make_unique<Deferred<void>>(d));
    }
    d = nullptr;
    CHECK_FALSE(abandoned(alive));
    CHECK(alive == 1);
    own.cancel();
    CHECK(alive == 0);
    defer::failureResultOf<defer::CancelledError>(own);
}

Deferred<void> awaitsByReference(int& alive, const Deferred<void>& d) {
    const Counted local(alive);
    co_await d;
}

TEST_CASE("a handle outside, awaited by reference, counts as what it is: the caller's") {
    int alive = 0;
    Deferred<void> d;
    const Deferred<void> own = awaitsByReference(alive, d);
    CHECK_FALSE(abandoned(alive));
    d = nullptr;
    CHECK(abandoned(alive));
}

Deferred<void> awaitsWithASpare(int& alive, Deferred<void> d) {
    const Counted local(alive);
    const Deferred<void> spare = d;
    co_await d;
}

TEST_CASE("another handle on it in the frame counts, since it isn't the one that is awaited") {
    int alive = 0;
    Deferred<void> d;
    const Deferred<void> own = awaitsWithASpare(alive, d);
    d = nullptr;
    CHECK_FALSE(abandoned(alive));
    own.cancel();
    CHECK(alive == 0);
    defer::failureResultOf<defer::CancelledError>(own);
}

Deferred<void> awaitsTwice(int& alive, Deferred<void> first, Deferred<void> second) {
    const Counted local(alive);
    co_await first;
    CHECK(first);
    first.addCallback([] {});
    co_await second;
}

TEST_CASE("after the wait the handle counts again, and can be used") {
    int alive = 0;
    Deferred<void> first;
    Deferred<void> second;
    const Deferred<void> own = awaitsTwice(alive, first, second);
    std::exchange(first, nullptr).callback();
    CHECK_FALSE(abandoned(alive));
    second = nullptr;
    CHECK(abandoned(alive));
}

TEST_CASE("dropping a coroutine's own Deferred changes nothing: it runs to its end") {
    int alive = 0;
    const Deferred<void> d;
    awaitsParameter(alive, d);
    CHECK(alive == 1);
    d.callback();
    CHECK(alive == 0);
}

Deferred<void> failsUnseen(Deferred<void> d) {
    co_await d;
    throw ValueError("nobody holds my Deferred");
}

TEST_CASE("and its failure, which nobody can handle, is reported") {
    const Deferred<void> d;
    failsUnseen(d);
    d.callback();
    CHECK(defer::flushLoggedErrors<ValueError>().size() == 1);
}

Deferred<int> waitsForIt(Deferred<int> d) {
    co_return co_await d;
}

TEST_CASE("the log says who was abandoned, where it waited, and where what it waited on was made") {
    probes::Events events;
    Deferred<int> d;
    const std::string made = probes::here(1);
    waitsForIt(d);
    d = nullptr;
    defer::flushLoggedErrors<AbandonedError>();
    REQUIRE(events.all.size() == 1);
    const std::string file = made.substr(0, made.rfind(':') + 1);
    const std::string text = events.all[0].text;
    CHECK(text.starts_with("abandoned: waitsForIt, waiting at " + file));
    CHECK(text.ends_with(" on a Deferred made at " + made));
    CHECK(events.all[0].level == log::LogLevel::critical);
}

Deferred<int> outerWaits(int& alive, Deferred<int> d) {
    const Counted local(alive);
    const int n = co_await d;
    co_return n;
}

TEST_CASE("its own Deferred is abandoned in the same way, and so on up, the innermost first") {
    probes::Events events;
    int alive = 0;
    Deferred<int> d;
    Deferred<int> last = d;
    for (int i = 0; i < 3; ++i) last = outerWaits(alive, last);
    waitsForIt(std::exchange(last, nullptr));
    CHECK(alive == 3);
    d = nullptr;
    CHECK(alive == 0);
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 4);
    REQUIRE(events.all.size() == 4);
    CHECK(contains(events.all[0].text, "outerWaits"));
    CHECK(contains(events.all[3].text, "waitsForIt"));
}

TEST_CASE("but not past a handle that somebody holds: that one stays unfired, with what waits for it") {
    int alive = 0;
    Deferred<int> d;
    Deferred<int> inner = outerWaits(alive, d);
    Deferred<int> outer = outerWaits(alive, inner);
    d = nullptr;
    CHECK(alive == 1);
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
    CHECK_FALSE(inner.called());
    CHECK_FALSE(outer.called());
    inner = nullptr;
    CHECK(alive == 0);
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
}

TEST_CASE("what waited by a callback for an abandoned one goes too, its callbacks destroyed and not called") {
    int alive = 0;
    int closures = 0;
    Deferred<int> d;
    {
        const Deferred<int> outer = defer::succeed(1).addCallback([&](int) { return outerWaits(alive, d); });
        outer.addCallback([count = Counted(closures)](int) { FAIL("called"); });
    }
    CHECK(alive == 1);
    CHECK(closures == 1);
    d = nullptr;
    CHECK(alive == 0);
    CHECK(closures == 0);
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
}

TEST_CASE("also if the callback's closure holds the handle that it returned") {
    int alive = 0;
    int closures = 0;
    std::size_t coroutines = 1;
    Deferred<int> d;
    SUBCASE("waiting already") {
        Deferred<int> inner = outerWaits(alive, d);
        defer::succeed(1).addCallback([inner, count = Counted(closures)](int) { return inner; });
        inner = nullptr;
        CHECK(closures == 1);
        d = nullptr;
    }
    SUBCASE("among others that wait") {
        Deferred<int> inner = outerWaits(alive, d);
        for (int i = 0; i < 20; ++i) {
            defer::succeed(1).addCallback([inner, count = Counted(closures)](int) { return inner; });
            inner.addBoth([](Result<int> r) { return r; });
        }
        const Deferred<int> outermost = outerWaits(alive, std::move(inner));
        CHECK(closures == 20);
        d = nullptr;
        ++coroutines;
    }
    SUBCASE("abandoned before it is returned") {
        Deferred<int> inner = outerWaits(alive, d);
        d = nullptr;
        defer::succeed(1).addCallback([inner, count = Counted(closures)](int) { return inner; });
        inner = nullptr;
    }
    CHECK(alive == 0);
    CHECK(closures == 0);
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == coroutines);
}

TEST_CASE("whose destructor may cancel it, or add to it") {
    int alive = 0;
    Deferred<int> d;
    Deferred<int> inner = outerWaits(alive, d);
    const Deferred<int> inners = inner;
    Words seen;
    const Deferred<int> outer = defer::succeed(1).addCallback([inner, use = probes::AtExit([&] {
                                                                          inners.cancel();
                                                                          inners.addErrback([] { return 0; });
                                                                          seen.push_back("destructor ends");
                                                                      })](int) { return inner; });
    inner = nullptr;
    outer.addErrback([&](const Failure&) {
        seen.push_back("outer fails");
        return 0;
    });
    d = nullptr;
    CHECK(seen == Words{"destructor ends", "outer fails"});
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
}

Deferred<void> saysWhenItGoes(Words& seen, std::string name, Deferred<void> d) {
    struct Says {
        Words& words;
        const std::string& name;
        ~Says() { words.push_back(name); }
    };
    const Says local{seen, name};
    co_await d;
}

TEST_CASE("several coroutines on one that is dropped: all of them, in the order in which they waited") {
    Words seen;
    Deferred<void> d;
    saysWhenItGoes(seen, "first", d);
    d.addCallback([] {});
    saysWhenItGoes(seen, "second", d);
    saysWhenItGoes(seen, "third", d);
    d = nullptr;
    CHECK(seen == Words{"first", "second", "third"});
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 3);
}

Deferred<void> usesThingsWhenItGoes(Deferred<void> d, Deferred<void> other, bool& fired) {
    const probes::AtExit local([&other, &fired] {
        other.addCallback([&fired] { fired = true; });
        other.callback();
        try {
            Deferred<int> failing;
            failing.errback(ValueError("out of a destructor's Deferred"));
        } catch (...) {
            FAIL("an exception");
        }
    });
    co_await d;
}

TEST_CASE("the destructors of an abandoned coroutine may use other Deferreds") {
    bool fired = false;
    Deferred<void> d;
    const Deferred<void> other;
    usesThingsWhenItGoes(d, other, fired);
    d = nullptr;
    CHECK(fired);
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
    CHECK(defer::flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("awaiting what is being destroyed raises AbandonedError at the co_await") {
    bool refused = false;
    int alive = 0;
    Deferred<void> late = nullptr;
    Deferred<void> d;
    const auto body = [&](Deferred<void> awaited) -> Deferred<void> {
        const probes::AtExit local([&] {
            late = awaitsParameter(alive, awaited);
            refused = late.called();
        });
        co_await awaited;
    };
    body(d);
    d = nullptr;
    CHECK(refused);
    defer::failureResultOf<AbandonedError>(late);
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
    CHECK(alive == 0);
}

TEST_CASE("a handle on it that escapes from its destructors is one that never fires, and may be cancelled") {
    Deferred<void> escaped = nullptr;
    Deferred<void> d;
    const auto body = [&](Deferred<void> awaited) -> Deferred<void> {
        const probes::AtExit local([&] { escaped = awaited; });
        co_await awaited;
    };
    body(d);
    d = nullptr;
    REQUIRE(escaped);
    CHECK_FALSE(escaped.called());
    CHECK_NOTHROW(escaped.cancel());
    escaped = nullptr;
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 1);
}

} // namespace
