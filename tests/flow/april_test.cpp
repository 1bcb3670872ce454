#include <ropewalk/flow/april.hpp>

#include <doctest/doctest.h>

#include <any>
#include <chrono>
#include <expected>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/flow/errors.hpp>

namespace april = ropewalk::flow2003::april;
namespace flow = ropewalk::flow;

using namespace std::chrono_literals;
using april::Cooperate;
using april::Flow;
using april::Generator;
using april::Steps;
using ropewalk::Failure;
using ropewalk::IOError;
using ropewalk::Seconds;
using ropewalk::StopIteration;
using ropewalk::ValueError;
using ropewalk::WrongTypeError;
using ropewalk::defer::flushLoggedErrors;

namespace {

using Pair = std::tuple<std::any, std::any>;

Steps producer() {
    Generator lst({1, 2, 3});
    Generator nam({"one", "two", "three"});
    while (true) {
        co_yield lst;
        co_yield nam;
        if (lst.stop || nam.stop) {
            co_return;
        }
        co_yield Pair(lst.result, nam.result);
    }
}

Steps consumer() {
    Generator title({"Title"});
    Generator lst(producer());
    co_yield title;
    co_yield title.getResult();
    try {
        while (true) {
            co_yield lst;
            co_yield lst.getResult();
        }
    } catch (const StopIteration&) {
        co_return;
    }
}

/// The producer as an iterator that goes from state to state.
class Producer {
public:
    april::Yield next() {
        switch (state_++ % 3) {
            case 0:
                return *lst_;
            case 1:
                return *nam_;
            default:
                if (lst_->stop || nam_->stop) {
                    throw StopIteration();
                }
                return Pair(lst_->result, nam_->result);
        }
    }

private:
    std::unique_ptr<Generator> lst_ = std::make_unique<Generator>(std::vector{1, 2, 3});
    std::unique_ptr<Generator> nam_ =
        std::make_unique<Generator>(std::vector<std::string>{"one", "two", "three"});
    int state_ = 0;
};

Steps fails() {
    co_yield 1;
    throw IOError("lost");
}

std::string text(const std::any& value) {
    if (const auto* n = std::any_cast<int>(&value)) {
        return std::to_string(*n);
    }
    if (const auto* s = std::any_cast<std::string>(&value)) {
        return *s;
    }
    if (const auto* pair = std::any_cast<Pair>(&value)) {
        return "(" + text(std::get<0>(*pair)) + "," + text(std::get<1>(*pair)) + ")";
    }
    if (const auto* failure = std::any_cast<Failure>(&value)) {
        return "!" + failure->getErrorMessage();
    }
    return value.has_value() ? "?" : "None";
}

template <class X>
std::vector<std::string> resultsOf(X&& iterable) {
    Flow flow(std::forward<X>(iterable));
    flow.execute([](Seconds) {});
    std::vector<std::string> texts;
    for (const std::any& result : flow.results) {
        texts.push_back(text(result));
    }
    return texts;
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("a flow over a list") {
    Flow flow({1, 2, 3});
    CHECK(flow.results.empty());
    flow.execute();
    CHECK(flow.results.size() == 3);
    CHECK(std::any_cast<int>(flow.results[2]) == 3);
}

TEST_CASE("a flow is executed once: its results stay") {
    Flow flow({1, 2, 3});
    flow.execute();
    flow.execute();
    CHECK(flow.results.size() == 3);
}

TEST_CASE("a producer over two lists, as a generator and as an iterator") {
    const Texts all{"(1,one)", "(2,two)", "(3,three)"};
    CHECK(resultsOf(producer()) == all);
    CHECK(resultsOf(Producer()) == all);
}

TEST_CASE("a consumer over a producer") {
    CHECK(resultsOf(consumer()) == Texts{"Title", "(1,one)", "(2,two)", "(3,three)"});
}

TEST_CASE("what a flow may be over") {
    CHECK(resultsOf(std::list{1, 2}) == Texts{"1", "2"});
    CHECK(resultsOf(std::string("text")) == Texts{"text"});
    CHECK(resultsOf([] { return std::vector{7}; }) == Texts{"7"});
    CHECK(resultsOf(flow::Generator<int>([]() -> flow::Generator<int> { co_yield 5; }())) == Texts{"5"});
    CHECK(resultsOf(std::vector<int>()).empty());
}

TEST_CASE("values: a text is a string, None is empty, a Result is its value or its Failure") {
    const auto steps = []() -> Steps {
        co_yield "text";
        co_yield std::string_view("view");
        co_yield ropewalk::None{};
        co_yield std::optional<int>();
        co_yield std::optional<int>(1);
        co_yield ropewalk::Result<int>(2);
        co_yield ropewalk::Result<int>(std::unexpected(Failure(ValueError("bad"))));
        co_yield std::any(3);
    };
    CHECK(resultsOf(steps()) == Texts{"text", "view", "None", "None", "1", "2", "!bad", "3"});
}

TEST_CASE("before the first yield of a Generator there is no value") {
    const Generator lst({1});
    CHECK(lst.stop);
    CHECK_FALSE(lst.result.has_value());
    CHECK_THROWS_AS(lst.isFailure(), StopIteration);
    CHECK_THROWS_AS(lst.getResult(), StopIteration);
}

TEST_CASE("each yield of a Generator takes the next value, seen or not") {
    const auto steps = []() -> Steps {
        Generator lst({1, 2, 3});
        co_yield lst;
        co_yield lst;
        co_yield lst.result;
        CHECK(lst.getResult<int>() == 2);
        CHECK_FALSE(lst.isFailure());
        co_yield lst;
        CHECK_FALSE(lst.stop);
        co_yield lst;
        CHECK(lst.stop);
        CHECK_FALSE(lst.result.has_value());
        co_yield lst;
        CHECK(lst.stop);
    };
    CHECK(resultsOf(steps()) == Texts{"2"});
}

TEST_CASE("a value of another type") {
    const auto steps = []() -> Steps {
        Generator lst({1});
        co_yield lst;
        try {
            static_cast<void>(lst.getResult<std::string>());
        } catch (const WrongTypeError& error) {
            const std::string_view message = error.what();
            CHECK(message.starts_with("wanted std::string, found int, at "));
            CHECK(message.contains("; the Generator was made at "));
            CHECK(message.contains("april_test.cpp:"));
            CHECK(error.madeAt().line() + 3 == error.where().line());
        }
        co_yield "seen";
    };
    CHECK(resultsOf(steps()) == Texts{"seen"});
}

TEST_CASE("an error is the last value of its Generator") {
    const auto steps = []() -> Steps {
        Generator failing(fails());
        co_yield failing;
        CHECK_FALSE(failing.isFailure());
        co_yield failing;
        CHECK(failing.stop);
        CHECK(failing.isFailure());
        CHECK_THROWS_WITH_AS(static_cast<void>(failing.getResult<int>()), "lost", IOError);
        co_yield failing.result;
        co_yield failing;
        CHECK(failing.stop);
        CHECK_THROWS_AS(failing.isFailure(), StopIteration);
    };
    CHECK(resultsOf(steps()) == Texts{"!lost"});
}

TEST_CASE("an error goes up through those who ask for the value, and is the last result") {
    const auto passes = []() -> Steps {
        Generator failing(fails());
        while (true) {
            co_yield failing;
            co_yield failing.getResult();
        }
    };
    CHECK(resultsOf(passes()) == Texts{"1", "!lost"});
    CHECK(flushLoggedErrors<IOError>().empty());
}

TEST_CASE("an error that nobody asks about is logged") {
    const auto ignores = []() -> Steps {
        Generator failing(fails());
        co_yield failing;
        co_yield failing;
        if (failing.stop) {
            co_return;
        }
    };
    CHECK(resultsOf(ignores()).empty());
    CHECK(flushLoggedErrors<IOError>().size() == 1);

    const auto goesOn = []() -> Steps {
        Generator failing(fails());
        co_yield failing;
        co_yield failing;
        co_yield failing;
        CHECK(flushLoggedErrors<IOError>().size() == 1);
    };
    CHECK(resultsOf(goesOn()).empty());
    CHECK(flushLoggedErrors<IOError>().empty());
}

TEST_CASE("a Failure that is yielded is a value like others") {
    const auto steps = []() -> Steps {
        co_yield Failure(ValueError("first"));
        co_yield 2;
    };
    CHECK(resultsOf(steps()) == Texts{"!first", "2"});

    const auto looks = [&]() -> Steps {
        Generator inner(steps());
        co_yield inner;
        CHECK_FALSE(inner.stop);
        CHECK(inner.isFailure());
        CHECK_THROWS_AS(inner.getResult(), ValueError);
        co_yield inner;
        CHECK_FALSE(inner.isFailure());
    };
    CHECK(resultsOf(looks()).empty());
}

TEST_CASE("StopIteration ends a generator quietly") {
    const auto steps = []() -> Steps {
        co_yield 1;
        throw StopIteration();
    };
    CHECK(resultsOf(steps()) == Texts{"1"});
}

TEST_CASE("execute sleeps where the flow cooperates, however deep that is") {
    std::vector<double> slept;
    const auto inner = []() -> Steps {
        co_yield 1;
        co_yield Cooperate(2s);
        co_yield 2;
    };
    const auto outer = [&]() -> Steps {
        Generator lst(inner());
        co_yield Cooperate(1s);
        while (true) {
            co_yield lst;
            if (lst.stop) {
                co_return;
            }
            co_yield lst.result;
        }
    };
    Flow flow(outer());
    flow.execute([&](Seconds time) { slept.push_back(time.count()); });
    CHECK(slept == std::vector<double>{1, 2});
    CHECK(flow.results.size() == 2);
}

TEST_CASE("an iterator may throw Cooperate, and is asked again") {
    struct Busy {
        int n = 0;
        int next() {
            if (++n % 2 == 1) {
                throw Cooperate(3s);
            }
            if (n > 4) {
                throw StopIteration();
            }
            return n;
        }
    };
    std::vector<double> slept;
    Flow flow((Busy()));
    flow.execute([&](Seconds time) { slept.push_back(time.count()); });
    CHECK(slept == std::vector<double>{3, 3, 3});
    CHECK(flow.results.size() == 2);
    CHECK(std::any_cast<int>(flow.results[1]) == 4);
}

TEST_CASE("a generator that throws Cooperate has ended after that") {
    const auto steps = []() -> Steps {
        co_yield 1;
        throw Cooperate(1s);
    };
    CHECK(resultsOf(steps()) == Texts{"1"});
}

TEST_CASE("execute can't wait for a Deferred") {
    const ropewalk::defer::Deferred<int> d;
    const auto waits = [&]() -> Steps { co_yield d; };
    Flow flow(waits());
    CHECK_THROWS_AS(flow.execute(), ropewalk::Unsupported);
    d.callback(1);
}

TEST_CASE("ten thousand producers deep, to the end and half-way") {
    struct Level {
        static Steps of(int n, int& closed) {
            const auto note = std::unique_ptr<int, void (*)(int*)>(&closed, [](int* count) { ++*count; });
            if (n == 0) {
                co_yield "bottom";
                co_yield Cooperate();
                co_yield "end";
                co_return;
            }
            Generator inner(of(n - 1, closed));
            while (true) {
                co_yield inner;
                if (inner.stop) {
                    co_return;
                }
                co_yield inner.result;
            }
        }
    };
    int closed = 0;
    CHECK(resultsOf(Level::of(10'000, closed)) == Texts{"bottom", "end"});
    CHECK(closed == 10'001);

    closed = 0;
    {
        Flow flow(Level::of(10'000, closed));
        CHECK_THROWS_AS(flow.execute([](Seconds) { throw ValueError("no time"); }), ValueError);
        CHECK(flow.results.size() == 1);
        CHECK(closed == 0);
    }
    CHECK(closed == 10'001);
}

TEST_CASE("a flow that goes half-way closes its generators, the innermost first") {
    std::string log;
    struct Note {
        std::string& log;
        char name;
        ~Note() { log += name; }
    };
    const auto inner = [&]() -> Steps {
        const Note note{log, 'i'};
        co_yield 1;
        co_yield Failure(ValueError());
    };
    const auto outer = [&]() -> Steps {
        const Note note{log, 'o'};
        Generator lst(inner());
        co_yield lst;
        throw Cooperate(1s);
    };
    {
        Flow flow(outer());
        CHECK_THROWS_AS(flow.execute([](Seconds) { throw ValueError("no time"); }), ValueError);
    }
    CHECK(log == "io");
}
