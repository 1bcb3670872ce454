#include "probes.hpp"

#include <ropewalk/defer/living.hpp>

#include <ropewalk/defer/config.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

// The list of living coroutines, and the task dump.
namespace {

using namespace ropewalk;
using defer::Deferred;
using probes::contains;
using probes::Words;

Deferred<void> waitsHere(Deferred<void> d) {
    co_await d;
}

Deferred<void> waitsThere(Deferred<void> d) {
    co_await waitsHere(std::move(d));
}

Words names() {
    Words all;
    for (const defer::LivingCoroutine& coroutine : defer::livingCoroutines()) all.push_back(coroutine.str());
    return all;
}

TEST_CASE("every suspended coroutine is in the list, the newest first, with where it waits and on what") {
    CHECK(names().empty());
    const Deferred<void> d;
    const std::string made = probes::here(1);
    waitsThere(d);
    const Words all = names();
    REQUIRE(all.size() == 2);
    const std::string file = made.substr(0, made.rfind(':'));
    CHECK(all[0].starts_with("coroutine waitsHere, waiting at " + file));
    CHECK(all[0].ends_with(" on a Deferred made at " + made));
    CHECK(all[1].starts_with("coroutine waitsThere, waiting at " + file));
    d.callback();
    CHECK(names().empty());
}

TEST_CASE("one that was abandoned is no more in it") {
    Deferred<void> d;
    waitsThere(d);
    CHECK(names().size() == 2);
    d = nullptr;
    CHECK(names().empty());
    CHECK(defer::flushLoggedErrors<AbandonedError>().size() == 2);
}

Deferred<void> looksAround(Deferred<void> d, Words& before, Words& after) {
    before = names();
    co_await d;
    after = names();
}

TEST_CASE("one that runs is in it, as such") {
    Words before;
    Words after;
    const Deferred<void> d;
    looksAround(d, before, after);
    CHECK(before == Words{"coroutine looksAround, running"});
    d.callback();
    CHECK(after == Words{"coroutine looksAround, running"});
    CHECK(names().empty());
}

TEST_CASE("any of them may go first") {
    Deferred<void> a;
    Deferred<void> b;
    Deferred<void> c;
    waitsHere(a);
    waitsHere(b);
    waitsHere(c);
    SUBCASE("the newest") {
        c.callback();
    }
    SUBCASE("the oldest") {
        a.callback();
    }
    SUBCASE("the one between") {
        b.callback();
    }
    CHECK(names().size() == 2);
    for (const Deferred<void>* d : {&a, &b, &c}) {
        if (!d->called()) d->callback();
    }
    CHECK(names().empty());
}

TEST_CASE("what it tells is where the coroutine began") {
    const Deferred<void> d;
    waitsHere(d);
    const std::vector<defer::LivingCoroutine> all = defer::livingCoroutines();
    REQUIRE(all.size() == 1);
    CHECK(all[0].suspended);
    CHECK(contains(all[0].began.file_name(), "living_test.cpp"));
    CHECK(contains(all[0].madeAt.file_name(), "living_test.cpp"));
    CHECK(all[0].madeAt.line() == probes::line(7));
    d.callback();
}

#if ROPEWALK_CHECKS
TEST_CASE("with checks, the list of unfired chains shows the handles, and what waits") {
    const std::size_t before = defer::livingDeferreds().size();
    Deferred<int> d;
    const std::string made = probes::here(1);
    const Deferred<int> copy = d;
    std::vector<defer::LivingDeferred> all = defer::livingDeferreds();
    REQUIRE(all.size() == before + 1);
    CHECK(all[0].str() == "Deferred made at " + made + ", 2 handles, unfired");
    const Deferred<int> outer = defer::succeed(1).addCallback([&](int) { return copy; });
    all = defer::livingDeferreds();
    REQUIRE(all.size() == before + 2);
    CHECK(contains(all[0].str(), "waiting"));
    d.callback(1);
    CHECK(defer::livingDeferreds().size() == before);
}

TEST_CASE("with checks, it shows the cycle of a callback that captures its own unfired Deferred") {
    const std::size_t before = defer::livingDeferreds().size();
    Deferred<int> d;
    d.addCallback([d](int) {});
    const Deferred<int> breaks = d;
    d = nullptr;
    const std::vector<defer::LivingDeferred> all = defer::livingDeferreds();
    REQUIRE(all.size() == before + 1);
    CHECK(all[0].handles == 2);
    breaks.callback(1);
    CHECK(defer::livingDeferreds().size() == before);
}

TEST_CASE("with checks, the task dump has a line for each coroutine and each chain") {
    const std::size_t before = defer::livingDeferreds().size();
    const Deferred<void> d;
    waitsHere(d);
    const std::string dump = defer::taskDump();
    CHECK(dump.starts_with("coroutine waitsHere, waiting at "));
    CHECK(contains(dump, "\nDeferred made at "));
    CHECK(defer::livingDeferreds().size() == before + 2);
    d.callback();
}
#else
TEST_CASE("without checks there is no list of chains, and the task dump shows coroutines only") {
    const Deferred<void> d;
    waitsHere(d);
    CHECK(defer::livingDeferreds().empty());
    const std::string dump = defer::taskDump();
    CHECK(dump.starts_with("coroutine waitsHere, waiting at "));
    CHECK(dump.find('\n') == dump.size() - 1);
    d.callback();
}
#endif

} // namespace
