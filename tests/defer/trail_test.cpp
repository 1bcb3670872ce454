#include <ropewalk/defer/trail.hpp>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/names.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

namespace defer = ropewalk::defer;

using defer::currentTrail;
using defer::Deferred;
using defer::Trail;
using ropewalk::Failure;
using ropewalk::RuntimeError;
using ropewalk::ValueError;

using Location = std::source_location;

namespace {

unsigned here(Location where = Location::current()) {
    return where.line();
}

std::string lines(const std::vector<unsigned>& numbers) {
    std::string text;
    for (const unsigned line : numbers) text += std::to_string(line) + " ";
    return text;
}

std::string linesOf(const Trail& trail) {
    std::vector<unsigned> numbers;
    for (std::size_t i = 0; i < trail.size(); ++i) numbers.push_back(trail[i].line());
    return lines(numbers);
}

std::vector<std::string> namesOf(const Trail& trail) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < trail.size(); ++i) {
        std::string name = ropewalk::functionName(trail[i]);
        names.push_back(name.substr(name.rfind(':') + 1));
    }
    return names;
}

/// The way of the failure that stands at the chain's end.
Trail wayOf(const Deferred<int>& d) {
    Trail way;
    d.addErrback([&](const Failure& failure) { way = failure.trail(); });
    return way;
}

Location somewhere() {
    return Location::current();
}

TEST_CASE("trail: of up to 64 steps all are kept") {
    Trail trail;
    CHECK(trail.size() == 0);
    CHECK(trail.str().empty());
    for (int i = 0; i < 64; ++i) trail.add(somewhere());
    CHECK(trail.size() == 64);
    CHECK(trail.omitted() == 0);
    CHECK(trail.str().find("more") == std::string::npos);
}

TEST_CASE("trail: of a longer way the first 32 and the last 32 are kept, and the number between") {
    for (const int count : {65, 95, 96, 97, 200}) {
        CAPTURE(count);
        Failure failure = Failure(ValueError("no poem"));
        const unsigned made = here() - 1;
        const unsigned first = here() + 1;
        for (int i = 1; i < 32; ++i) failure.passed(Location::current());
        const unsigned second = here() + 1;
        for (int i = 32; i < count - 1; ++i) failure.passed(Location::current());
        failure.passed(Location::current());
        std::vector<unsigned> expected(64, second);
        std::fill_n(expected.begin(), 32, first);
        expected.front() = made;
        expected.back() = second + 1;
        CHECK(linesOf(failure.trail()) == lines(expected));
        CHECK(failure.trail().omitted() == static_cast<std::size_t>(count - 64));
        const std::string gap = "... " + std::to_string(count - 64) + " more ...\n";
        CHECK(failure.trail().str().find(":" + std::to_string(first) + ":") <
              failure.trail().str().find(gap));
        CHECK(failure.trail().str().find(":" + std::to_string(second) + ":") >
              failure.trail().str().find(gap));
        CHECK(failure.trail().str().find(gap) != std::string::npos);
        CHECK(failure.getTraceback().find("  " + gap) != std::string::npos);
    }
}

TEST_CASE("trail: copies, moves and assignments are independent") {
    Trail one;
    one.add(somewhere());
    Trail two = one;
    two.add(Location::current());
    CHECK(one.size() == 1);
    CHECK(two.size() == 2);
    Trail& same = two;
    two = same;
    CHECK(two.size() == 2);
    one = std::move(two);
    CHECK(one.size() == 2);
    const Trail three = Trail(one);
    CHECK(linesOf(three) == linesOf(one));
    const Trail empty = Trail();
    CHECK(Trail(empty).size() == 0);
}

TEST_CASE("trail: a step is a line FILE:LINE:FUNCTION") {
    Trail trail;
    trail.add(somewhere());
    const std::string expected = std::string(Location::current().file_name()) + ":" +
                                 std::to_string(somewhere().line()) + ":" +
                                 ropewalk::functionName(somewhere()) + "\n";
    CHECK(trail.str() == expected);
    CHECK(expected.find("somewhere\n") != std::string::npos);
    std::ostringstream out;
    out << trail;
    CHECK(out.str() == expected);
}

TEST_CASE("trail: a failure begins where it was made, and passes the fire and every callback") {
    const unsigned line = here();
    const Failure made = ValueError("no poem");
    Deferred<int> d;
    d.errback(made);
    d.addCallback([](int n) { return n; });
    d.addBoth([](ropewalk::Result<int> result) { return result; });
    CHECK(linesOf(wayOf(d)) == lines({line + 1, line + 3, line + 4, line + 5}));
}

TEST_CASE("trail: an error that is made where it is given away is one step") {
    const unsigned line = here();
    Deferred<int> d;
    d.errback(ValueError("no poem"));
    CHECK(linesOf(wayOf(d)) == lines({line + 2}));
    const Deferred<int> failed = defer::fail(ValueError("no poem"));
    CHECK(linesOf(wayOf(failed)) == lines({line + 4}));
}

TEST_CASE("trail: an exception out of a callback begins at that callback") {
    const unsigned line = here();
    Deferred<int> d;
    d.addCallback([](int) -> int { throw ValueError("no poem"); });
    d.addCallback([](int n) { return n; });
    d.callback(1);
    CHECK(linesOf(wayOf(d)) == lines({line + 2, line + 3}));
}

TEST_CASE("trail: an errback that lets the failure go on is a step, however it does that") {
    const unsigned line = here();
    Deferred<int> d;
    d.addErrback([](const Failure& failure) { return failure; });
    d.addErrback([](const Failure& failure) { failure.trap<RuntimeError>(); });
    d.addErrback([](const Failure& failure) { failure.raiseException(); });
    d.addErrback([](const Failure& failure) -> ropewalk::Result<int> { return std::unexpected(failure); });
    d.errback(ValueError("no poem"));
    CHECK(linesOf(wayOf(d)) == lines({line + 6, line + 2, line + 3, line + 4, line + 5}));
}

TEST_CASE("trail: an errback that fails with another error begins another way") {
    const unsigned line = here();
    Deferred<int> d;
    d.errback(ValueError("no poem"));
    d.addErrback([] { throw RuntimeError("no paper either"); });
    CHECK(linesOf(wayOf(d)) == lines({line + 3}));
}

TEST_CASE("trail: a failure that comes with a returned Deferred passes the callback that returned it") {
    for (const bool firedFirst : {false, true}) {
        CAPTURE(firedFirst);
        const unsigned line = here();
        Deferred<int> inner;
        const auto fire = [&] { inner.errback(ValueError("no poem")); };
        if (firedFirst) fire();
        Deferred<int> outer;
        outer.callback(1);
        outer.addCallback([&](int) { return inner; });
        outer.addCallback([](int n) { return n; });
        if (!firedFirst) fire();
        CHECK(linesOf(wayOf(outer)) == lines({line + 2, line + 6, line + 7}));
    }
}

TEST_CASE("trail: chainDeferred and fork are steps") {
    const unsigned line = here();
    Deferred<int> d;
    const Deferred<int> copy = d.fork();
    Deferred<int> target;
    d.chainDeferred(target);
    d.errback(ValueError("no poem"));
    CHECK(linesOf(wayOf(copy)) == lines({line + 5, line + 2}));
    CHECK(linesOf(wayOf(target)) == lines({line + 5, line + 4}));
}

// Three coroutines, one above the other.
constexpr unsigned coroutines = __LINE__;
Deferred<int> fetchPoem(Deferred<int> source) {
    const int poem = co_await source;
    co_return poem;
}
Deferred<int> polishPoem(Deferred<int> source) {
    const int poem = co_await fetchPoem(std::move(source));
    co_return poem;
}
Deferred<int> printPoem(Deferred<int> source) {
    ropewalk::Result<int> poem = co_await polishPoem(std::move(source)).result();
    co_return poem;
}

TEST_CASE("trail: every co_await on the way is a step, and names its coroutine") {
    for (const bool firedFirst : {false, true}) {
        CAPTURE(firedFirst);
        const unsigned line = here();
        Deferred<int> source;
        const auto fire = [&] { source.errback(ValueError("no poem")); };
        if (firedFirst) fire();
        const Deferred<int> printed = printPoem(source);
        if (!firedFirst) fire();
        const Trail way = wayOf(printed);
        CHECK(linesOf(way) == lines({line + 2, coroutines + 2, coroutines + 6, coroutines + 10}));
        const std::vector<std::string> names = namesOf(way);
        REQUIRE(names.size() == 4);
        CHECK(names[1] == "fetchPoem");
        CHECK(names[2] == "polishPoem");
        CHECK(names[3] == "printPoem");
    }
}

constexpr unsigned translating = __LINE__;
Deferred<int> translate(Deferred<int> source) {
    try {
        co_return co_await source;
    } catch (const ValueError&) {
        throw RuntimeError("no poem, no translation");
    }
}

TEST_CASE("trail: an exception that a coroutine throws itself begins at that coroutine") {
    Deferred<int> source;
    const Deferred<int> translated = translate(source);
    source.errback(ValueError("no poem"));
    const Trail way = wayOf(translated);
    REQUIRE(way.size() == 1);
    // Clang names the coroutine's first line, GCC its last.
    CHECK(way[0].line() > translating);
    CHECK(way[0].line() <= translating + 7);
    CHECK(namesOf(way) == std::vector<std::string>{"translate"});
}

TEST_CASE("trail: a member's failure keeps its way in the list's FirstError") {
    const unsigned line = here();
    Deferred<int> member;
    std::vector<Deferred<int>> members{member};
    const auto list = defer::DeferredList(members, {.fireOnOneErrback = true, .consumeErrors = true});
    std::optional<Failure> first;
    list.addErrback([&](const Failure& failure) { first = failure; });
    member.errback(ValueError("no poem"));
    REQUIRE(first);
    CHECK(linesOf(first->trail()) == lines({line + 3}));
    CHECK(linesOf(first->trap<defer::FirstError>().subFailure.trail()) == lines({line + 6}));
}

TEST_CASE("trail: copies of a failure go on by themselves") {
    const Failure made = ValueError("no poem");
    Failure kept = made;
    Deferred<int> one;
    one.errback(made);
    Deferred<int> two;
    one.addErrback([&](const Failure& failure) {
        kept = failure;
        two.errback(failure);
        return failure;
    });
    const std::size_t before = kept.trail().size();
    CHECK(wayOf(one).size() == before + 1);
    two.addCallback([](int n) { return n; }).addCallback([](int n) { return n; });
    CHECK(wayOf(two).size() == before + 3);
    CHECK(kept.trail().size() == before);
    CHECK(made.trail().size() == 1);
}

// What the program is doing just now.

TEST_CASE("currentTrail: outside everything it is the caller") {
    const Trail trail = currentTrail();
    CHECK(linesOf(trail) == lines({here() - 1}));
}

TEST_CASE("currentTrail: in a callback it is the fire, the addCallback and the caller") {
    const unsigned line = here();
    std::string seen;
    Deferred<int> d;
    d.addCallback([](int n) { return n; });
    d.addCallback([&](int) { seen = linesOf(currentTrail()); });
    d.callback(1);
    CHECK(seen == lines({line + 5, line + 4, line + 4}));
    CHECK(linesOf(currentTrail()) == lines({here()}));
}

TEST_CASE("currentTrail: in a callback that runs at once, the addCallback is where it began") {
    const unsigned line = here();
    std::string seen;
    const auto look = [&](int) { seen = linesOf(currentTrail()); };
    defer::succeed(1).addCallback(look);
    CHECK(seen == lines({line + 3, line + 3, line + 2}));
}

TEST_CASE("currentTrail: a fire within a callback is within it") {
    const unsigned line = here();
    std::string seen;
    Deferred<int> outer;
    Deferred<int> inner;
    inner.addCallback([&](int) { seen = linesOf(currentTrail()); });
    const auto fire = [&](int n) { inner.callback(n); };
    outer.addCallback(fire);
    outer.callback(1);
    CHECK(seen == lines({line + 7, line + 6, line + 5, line + 4, line + 4}));
}

TEST_CASE("currentTrail: a chain that waited goes on within the fire that it waited for") {
    const unsigned line = here();
    std::string seen;
    Deferred<int> inner;
    Deferred<int> outer;
    outer.addCallback([&](int) { return inner; });
    outer.addCallback([&](int) { seen = linesOf(currentTrail()); });
    outer.callback(1);
    inner.callback(2);
    CHECK(seen == lines({line + 7, line + 5, line + 5}));
}

constexpr unsigned looking = __LINE__;
Deferred<void> look(Deferred<int> source, std::string& before, std::string& after) {
    before = linesOf(currentTrail());
    co_await source;
    after = linesOf(currentTrail());
}

TEST_CASE("currentTrail: a coroutine that was resumed is within the fire that resumed it, at its co_await") {
    std::string before;
    std::string after;
    Deferred<int> source;
    const Deferred<void> done = look(source, before, after);
    CHECK(before == lines({looking + 2}));
    const unsigned line = here() + 1;
    source.callback(1);
    CHECK(after == lines({line, looking + 3, looking + 4}));
    CHECK(done.called());
}

TEST_CASE("currentTrail: a coroutine that begins in a callback is within it") {
    const unsigned line = here();
    std::string before;
    std::string after;
    Deferred<int> source;
    Deferred<int> d;
    d.addCallback([&](int) { return look(source, before, after); });
    d.callback(1);
    CHECK(before == lines({line + 6, line + 5, looking + 2}));
    source.callback(1);
}

TEST_CASE("currentTrail: what an exception left is forgotten") {
    Deferred<int> throwing([] { throw ValueError("no cancelling"); });
    Deferred<int> d;
    d.addCallback([&](int) { throwing.cancel(); });
    d.callback(1);
    CHECK(wayOf(d.addErrback([](const Failure& failure) { return failure; }).addCallback([] {
              return 0;
          })).size() > 0);
    CHECK(linesOf(currentTrail()) == lines({here()}));
}

TEST_CASE(
    "currentTrail: of many fires within each other, the outermost and the innermost, and how many between") {
    constexpr int depth = 100;
    const unsigned line = here();
    std::optional<Trail> seen;
    std::vector<Deferred<int>> ds(depth);
    for (std::size_t i = 0; i + 1 < depth; ++i) {
        ds[i].addCallback([next = ds[i + 1]](int n) { next.callback(n); });
    }
    ds.back().addCallback([&](int) { seen = currentTrail(); });
    ds.front().callback(1);
    REQUIRE(seen);
    CHECK(seen->size() == 64);
    CHECK(seen->omitted() == 2 * depth + 1 - 64);
    CHECK((*seen)[0].line() == line + 7);
    CHECK((*seen)[1].line() == line + 4);
    CHECK((*seen)[63].line() == line + 6);
    CHECK(seen->str().find("... 137 more ...") != std::string::npos);
}

} // namespace
