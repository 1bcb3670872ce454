#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <vector>

#include "probes.hpp"

namespace defer = ropewalk::defer;

using defer::Deferred;
using probes::Words;
using ropewalk::Failure;
using ropewalk::Result;
using ropewalk::RuntimeError;
using ropewalk::ValueError;

namespace {

TEST_CASE("1.1: callbacks run in the order in which they were added") {
    std::vector<int> order;
    Deferred<void> d;
    for (int i = 0; i < 10; ++i) d.addCallback([&order, i] { order.push_back(i); });
    CHECK(order.empty());
    d.callback();
    CHECK(order == std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("1.1: so do pairs, errbacks and both-sided functions among them") {
    Words order;
    Deferred<void> d;
    d.addErrback([&] { order.push_back("errback"); });
    d.addBoth([&] { order.push_back("both"); });
    d.addCallbacks([&] { order.push_back("left"); }, [&] { order.push_back("right"); });
    d.addCallback([&] { order.push_back("callback"); });
    d.errback(ValueError("first"));
    CHECK(order == Words{"errback", "both", "left", "callback"});
}

TEST_CASE("1.2: each callback gets what the one before it returned") {
    Words seen;
    Deferred<int> d;
    d.addCallback([&](int n) {
         seen.push_back("int " + std::to_string(n));
         return n / 2.0;
     })
        .addCallback([&](double x) {
            seen.push_back("double " + std::to_string(x).substr(0, 4));
            return std::string("text");
        })
        .addCallback([&](const std::string& s) { seen.push_back("string " + s); });
    d.callback(3);
    CHECK(seen == Words{"int 3", "double 1.50", "string text"});
}

TEST_CASE("1.3: what the last callback returned is the Deferred's result from then on") {
    Deferred<int> d;
    const Deferred<int> end =
        d.addCallback([](int n) { return n + 1; }).addCallback([](int n) { return n * 10; });
    d.callback(4);
    CHECK(probes::contains(d.str(), " current result: 50>"));
    CHECK(defer::successResultOf(end) == 50);
}

TEST_CASE("2.1: extra arguments follow the result, in their order") {
    Words seen;
    Deferred<std::string> d;
    d.addCallback([&](std::string s, int a) { return s + std::to_string(a); }, 1)
        .addCallback([](std::string s, int a, char b) { return s + std::to_string(a) + b; }, 2, 'b')
        .addCallback(
            [](std::string s, int a, char b, std::string c) { return s + std::to_string(a) + b + c; }, 3, 'd',
            "e")
        .addCallback([](std::string s, int a, char b, std::string c,
                        double x) { return s + std::to_string(a) + b + c + std::to_string(x).substr(0, 3); },
                     4, 'f', "g", 0.5)
        .addCallback([&](std::string s) { seen.push_back(s); });
    d.callback("r");
    CHECK(seen == Words{"r12b3de4fg0.5"});
}

TEST_CASE("2.2: the same for errbacks") {
    Words seen;
    Deferred<void> d;
    const auto keep = [&](const Failure& f, auto... extra) {
        std::string line = f.getErrorMessage();
        ((line += ' ' + std::to_string(extra)), ...);
        seen.push_back(line);
        return f;
    };
    d.addErrback(keep, 1)
        .addErrback(keep, 1, 2)
        .addErrback(keep, 1, 2, 3)
        .addErrback(keep, 1, 2, 3, 4)
        .addErrback([] {});
    d.errback(ValueError("bad"));
    CHECK(seen == Words{"bad 1", "bad 1 2", "bad 1 2 3", "bad 1 2 3 4"});
}

TEST_CASE("2.3: and for functions on both sides, whichever side it is") {
    Words seen;
    const auto keep = [&](Result<int> r, auto... extra) {
        std::string line = r ? std::to_string(*r) : r.error().getErrorMessage();
        ((line += ' ' + std::to_string(extra)), ...);
        seen.push_back(line);
        return r;
    };
    const auto run = [&](const Deferred<int>& d) {
        d.addBoth(keep, 1)
            .addBoth(keep, 1, 2)
            .addBoth(keep, 1, 2, 3)
            .addBoth(keep, 1, 2, 3, 4)
            .addErrback([] {});
    };
    run(defer::succeed(7));
    run(defer::fail(ValueError("bad")));
    CHECK(seen ==
          Words{"7 1", "7 1 2", "7 1 2 3", "7 1 2 3 4", "bad 1", "bad 1 2", "bad 1 2 3", "bad 1 2 3 4"});
}

TEST_CASE("3.1: addCallbacks without an errback lets a failure pass unchanged") {
    Deferred<int> d;
    bool called = false;
    d.addCallbacks([&](int n) {
        called = true;
        return n;
    });
    const Failure sent(ValueError("kept"));
    d.errback(sent);
    CHECK_FALSE(called);
    CHECK(defer::failureResultOf<ValueError>(d) == sent);
}

TEST_CASE("3.2: nullptr is the same as nothing, on either side") {
    Deferred<int> d;
    const Deferred<std::string> text = d.addCallbacks([](int n) { return std::to_string(n); }, nullptr);
    const Deferred<std::string> same = text.addCallbacks(nullptr, [](const Failure&) { return "error"; });
    CHECK(same == d);
    SUBCASE("a value passes the side without a callback") {
        d.callback(5);
        CHECK(defer::successResultOf(same) == "5");
    }
    SUBCASE("a failure passes the side without an errback") {
        d.errback(ValueError("x"));
        CHECK(defer::successResultOf(same) == "error");
    }
}

TEST_CASE("4.1: one side of a pair runs, and the other doesn't") {
    Words seen;
    Deferred<void> d;
    d.addCallbacks([&] { seen.push_back("callback"); }, [&] { seen.push_back("errback"); });
    SUBCASE("the callback for a value") {
        d.callback();
        CHECK(seen == Words{"callback"});
    }
    SUBCASE("the errback for a failure") {
        d.errback(ValueError("x"));
        CHECK(seen == Words{"errback"});
    }
}

TEST_CASE(
    "4.2, 4.3: what a callback throws is seen by the errback of the next pair, not by that of its own") {
    Words seen;
    Deferred<int> d;
    d.addCallbacks([](int) -> int { throw ValueError("thrown"); },
                   [&](const Failure&) {
                       seen.push_back("own errback");
                       return 0;
                   })
        .addCallbacks(
            [&](int n) {
                seen.push_back("next callback");
                return n;
            },
            [&](const Failure& f) {
                seen.push_back("next errback: " + f.getErrorMessage());
                return 0;
            });
    d.callback(1);
    CHECK(seen == Words{"next errback: thrown"});
}

TEST_CASE("4.2: what an errback throws takes the place of the failure it was given") {
    Words seen;
    Deferred<int> d;
    d.addErrback([](const Failure&) -> int { throw RuntimeError("second"); });
    d.addErrback([&](const Failure& f) { seen.push_back(f.getErrorMessage()); });
    d.errback(ValueError("first"));
    CHECK(seen == Words{"second"});
}

struct NoException {
    int code;
};

TEST_CASE("5.1: whatever is thrown becomes a Failure, an exception of the standard's or not") {
    Deferred<int> d;
    int code = 0;
    std::string text;
    d.addCallback([](int) -> int { throw NoException{42}; });
    d.addErrback([&](const Failure& f) -> int {
        code = f.check<NoException>()->code;
        throw std::string("just a text");
    });
    d.addErrback([&](const Failure& f) {
        text = *f.check<std::string>();
        return 1;
    });
    d.callback(0);
    CHECK(code == 42);
    CHECK(text == "just a text");
    CHECK(defer::successResultOf(d) == 1);
}

TEST_CASE("5.2: a callback that returns a Failure goes on as that failure, to the errbacks") {
    const Failure returned(ValueError("returned"));
    Words seen;
    Deferred<int> d;
    d.addCallback([&](int) { return returned; })
        .addCallback([&](int) { seen.push_back("callback"); })
        .addErrback([&](const Failure& f) { seen.push_back(f == returned ? "the same" : "another"); });
    d.callback(1);
    CHECK(seen == Words{"the same"});
}

TEST_CASE("6.1: an errback's value goes to the callbacks that follow") {
    Words seen;
    Deferred<int> d;
    d.addErrback([](const Failure&) { return 5; });
    d.addErrback([&](const Failure&) { seen.push_back("errback"); });
    d.addCallback([&](int n) { seen.push_back(std::to_string(n)); });
    d.errback(ValueError("x"));
    CHECK(seen == Words{"5"});
}

TEST_CASE("6.2: so does the None of one that returns nothing") {
    Words seen;
    Deferred<int> d;
    d.addErrback([](const Failure&) {});
    d.addErrback([&](const Failure&) { seen.push_back("errback"); });
    d.addCallback([&] { seen.push_back("callback"); });
    d.errback(ValueError("x"));
    CHECK(seen == Words{"callback"});
}

TEST_CASE("7.1: an errback that returns its failure keeps failing, with the same exception object") {
    std::vector<const ValueError*> seen;
    Deferred<int> d;
    for (int i = 0; i < 3; ++i) {
        d.addErrback([&](const Failure& f) {
            seen.push_back(f.check<ValueError>());
            return f;
        });
    }
    d.addErrback([] {});
    d.errback(ValueError("x"));
    REQUIRE(seen.size() == 3);
    CHECK(seen[0] != nullptr);
    CHECK(seen[1] == seen[0]);
    CHECK(seen[2] == seen[0]);
}

TEST_CASE("7.2: a trap for another class keeps failing likewise") {
    std::vector<const ValueError*> seen;
    Deferred<int> d;
    for (int i = 0; i < 3; ++i) {
        d.addErrback([&](const Failure& f) {
            seen.push_back(f.check<ValueError>());
            f.trap<ropewalk::KeyError, RuntimeError>();
            return 7;
        });
    }
    d.addErrback([&](const Failure& f) { return f.trap<ValueError>().what() == std::string("x") ? 1 : 2; });
    d.errback(ValueError("x"));
    REQUIRE(seen.size() == 3);
    CHECK(seen[0] != nullptr);
    CHECK(seen[1] == seen[0]);
    CHECK(seen[2] == seen[0]);
    CHECK(defer::successResultOf(d) == 1);
}

template <class T>
void checkFailureAsValue() {
    const Failure sent(ValueError("sent"));
    Words seen;
    Deferred<T> d;
    d.addCallbacks([&] { seen.push_back("callback"); },
                   [&](const Failure& f) { seen.push_back(f == sent ? "the same" : "another"); });
    d.callback(sent);
    CHECK(seen == Words{"the same"});
    CHECK(d.called());
    CHECK_THROWS_AS(d.errback(sent), defer::AlreadyCalledError);
}

TEST_CASE("8.1: callback(Failure) is errback, whatever the type") {
    checkFailureAsValue<int>();
    checkFailureAsValue<void>();
    checkFailureAsValue<std::string>();
    checkFailureAsValue<std::vector<Failure>>();
}

} // namespace
