#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "probes.hpp"

namespace defer = ropewalk::defer;

using defer::Deferred;
using probes::Words;
using ropewalk::Failure;
using ropewalk::NoResultError;
using ropewalk::ValueError;

namespace {

/// Whether None is the result: a function that takes nothing runs, one that wants the value gets a NoResultError.
template <class T>
bool holdsNone(const Deferred<T>& d) {
    bool ran = false;
    d.addCallback([&] { ran = true; });
    return ran;
}

bool holdsNone(const Deferred<int>& d) {
    bool ran = false;
    bool refused = false;
    d.addCallback([](int n) { return n; });
    d.addErrback([&](const Failure& f) { refused = f.check<NoResultError>() != nullptr; });
    d.addCallback([&] { ran = true; });
    return ran && refused;
}

TEST_CASE("21.1: a callback that returns an unfired Deferred suspends the outer one") {
    Words seen;
    Deferred<int> inner;
    Deferred<void> outer;
    outer.addCallback([&] { return inner; }).addBoth([&] { seen.push_back("outer went on"); });
    outer.callback();
    CHECK(seen.empty());
    CHECK(outer.paused() == 1);
    CHECK(outer.called());
    inner.callback(1);
    CHECK(outer.paused() == 0);
    CHECK(seen.size() == 1);
}

TEST_CASE("21.2: when the inner one fires, the outer goes on with its value") {
    int got = 0;
    Deferred<int> inner;
    Deferred<std::string> outer;
    outer.addCallback([&](const std::string&) { return inner; }).addCallback([&](int n) { got = n; });
    outer.callback("start");
    inner.callback(9);
    CHECK(got == 9);
}

TEST_CASE("21.3: the inner's own result is None then, for what is added to it later") {
    Deferred<int> inner;
    Deferred<void> outer;
    const Deferred<int> end = outer.addCallback([&] { return inner; });
    outer.callback();
    inner.callback(9);
    CHECK(holdsNone(inner));
    CHECK(defer::successResultOf(end) == 9);
}

TEST_CASE("22.1: of a Deferred that has fired the value is taken at once") {
    int got = 0;
    Deferred<void> outer;
    outer.addCallback([] { return defer::succeed(4); }).addCallback([&](int n) { got = n; });
    outer.callback();
    CHECK(got == 4);
    CHECK(outer.paused() == 0);
}

TEST_CASE("22.2: and its own result is None") {
    const Deferred<int> inner = defer::succeed(4);
    const Deferred<int> end = defer::succeed().addCallback([&] { return inner; });
    CHECK(holdsNone(inner));
    CHECK(defer::successResultOf(end) == 4);
}

TEST_CASE(
    "23.1, 23.2, 23.3: an inner failure moves to the outer, leaves None, and is reported by the outer alone") {
    const Failure sent(ValueError("sent"));
    Deferred<int> inner;
    Deferred<int> end = nullptr;
    SUBCASE("waited for") {
        Deferred<void> outer;
        end = outer.addCallback([&] { return inner; });
        outer.callback();
        inner.errback(sent);
    }
    SUBCASE("there already") {
        inner.errback(sent);
        end = defer::succeed().addCallback([&] { return inner; });
    }
    SUBCASE("returned by an errback") {
        Deferred<int> outer = defer::fail(ropewalk::RuntimeError("first"));
        end = outer.addErrback([&](const Failure&) { return inner; });
        inner.errback(sent);
    }
    CHECK(probes::contains(inner.str(), "current result: None"));
    probes::Events events;
    inner = nullptr;
    CHECK(events.all.empty());
    CHECK(defer::failureResultOf(end) == sent);
    end = nullptr;
    CHECK(events.all.empty());
}

TEST_CASE("24.1: a waits on b, b waits on c: firing c completes a") {
    Deferred<void> a;
    Deferred<void> b;
    Deferred<int> c;
    const Deferred<int> bEnd = b.addCallback([&] { return c; });
    const Deferred<int> aEnd = a.addCallback([&] { return bEnd; });
    a.callback();
    b.callback();
    defer::assertNoResult(aEnd);
    c.callback(3);
    CHECK(defer::successResultOf(aEnd) == 3);
    CHECK(holdsNone(bEnd));
    CHECK(holdsNone(c));
}

TEST_CASE(
    "25.1, 25.2: callbacks that the inner still has run first, and the outer sees what they made of the value") {
    Words seen;
    Deferred<int> inner;
    const Deferred<std::string> innerEnd = inner
                                               .addCallback([&](int n) {
                                                   seen.push_back("first " + std::to_string(n));
                                                   return n + 1;
                                               })
                                               .addCallback([&](int n) {
                                                   seen.push_back("second " + std::to_string(n));
                                                   return std::to_string(n) + '!';
                                               });
    Deferred<void> outer;
    outer.addCallback([&] { return innerEnd; }).addCallback([&](const std::string& s) {
        seen.push_back("outer " + s);
    });
    outer.callback();
    inner.callback(1);
    CHECK(seen == Words{"first 1", "second 2", "outer 2!"});
}

TEST_CASE("25.1, 25.2: the same for an inner whose callbacks are just running") {
    Words seen;
    Deferred<int> inner;
    Deferred<void> outer;
    Deferred<int> innerEnd = inner.addCallback([&](int n) {
        outer.callback();
        seen.push_back("outer was fired");
        return n;
    });
    innerEnd = innerEnd.addCallback([&](int n) {
        seen.push_back("inner");
        return n + 1;
    });
    outer.addCallback([&] { return innerEnd; }).addCallback([&](int n) {
        seen.push_back("outer " + std::to_string(n));
    });
    inner.callback(1);
    CHECK(seen == Words{"outer was fired", "inner", "outer 2"});
}

TEST_CASE("21.2: a chain that waited goes on before the rest of the chain that it waited for") {
    Words seen;
    Deferred<int> inner;
    Deferred<void> outer;
    outer.addCallback([&] { return inner; }).addCallback([&](int) { seen.push_back("outer"); });
    outer.callback();
    inner.addCallback([&] { seen.push_back("inner"); });
    inner.callback(1);
    CHECK(seen == Words{"outer", "inner"});
}

TEST_CASE("26.1: an errback may return an unfired Deferred, with the same effect") {
    Deferred<int> inner;
    Deferred<int> outer;
    const Deferred<int> end = outer.addErrback([&](const Failure&) { return inner; });
    outer.errback(ValueError("x"));
    CHECK(outer.paused() == 1);
    defer::assertNoResult(end);
    inner.callback(2);
    CHECK(defer::successResultOf(end) == 2);
    CHECK(holdsNone(inner));
}

TEST_CASE("26.2: or one that has fired") {
    Deferred<int> outer;
    const Deferred<int> inner = defer::succeed(2);
    outer.addErrback([&](const Failure&) { return inner; });
    outer.errback(ValueError("x"));
    CHECK(defer::successResultOf(outer) == 2);
    CHECK(holdsNone(inner));
}

/// Where the stack stands, to a few frames of this file's own.
[[gnu::noinline]] std::uintptr_t stackPlace() {
    return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

std::uintptr_t placeAfterReturned(int count) {
    std::uintptr_t place = 0;
    Deferred<int> first;
    Deferred<int> last = first;
    for (int i = 0; i < count; ++i) {
        const Deferred<int> outer = defer::succeed(0);
        outer.addCallback([last] { return last; });
        last = outer;
    }
    last.addCallback([&](int) { place = stackPlace(); });
    first.callback(1);
    return place;
}

std::uintptr_t placeAfterChained(int count) {
    std::uintptr_t place = 0;
    Deferred<int> first;
    Deferred<int> last = first;
    for (int i = 0; i < count; ++i) {
        Deferred<int> next;
        last.chainDeferred(next);
        last = next;
    }
    last.addCallback([&](int) { place = stackPlace(); });
    first.callback(1);
    return place;
}

TEST_CASE("27.1: the stack is as deep at the end of 1, 2 or 3000 Deferreds that wait for each other") {
    const std::uintptr_t one = placeAfterReturned(1);
    CHECK(one != 0);
    CHECK(placeAfterReturned(2) == one);
    CHECK(placeAfterReturned(3000) == one);
}

TEST_CASE("28.1: and at the end of as many that chainDeferred joined") {
    const std::uintptr_t one = placeAfterChained(1);
    CHECK(one != 0);
    CHECK(placeAfterChained(2) == one);
    CHECK(placeAfterChained(3000) == one);
}

TEST_CASE("29.1: a.chainDeferred(b) returns a") {
    const Deferred<int> a;
    const Deferred<int> b;
    CHECK(a.chainDeferred(b) == a);
}

TEST_CASE("29.2, 29.4: b gets a's value, and a's result is None") {
    const Deferred<int> a;
    const Deferred<int> b;
    const Deferred<int> end = b.addCallback([](int n) { return n * 2; });
    SUBCASE("chained first") {
        a.chainDeferred(b);
        a.callback(4);
    }
    SUBCASE("fired first") {
        a.callback(4);
        a.chainDeferred(b);
    }
    CHECK(defer::successResultOf(end) == 8);
    CHECK(holdsNone(a));
}

TEST_CASE("29.2: b's callbacks run before those that a has behind the chaining") {
    Words seen;
    const Deferred<int> a;
    const Deferred<int> b;
    b.addCallback([&](int n) { seen.push_back("b " + std::to_string(n)); });
    a.chainDeferred(b).addCallback([&] { seen.push_back("a"); });
    a.callback(4);
    CHECK(seen == Words{"b 4", "a"});
}

TEST_CASE("29.3, 29.4: b gets a's failure, and a's result is None, so that only b reports it") {
    const Failure sent(ValueError("sent"));
    Deferred<int> a;
    const Deferred<int> b;
    a.chainDeferred(b);
    a.errback(sent);
    CHECK(defer::failureResultOf(b) == sent);
    CHECK(holdsNone(a));
    probes::Events events;
    a = nullptr;
    CHECK(events.all.empty());
}

TEST_CASE("29.5: if b has fired already, a's result is an AlreadyCalledError") {
    Deferred<int> a;
    const Deferred<int> b = defer::succeed(1);
    a.chainDeferred(b);
    a.callback(2);
    CHECK(defer::failureResultOf<defer::AlreadyCalledError>(a).check<defer::AlreadyCalledError>() != nullptr);
    CHECK(defer::successResultOf(b) == 1);
}

std::string address(const Deferred<int>& d) {
    const std::string text = d.str();
    const std::size_t begin = text.find("Deferred at 0x");
    return text.substr(begin, text.find_first_of(" >", begin + 14) - begin);
}

TEST_CASE("29.6: b says what it waits on from the moment of the chaining") {
    const Deferred<int> a;
    const Deferred<int> b;
    a.chainDeferred(b);
    CHECK(b.str() == '<' + address(b) + " waiting on " + address(a) + '>');
    CHECK(a.str() == '<' + address(a) + '>');
}

TEST_CASE("29.7: until it has fired") {
    Deferred<int> a;
    const Deferred<int> b;
    a.chainDeferred(b);
    SUBCASE("by a") {
        a.callback(5);
        CHECK(b.str() == '<' + address(b) + " current result: 5>");
    }
    SUBCASE("by itself") {
        b.callback(6);
        CHECK(b.str() == '<' + address(b) + " current result: 6>");
    }
    SUBCASE("by a's end") {
        a = nullptr;
        CHECK(b.str() == '<' + address(b) + '>');
    }
}

TEST_CASE(
    "30.1, 30.2: of two that wait on the same inner, the first to chain gets the value, the second None") {
    Words seen;
    Deferred<int> inner;
    Deferred<void> first;
    Deferred<void> second;
    const auto wait = [&](const Deferred<void>& outer, const std::string& name) {
        outer.addCallback([&] { return inner; })
            .addCallback([&, name](int n) { seen.push_back(name + ' ' + std::to_string(n)); })
            .addErrback([&, name](const Failure& f) {
                seen.push_back(name + (f.check<NoResultError>() != nullptr ? " None" : " error"));
            });
        outer.callback();
    };
    wait(first, "first");
    wait(second, "second");
    inner.callback(7);
    CHECK(seen == Words{"first 7", "second None"});
}

TEST_CASE("31.1: an unfired Deferred prints as `<Deferred at 0xADDRESS>`") {
    const Deferred<int> d;
    const std::string text = d.str();
    CHECK(text.rfind("<Deferred at 0x", 0) == 0);
    CHECK(text.find_first_not_of("0123456789abcdef", 15) == text.size() - 1);
    CHECK(text.back() == '>');
    const Deferred<int> other;
    CHECK(other.str() != text);
    const Deferred<int> same = d;
    CHECK(same.str() == text);
}

template <class T>
std::string resultPart(const Deferred<T>& d) {
    const std::string text = d.str();
    const std::size_t space = text.find(' ', 13);
    return space == std::string::npos ? "" : text.substr(space);
}

TEST_CASE("31.2: a fired one adds its current result") {
    CHECK(resultPart(defer::succeed(std::string("o"))) == " current result: 'o'>");
    CHECK(resultPart(defer::succeed(42)) == " current result: 42>");
    CHECK(resultPart(defer::succeed(true)) == " current result: True>");
    CHECK(resultPart(defer::succeed(0.5)) == " current result: 0.5>");
    CHECK(resultPart(defer::succeed()) == " current result: None>");
    CHECK(resultPart(defer::succeed(std::vector<int>{1})) == " current result: <std::vector<int>>>");
    const Deferred<int> failed = defer::fail(ValueError("bad"));
    CHECK(resultPart(failed) == " current result: <ropewalk::Failure ropewalk::ValueError: bad>>");
    failed.addErrback([] {});
    CHECK(resultPart(failed) == " current result: None>");
}

TEST_CASE("31.1, 31.2: operator<< prints the same") {
    std::ostringstream out;
    const Deferred<int> unfired;
    const Deferred<int> fired = defer::succeed(7);
    out << unfired << ' ' << fired << ' ' << Deferred<int>(nullptr);
    CHECK(out.str() == unfired.str() + ' ' + fired.str() + " <Deferred: empty handle>");
}

TEST_CASE("31.3: one that waits adds what it waits for") {
    const Deferred<int> inner;
    const Deferred<int> outer = defer::succeed().addCallback([&] { return inner; });
    CHECK(outer.str() == '<' + address(outer) + " waiting on " + address(inner) + '>');
    inner.callback(1);
    CHECK(outer.str() == '<' + address(outer) + " current result: 1>");
    CHECK(resultPart(inner) == " current result: None>");
}

} // namespace
