#include <ropewalk/flow/march.hpp>

#include <doctest/doctest.h>

#include <any>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/flow/generator.hpp>
#include <ropewalk/task/clock.hpp>
#include <ropewalk/task/errors.hpp>
#include <ropewalk/task/generator.hpp>

namespace flow = ropewalk::flow;
namespace march = ropewalk::flow2003::march;

using march::Context;
using march::Flow;
using ropewalk::RuntimeError;
using ropewalk::StopIteration;
using ropewalk::ValueError;
using ropewalk::WrongTypeError;
using ropewalk::task::Clock;

namespace {

using Log = std::vector<std::string>;

/// What flows print.
struct Printed {
    auto result() {
        return [this](int data) { log.push_back(std::to_string(data)); };
    }
    auto text() {
        return [this](std::string_view data) { log.emplace_back(data); };
    }
    auto word(const char* what) {
        return [this, what] { log.emplace_back(what); };
    }

    Clock clock;
    Log log;
};

int addOne(int data) {
    return data + 1;
}

std::vector<int> dataSource(int data) {
    return {1, 1 + data, 1 + data * 2};
}

struct CountsDown {
    int data;
    int next() {
        if (data < 0) {
            throw StopIteration();
        }
        return data--;
    }
};

} // namespace

TEST_CASE("a branch, a function and a sink, executed twice") {
    Printed p;
    Flow a;
    a.addBranch(dataSource, p.word("finished"));
    a.addFunction(addOne);
    a.addFunction(p.result());
    a.execute(2, p.clock);
    a.execute(8, p.clock);
    CHECK(p.log == Log{"2", "4", "6", "finished", "2", "10", "18", "finished"});
    CHECK(p.clock.getDelayedCalls().empty());
}

TEST_CASE("what a branch may iterate over") {
    Printed p;
    const auto run = [&](auto branch) {
        p.log.clear();
        Flow b;
        b.addBranch(branch);
        b.addCallable(p.result());
        b.execute(2, p.clock);
        return p.log;
    };
    CHECK(run([](int data) { return std::vector{data}; }) == Log{"2"});
    CHECK(run([](int data) { return CountsDown{data}; }) == Log{"2", "1", "0"});
    CHECK(run([](int data) -> ropewalk::task::Generator<int> { co_yield data; }) == Log{"2"});
    CHECK(run([](int data) -> flow::Generator<int> { co_yield data; }) == Log{"2"});
    CHECK(run([] { return std::vector{7}; }) == Log{"7"});
    CHECK(run([](int) { return std::optional<std::vector<int>>(); }).empty());
    CHECK(run([](int) { return std::optional(std::vector{8}); }) == Log{"8"});
    CHECK(run([](int) {}).empty());
}

TEST_CASE("each value goes all the way before the next one is made") {
    Printed p;
    Flow a;
    a.addBranch(
        [&](int n) -> ropewalk::task::Generator<int> {
            for (int i = 1; i <= n; ++i) {
                p.log.push_back("make " + std::to_string(i));
                co_yield i;
            }
        },
        p.word("end"));
    a.addBranch([](int n) { return std::vector{10 * n, 10 * n + 1}; }, p.word("inner end"));
    a.addCallable(p.result());
    a.execute(2, p.clock);
    CHECK(p.log == Log{"make 1", "10", "11", "inner end", "make 2", "20", "21", "inner end", "end"});
}

TEST_CASE("nothing isn't passed on: void, an empty optional, None") {
    Printed p;
    const auto run = [&](auto function) {
        p.log.clear();
        Flow b;
        b.addCallable(function);
        b.addCallable(p.word("passed"));
        b.execute(1, p.clock);
        return p.log.size();
    };
    CHECK(run([](int) {}) == 0);
    CHECK(run([](int) { return std::optional<int>(); }) == 0);
    CHECK(run([](int) { return ropewalk::None{}; }) == 0);
    CHECK(run([](int) { return std::any(); }) == 0);
    CHECK(run([](int) { return std::optional(0); }) == 1);
    CHECK(run([](int) { return false; }) == 1);
}

TEST_CASE("what equals stop isn't passed on") {
    Printed p;
    Flow b;
    b.addBranch([] { return std::vector{1, -1, 2}; });
    b.addCallable([](int n) { return n; }, -1);
    b.addCallable(p.result());
    b.execute({}, p.clock);
    CHECK(p.log == Log{"1", "2"});
}

TEST_CASE("what a function's parameters may be") {
    Printed p;
    Flow b;
    b.addCallable([] { return "text"; });
    b.addCallable([](const std::string& data) { return data + "1"; });
    b.addCallable([](std::string_view data) { return std::string(data) + "2"; });
    b.addCallable([](std::string&& data) { return std::move(data) + "3"; });
    b.addCallable([](const std::any& data) { return data; });
    b.addCallable([](Context&, const std::string& data) { return data + "4"; });
    b.addCallable(
        std::function<std::string(std::string)>([](const std::string& data) { return data + "5"; }));
    b.addCallable([&](Context& context) {
        context.set("seen", true);
        return context.get<bool>("seen") ? "seen" : "";
    });
    b.addCallable(p.text());
    b.execute({}, p.clock);
    CHECK(p.log == Log{"seen"});

    Flow c;
    c.addCallable([](const std::string& data) { return data + "."; });
    c.addCallable(p.text());
    c.execute("data", p.clock);
    CHECK(p.log.back() == "data.");
}

TEST_CASE("a value of another type is an error that names the stage") {
    Printed p;
    Flow b;
    b.addFunction(addOne);
    try {
        b.execute("text", p.clock);
        FAIL("no error");
    } catch (const WrongTypeError& error) {
        const std::string_view message = error.what();
        CHECK(message.starts_with("wanted int, found std::string; the addFunction was made at "));
        CHECK(message.contains("march_test.cpp:"));
    }
    CHECK_THROWS_AS(b.execute({}, p.clock), WrongTypeError);
    CHECK_THROWS_AS(b.execute(1.5, p.clock), WrongTypeError);

    Flow branch;
    branch.addBranch(dataSource);
    CHECK_THROWS_WITH_AS(branch.execute("text", p.clock), doctest::Contains("addBranch"), WrongTypeError);
}

TEST_CASE("a value that nobody takes is an error; addDiscard takes it") {
    Printed p;
    Flow b;
    b.addFunction(addOne);
    CHECK_THROWS_WITH_AS(b.execute(1, p.clock), doctest::Contains("unconsumed data behind addFunction at "),
                         RuntimeError);
    b.addDiscard();
    b.execute(1, p.clock);
}

TEST_CASE("a flow without stages does nothing") {
    Flow a;
    a.execute();
    Clock clock;
    a.execute(1, clock);
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("what a stage throws comes out of execute, and ends it") {
    Printed p;
    Flow b;
    b.addBranch(dataSource, p.word("finished"));
    b.addCallable([](int n) {
        if (n > 1) {
            throw ValueError("too much");
        }
    });
    CHECK_THROWS_WITH_AS(b.execute(2, p.clock), "too much", ValueError);
    CHECK(p.log.empty());
    CHECK(p.clock.getDelayedCalls().empty());

    Flow c;
    c.addBranch([](int) -> flow::Generator<int> {
        co_yield 1;
        throw ValueError("source");
    });
    c.addCallable(p.result());
    CHECK_THROWS_WITH_AS(c.execute(2, p.clock), "source", ValueError);
    CHECK(p.log == Log{"1"});
    CHECK(ropewalk::defer::flushLoggedErrors<ValueError>().empty());
}

TEST_CASE("stages can be added in one expression, and the flow can be moved") {
    Printed p;
    Flow a;
    a.addBranch(dataSource).addCallable(addOne).addFunction(p.result()).addDiscard();
    const auto b = std::make_unique<Flow>(std::move(a));
    b->execute(1, p.clock);
    CHECK(p.log == Log{"2", "3", "4"});
}

TEST_CASE("generators are closed when the execution ends") {
    Printed p;
    struct Note {
        Log& log;
        ~Note() { log.emplace_back("closed"); }
    };
    Flow a;
    a.addBranch([&p](int) -> flow::Generator<int> {
        const Note note{p.log};
        co_yield 1;
        co_yield 2;
    });
    a.addCallable([](int) { throw ValueError(); });
    CHECK_THROWS_AS(a.execute(1, p.clock), ValueError);
    CHECK(p.log == Log{"closed"});
}

TEST_CASE("a function may execute its own flow again") {
    Printed p;
    Flow a;
    a.addBranch(dataSource);
    a.addCallable([&](int n) {
        p.log.push_back(std::to_string(n));
        if (n == 3) {
            a.execute(0, p.clock);
        }
    });
    a.execute(2, p.clock);
    CHECK(p.log == Log{"1", "3", "1", "1", "1", "5"});
}
