#include <ropewalk/flow/march.hpp>

#include <doctest/doctest.h>

#include <any>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/task/clock.hpp>

namespace march = ropewalk::flow2003::march;

using march::Context;
using march::Flow;
using ropewalk::KeyError;
using ropewalk::RuntimeError;
using ropewalk::ValueError;
using ropewalk::WrongTypeError;
using ropewalk::task::Clock;

namespace {

using Log = std::vector<std::string>;

struct Printed {
    auto result(const std::string& before = {}) {
        return [this, before](int data) { log.push_back(before + std::to_string(data)); };
    }
    auto word(const char* what) {
        return [this, what] { log.emplace_back(what); };
    }
    auto list() {
        return [this](const std::vector<int>& list) {
            std::string text;
            for (const int n : list) {
                text += std::to_string(n) + ",";
            }
            log.push_back(text);
        };
    }

    Clock clock;
    Log log;
};

std::vector<int> upTo(int n) {
    std::vector<int> all;
    for (int i = 1; i <= n; ++i) {
        all.push_back(i);
    }
    return all;
}

} // namespace

TEST_CASE("a merge gives its aggregate at the end") {
    Printed p;
    Flow b;
    b.addBranch(upTo, p.word("finished"));
    b.addMerge(std::plus<int>(), 0);
    b.addCallable(p.result());
    b.execute(4, p.clock);
    CHECK(p.log == Log{"finished", "10"});
    b.execute(2, p.clock);
    CHECK(p.log.back() == "3");
}

TEST_CASE("a merge that got nothing gives nothing") {
    Printed p;
    Flow b;
    b.addBranch(upTo);
    b.addMerge(std::plus<int>(), 0);
    b.addCallable(p.result());
    b.execute(0, p.clock);
    CHECK(p.log.empty());
}

TEST_CASE("a start may be made anew each time") {
    Printed p;
    int starts = 0;
    Flow b;
    b.addBranch(upTo);
    b.addMerge([](int sum, int n) { return sum + n; }, [&] { return 100 * ++starts; });
    b.addCallable(p.result());
    b.execute(2, p.clock);
    b.execute(2, p.clock);
    CHECK(p.log == Log{"103", "203"});
}

TEST_CASE("merging to a list") {
    Printed p;
    Flow b;
    b.addBranch(upTo);
    b.addMergeToList<int>();
    b.addCallable(p.list());
    b.execute(3, p.clock);
    b.execute(1, p.clock);
    CHECK(p.log == Log{"1,2,3,", "1,"});

    Flow any;
    any.addBranch(upTo);
    any.addMergeToList();
    any.addCallable([&](const std::vector<std::any>& list) {
        p.log.push_back(std::to_string(std::any_cast<int>(list.at(1))));
    });
    any.execute(2, p.clock);
    CHECK(p.log.back() == "2");
}

TEST_CASE("a merge in place") {
    Printed p;
    const auto run = [&](auto function) {
        Flow b;
        b.addBranch(upTo);
        b.addMerge(function, std::vector<int>(), {.inplace = true});
        b.addCallable(p.list());
        b.execute(2, p.clock);
        return p.log.back();
    };
    CHECK(run([](std::vector<int>& list, int n) { list.push_back(n); }) == "1,2,");
    CHECK(run([](std::vector<int>& list, int n) {
              list.push_back(n);
              return "ignored";
          }) == "1,2,");
}

TEST_CASE("a merge whose function also says what goes on at once") {
    Printed p;
    Flow b;
    b.addBranch(upTo);
    b.addMerge([](int sum, int n) { return std::pair(sum + n, 10 * n); }, 0, {.reduce = false});
    b.addCallable(p.result());
    b.execute(3, p.clock);
    CHECK(p.log == Log{"10", "20", "30", "6"});

    p.log.clear();
    Flow some;
    some.addBranch(upTo);
    some.addMerge(
        [](int sum, int n) -> std::optional<std::tuple<int, std::optional<int>>> {
            if (n == 1) {
                return std::nullopt;
            }
            return std::tuple(sum + n, n == 2 ? std::optional(2) : std::nullopt);
        },
        0, {.reduce = false});
    some.addCallable(p.result());
    some.execute(3, p.clock);
    CHECK(p.log == Log{"2", "5"});

    p.log.clear();
    Flow inplace;
    inplace.addBranch(upTo);
    inplace.addMerge(
        [](int& sum, int n) {
            sum += n;
            return -n;
        },
        0, {.inplace = true, .reduce = false});
    inplace.addCallable(p.result());
    inplace.execute(2, p.clock);
    CHECK(p.log == Log{"-1", "-2", "3"});
}

TEST_CASE("with passThru the values go on, and the aggregate stays in its bucket") {
    Printed p;
    Flow b;
    b.addBranch(upTo);
    b.addMerge(std::plus<int>(), 0, {.bucket = "sum", .passThru = true});
    b.addCallable([&](Context& context, int n) {
        p.log.push_back(std::to_string(n) + " of " + std::to_string(context.get<int>("sum")));
    });
    b.execute(3, p.clock);
    CHECK(p.log == Log{"1 of 1", "2 of 3", "3 of 6"});
}

TEST_CASE("a merging function may take the context") {
    Printed p;
    Flow b;
    b.addBranch(upTo);
    b.addMerge(
        [](Context& context, int sum, int n) {
            context.set("last", n);
            return sum + n;
        },
        0);
    b.addCallable([&](Context& context, int sum) {
        p.log.push_back(std::to_string(sum) + " " + std::to_string(context.get<int>("last")));
    });
    b.execute(3, p.clock);
    CHECK(p.log == Log{"6 3"});
}

TEST_CASE("mistakes in a merge") {
    Printed p;
    Flow b;
    CHECK_THROWS_AS(b.addMerge(std::plus<int>(), 0, {.reduce = false}), ValueError);
    CHECK_THROWS_AS(
        b.addMerge([](int, int) { return std::pair(1, 2); }, 0, {.passThru = true, .reduce = false}),
        ValueError);

    b.addMerge(std::plus<int>(), "text");
    b.addDiscard();
    CHECK_THROWS_WITH_AS(b.execute(1, p.clock), doctest::Contains("addMerge"), WrongTypeError);

    Flow last;
    last.addMerge(std::plus<int>(), 0);
    CHECK_THROWS_WITH_AS(last.execute(1, p.clock), doctest::Contains("unconsumed data behind addMerge"),
                         RuntimeError);
}

TEST_CASE("in a context of its own each value has its own aggregate") {
    Printed p;
    Flow b;
    b.addBranch(upTo, p.word("finished"));
    b.addContext(p.word("flush"));
    b.addBranch(upTo);
    b.addMerge(std::plus<int>(), 0);
    b.addCallable(p.result());
    b.execute(3, p.clock);
    CHECK(p.log == Log{"flush", "1", "flush", "3", "flush", "6", "finished"});
}

TEST_CASE("contexts in contexts end from the inside out; merges give in the order in which they began") {
    Printed p;
    Flow b;
    b.addContext(
        [&](Context& context) { p.log.push_back("outer " + std::to_string(context.get<int>("n"))); });
    b.addCallable([](Context& context, int n) {
        context.set("n", n);
        return n;
    });
    b.addBranch(upTo);
    b.addContext(
        [&](Context& context) { p.log.push_back("inner " + std::to_string(context.get<int>("n"))); });
    b.addMerge(std::plus<int>(), 0, {.bucket = "all", .isGlobal = true});
    b.addCallable(p.result("global "));
    b.execute(2, p.clock);
    CHECK(p.log == Log{"inner 2", "inner 2", "outer 2", "global 3"});
}

TEST_CASE("what a context leads to when it ends goes through the stages behind, in that context") {
    Printed p;
    Flow b;
    b.addContext();
    b.addBranch(upTo);
    b.addMerge(std::plus<int>(), 0);
    b.addMergeToList<int>();
    b.addCallable(p.list());
    b.execute(3, p.clock);
    CHECK(p.log == Log{"6,"});
}

TEST_CASE("variables of contexts") {
    Context outer;
    CHECK_FALSE(outer.has("x"));
    CHECK_THROWS_AS(outer.get("x"), KeyError);
    outer.set("x", 1);
    outer.set("text", "t");
    Context inner(std::shared_ptr<Context>(std::shared_ptr<void>(), &outer));
    CHECK(inner.get<int>("x") == 1);
    CHECK(inner.get<std::string>("text") == "t");
    CHECK_THROWS_AS(inner.get<int>("text"), WrongTypeError);
    inner.set("x", 2);
    CHECK(inner.get<int>("x") == 2);
    CHECK(outer.get<int>("x") == 1);
}

TEST_CASE("a chain: the stages behind it first, then each of the flows") {
    Printed p;
    Flow a;
    a.addBranch(upTo, p.word("a finished"));
    a.addCallable(p.result("a "));
    Flow b;
    b.addBranch(upTo);
    b.addMerge(std::plus<int>(), 0);
    b.addCallable(p.result("b "));

    Flow c;
    c.addChain(a, b);
    c.execute(2, p.clock);
    CHECK(p.log == Log{"a 1", "a 2", "a finished", "b 3"});

    p.log.clear();
    c.addCallable(p.result("behind "));
    c.execute(1, p.clock);
    CHECK(p.log == Log{"behind 1", "a 1", "a finished", "b 1"});
}

TEST_CASE("a chain shares the stages of flows that may be gone, and of empty ones") {
    Printed p;
    Flow c;
    Flow empty;
    {
        Flow a;
        a.addCallable(p.result("a "));
        c.addChain(a, empty);
    }
    c.execute(1, p.clock);
    CHECK(p.log == Log{"a 1"});
    empty.addCallable(p.result("late "));
    c.execute(2, p.clock);
    CHECK(p.log == Log{"a 1", "a 2", "late 2"});
}

TEST_CASE("a flow in its own chain") {
    Printed p;
    Flow down;
    down.addCallable([&](int n) {
        p.log.push_back(std::to_string(n));
        return n == 0 ? std::nullopt : std::optional(n - 1);
    });
    down.addChain(down);
    down.execute(3, p.clock);
    CHECK(p.log == Log{"3", "2", "1", "0"});
}

TEST_CASE("a value that comes out of a chained flow is unconsumed") {
    Printed p;
    Flow a;
    a.addCallable([](int n) { return n; });
    Flow c;
    c.addChain(a);
    c.addDiscard();
    CHECK_THROWS_AS(c.execute(1, p.clock), RuntimeError);
}
