#include <ropewalk/task/generator.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <concepts>
#include <functional>
#include <iterator>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <defer/probes.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/task/errors.hpp>
#include <ropewalk/task/step.hpp>

using probes::contains;
using ropewalk::AssertionError;
using ropewalk::Failure;
using ropewalk::GeneratorRunningError;
using ropewalk::StopIteration;
using ropewalk::TypeError;
using ropewalk::ValueError;
using ropewalk::task::Generator;

static_assert(std::ranges::input_range<Generator<int>>);
static_assert(std::ranges::view<Generator<int>>);
static_assert(std::ranges::view<Generator<std::unique_ptr<int>>>);
static_assert(!std::ranges::forward_range<Generator<int>>);
static_assert(sizeof(Generator<std::string>) == sizeof(void*));
static_assert(std::copyable<Generator<std::unique_ptr<int>>>);
static_assert(!std::default_initializable<Generator<int>>);
static_assert(std::same_as<std::ranges::range_value_t<Generator<const std::string&>>, std::string>);
static_assert(std::same_as<std::ranges::range_reference_t<Generator<int>>, int&&>);
static_assert(std::same_as<std::ranges::range_reference_t<Generator<int&>>, int&>);

namespace {

Generator<int> count(int from, int end) {
    for (int n = from; n < end; ++n) {
        co_yield n;
    }
}

std::vector<int> all(const Generator<int>& generator) {
    std::vector<int> values;
    for (const int value : generator) {
        values.push_back(value);
    }
    return values;
}

using Values = std::vector<int>;

} // namespace

TEST_CASE("a generator runs when the first value is asked for, and stops at each co_yield") {
    int at = 0;
    auto steps = [](int& place) -> Generator<std::string> {
        place = 1;
        co_yield "one";
        place = 2;
        co_yield "two";
        place = 3;
    };
    const auto generator = steps(at);
    CHECK(at == 0);
    CHECK(generator.next() == "one");
    CHECK(at == 1);
    CHECK(generator.next() == "two");
    CHECK(at == 2);
    CHECK_FALSE(generator.finished());
    CHECK_THROWS_AS(generator.next(), StopIteration);
    CHECK(at == 3);
    CHECK(generator.finished());
    CHECK_THROWS_AS(generator.next(), StopIteration);
}

TEST_CASE("a generator without a value ends at the first next") {
    const auto generator = count(0, 0);
    CHECK_THROWS_AS(generator.next(), StopIteration);
    CHECK(all(count(3, 3)) == Values{});
}

TEST_CASE("copies of a handle name one generator; moving empties the handle") {
    auto first = count(0, 5);
    const auto second = first;
    CHECK(first == second);
    CHECK(first.next() == 0);
    CHECK(second.next() == 1);
    const auto third = std::move(first);
    CHECK_FALSE(static_cast<bool>(first)); // NOLINT(bugprone-use-after-move)
    CHECK(third == second);
    CHECK(third.next() == 2);
    CHECK_FALSE(third == count(0, 5));
    first = third;
    CHECK(first.next() == 3);
    auto& itself = first;
    first = itself;
    CHECK(first.next() == 4);
}

TEST_CASE("whatever is asked of an empty handle throws AssertionError") {
    const Generator<int, int, int> empty = nullptr;
    CHECK_FALSE(static_cast<bool>(empty));
    CHECK_THROWS_AS(empty.next(), AssertionError);
    CHECK_THROWS_AS(empty.send(1), AssertionError);
    CHECK_THROWS_AS(empty.throwIn(ValueError()), AssertionError);
    CHECK_THROWS_AS(empty.close(), AssertionError);
    CHECK_THROWS_AS(static_cast<void>(empty.finished()), AssertionError);
    CHECK_THROWS_AS(static_cast<void>(empty.running()), AssertionError);
    CHECK_THROWS_AS(empty.result(), AssertionError);
    CHECK_THROWS_AS(empty.begin(), AssertionError);
    CHECK(empty == Generator<int, int, int>(nullptr));
}

TEST_CASE("co_yield gives what was sent, and nothing after next") {
    std::vector<std::optional<std::string>> got;
    auto listener = [](std::vector<std::optional<std::string>>& into) -> Generator<int, std::string> {
        for (int n = 0;; ++n) {
            into.push_back(co_yield n);
        }
    };
    const auto generator = listener(got);
    CHECK(generator.next() == 0);
    CHECK(generator.send("a") == 1);
    CHECK(generator.next() == 2);
    CHECK(generator.send(std::string("b")) == 3);
    CHECK(generator.next() == 4);
    CHECK(got == std::vector<std::optional<std::string>>{"a", std::nullopt, "b", std::nullopt});
}

TEST_CASE("send to a generator that was just started is a TypeError, and starts nothing") {
    bool started = false;
    auto make = [](bool& flag) -> Generator<int, int> {
        flag = true;
        const auto got = co_yield 1;
        co_yield got.value_or(-1);
    };
    const auto generator = make(started);
    CHECK_THROWS_WITH_AS(generator.send(5), "can't send a value to a generator that was just started",
                         TypeError);
    CHECK_FALSE(started);
    CHECK(generator.next() == 1);
    CHECK(generator.next() == -1);
}

TEST_CASE("send to a generator that has ended is StopIteration; what was sent to its last co_yield arrives") {
    std::optional<int> got;
    auto make = [](std::optional<int>& into) -> Generator<int, int> { into = co_yield 1; };
    const auto generator = make(got);
    CHECK(generator.next() == 1);
    CHECK_THROWS_AS(generator.send(7), StopIteration);
    CHECK(got == 7);
    CHECK_THROWS_AS(generator.send(8), StopIteration);
    CHECK(got == 7);
}

TEST_CASE("a value that can only be moved is sent and yielded") {
    auto make = []() -> Generator<std::unique_ptr<int>, std::unique_ptr<int>> {
        auto mine = std::make_unique<int>(1);
        for (;;) {
            auto got = co_yield std::move(mine);
            mine = got ? std::move(*got) : nullptr;
        }
    };
    const auto generator = make();
    CHECK(*generator.next() == 1);
    CHECK(*generator.send(std::make_unique<int>(2)) == 2);
    CHECK(generator.next() == nullptr);
    std::vector<std::unique_ptr<int>> kept;
    auto three = []() -> Generator<std::unique_ptr<int>> {
        for (int n = 0; n < 3; ++n) {
            co_yield std::make_unique<int>(n);
        }
    };
    for (auto value : three()) {
        kept.push_back(std::move(value));
    }
    CHECK(*kept.at(2) == 2);
}

TEST_CASE("a value is moved out of a temporary, and copied from what has a name") {
    struct Traced {
        explicit Traced(Values& log) : into(&log) {}
        Traced(const Traced& other) : into(other.into) { into->push_back(1); }
        Traced(Traced&& other) noexcept : into(other.into) { into->push_back(2); }
        Traced& operator=(const Traced&) = delete;
        ~Traced() = default;
        Values* into;
    };
    Values log;
    auto make = [](Values& into) -> Generator<Traced> {
        const Traced named(into);
        co_yield named;
        co_yield Traced(into);
    };
    const auto generator = make(log);
    static_cast<void>(generator.next());
    CHECK(log == Values{1, 2});
    log.clear();
    static_cast<void>(generator.next());
    CHECK(log == Values{2});
}

TEST_CASE("a copy that is yielded leaves the variable as it was") {
    auto make = []() -> Generator<std::string> {
        std::string text = "a text that is too long for the place in the string itself";
        co_yield text;
        co_yield text;
    };
    const auto generator = make();
    const std::string first = generator.next();
    CHECK(generator.next() == first);
    CHECK(contains(first, "too long"));
}

TEST_CASE("yielded references refer to what the generator has") {
    auto make = []() -> Generator<int&> {
        int value = 1;
        while (value < 100) {
            co_yield value;
        }
    };
    const auto generator = make();
    generator.next() = 50;
    int& there = generator.next();
    CHECK(there == 50);
    there = 100;
    CHECK_THROWS_AS(generator.next(), StopIteration);

    auto views = []() -> Generator<const std::string&> {
        const std::string kept = "kept";
        co_yield kept;
        co_yield std::string("a temporary, which lives as long as the generator waits");
    };
    const auto strings = views();
    CHECK(strings.next() == "kept");
    CHECK(contains(strings.next(), "a temporary"));
}

TEST_CASE("a generator is a range, and a view that the standard's adaptors take") {
    CHECK(all(count(0, 4)) == Values{0, 1, 2, 3});
    CHECK(std::ranges::equal(count(0, 6) | std::views::transform([](int n) { return n * n; }),
                             Values{0, 1, 4, 9, 16, 25}));
    CHECK(std::ranges::equal(count(0, 1'000'000'000) | std::views::take(3), Values{0, 1, 2}));
    CHECK(std::ranges::equal(count(0, 6) | std::views::filter([](int n) { return n % 2 == 1; }),
                             Values{1, 3, 5}));
    Values copied;
    std::ranges::copy(count(7, 9), std::back_inserter(copied));
    CHECK(copied == Values{7, 8});
    int sum = 0;
    std::ranges::for_each(count(0, 5), [&](int n) { sum += n; });
    CHECK(sum == 10);
}

TEST_CASE("a loop that is left early may be gone on with, from the next value") {
    const auto generator = count(0, 6);
    for (const int n : generator) {
        if (n == 2) {
            break;
        }
    }
    CHECK(generator.next() == 3);
    CHECK(all(generator) == Values{4, 5});
    CHECK(all(generator) == Values{});
}

TEST_CASE("a generator may take its values from others, and from itself as another") {
    struct Tree {
        int value;
        std::vector<Tree> below;
    };
    struct Walk {
        static Generator<int> over(const Tree& tree) {
            co_yield tree.value;
            for (const Tree& child : tree.below) {
                for (const int value : over(child)) {
                    co_yield value;
                }
            }
        }
    };
    const Tree tree{1, {{2, {{3, {}}, {4, {}}}}, {5, {}}}};
    CHECK(all(Walk::over(tree)) == Values{1, 2, 3, 4, 5});
}

TEST_CASE("what co_return says is the result, while a handle lives") {
    auto sum = [](int end) -> Generator<int, void, int> {
        int total = 0;
        for (int n = 1; n <= end; ++n) {
            co_yield n;
            total += n;
        }
        co_return total;
    };
    const auto generator = sum(4);
    CHECK_THROWS_AS(generator.result(), AssertionError);
    for (const int n : generator) {
        CHECK(n <= 4);
    }
    CHECK(generator.result() == 10);
    CHECK(generator.result() == 10);
    generator.result() = 11;
    const auto copy = generator; // NOLINT: copies are what is tested
    CHECK(copy.result() == 11);
}

TEST_CASE("a result that isn't there says why") {
    auto make = [](bool fails) -> Generator<int, void, std::unique_ptr<int>> {
        co_yield 1;
        if (fails) {
            throw ValueError("no");
        }
        co_return std::make_unique<int>(3);
    };
    const auto textOf = [](const auto& generator) -> std::string {
        try {
            static_cast<void>(generator.result());
        } catch (const AssertionError& error) {
            return error.what();
        }
        return "";
    };
    const auto fails = make(true);
    CHECK(contains(textOf(fails), "has not ended"));
    CHECK(fails.next() == 1);
    CHECK_THROWS_AS(fails.next(), ValueError);
    CHECK(contains(textOf(fails), "has ended without a result"));
    const auto closed = make(false);
    CHECK(closed.next() == 1);
    closed.close();
    CHECK(contains(textOf(closed), "has ended without a result"));
    const auto ends = make(false);
    CHECK(ends.next() == 1);
    CHECK_THROWS_AS(ends.next(), StopIteration);
    const std::unique_ptr<int> taken = std::move(ends.result());
    CHECK(*taken == 3);
}

TEST_CASE("what is thrown comes out of next, and ends the generator") {
    auto make = []() -> Generator<int> {
        co_yield 1;
        throw ValueError("from within");
    };
    const auto generator = make();
    CHECK(generator.next() == 1);
    CHECK_THROWS_WITH_AS(generator.next(), "from within", ValueError);
    CHECK(generator.finished());
    CHECK_THROWS_AS(generator.next(), StopIteration);
    Values got;
    const auto loop = [&] {
        for (const int n : make()) {
            got.push_back(n);
        }
    };
    CHECK_THROWS_AS(loop(), ValueError);
    CHECK(got == Values{1});
}

TEST_CASE("objects of any class may be thrown") {
    auto make = []() -> Generator<int> {
        co_yield 1;
        throw 42; // NOLINT
    };
    const auto generator = make();
    CHECK(generator.next() == 1);
    CHECK_THROWS_AS(generator.next(), int);
}

TEST_CASE("StopIteration out of a generator ends it quietly, also one of an inner generator's") {
    auto make = []() -> Generator<int> {
        const auto inner = count(0, 2);
        for (;;) {
            co_yield inner.next();
        }
    };
    CHECK(all(make()) == Values{0, 1});
    const auto generator = make();
    static_cast<void>(generator.next());
    static_cast<void>(generator.next());
    CHECK_THROWS_AS(generator.next(), StopIteration);
    CHECK(generator.finished());
    const auto other = count(0, 3);
    CHECK(other.next() == 0);
    CHECK_THROWS_AS(other.throwIn(StopIteration()), StopIteration);
    CHECK(other.finished());
}

TEST_CASE("a generator that runs can't be gone on with") {
    Generator<int, int> self = nullptr;
    int refused = 0;
    auto make = [](Generator<int, int>& me, int& count) -> Generator<int, int> {
        const auto tryIt = [&](auto what) {
            try {
                what();
            } catch (const GeneratorRunningError&) {
                ++count;
            }
        };
        CHECK(me.running());
        tryIt([&] { static_cast<void>(me.next()); });
        tryIt([&] { static_cast<void>(me.send(1)); });
        tryIt([&] { static_cast<void>(me.throwIn(ValueError())); });
        tryIt([&] { static_cast<void>(me.begin()); });
        co_yield 1;
        tryIt([&] { static_cast<void>(me.send(1)); });
        co_yield 2;
    };
    self = make(self, refused);
    CHECK_FALSE(self.running());
    // The first is one that was not started yet in its own eyes either: it runs.
    CHECK(self.next() == 1);
    CHECK_FALSE(self.running());
    CHECK(refused == 4);
    CHECK(self.next() == 2);
    CHECK(refused == 5);
    CHECK_THROWS_AS(self.next(), StopIteration);
    CHECK_THROWS_WITH_AS(throw GeneratorRunningError(), "generator already executing", ValueError);
}

TEST_CASE("throwIn raises where the generator waits, and gives the next value") {
    auto make = []() -> Generator<std::string> {
        for (;;) {
            std::string caught;
            try {
                co_yield "waits";
            } catch (const ValueError& error) {
                caught = error.what();
            }
            if (!caught.empty()) {
                co_yield "caught " + caught;
            }
        }
    };
    const auto generator = make();
    CHECK(generator.next() == "waits");
    CHECK(generator.throwIn(ValueError("an object")) == "caught an object");
    CHECK(generator.next() == "waits");
    CHECK(generator.throwIn(Failure(ValueError("a failure"))) == "caught a failure");
    CHECK(generator.next() == "waits");
    CHECK(generator.throwIn(std::make_exception_ptr(ValueError("a pointer"))) == "caught a pointer");
    CHECK(generator.next() == "waits");
    CHECK_THROWS_AS(generator.throwIn(TypeError("not handled")), TypeError);
    CHECK(generator.finished());
}

TEST_CASE("throwIn: one that isn't started ends, and one that has ended stays so; the error comes out") {
    bool started = false;
    int alive = 0;
    auto make = [](bool& flag, probes::Counted) -> Generator<int> {
        flag = true;
        co_yield 1;
    };
    const auto generator = make(started, probes::Counted(alive));
    CHECK(alive == 1);
    CHECK_THROWS_WITH_AS(generator.throwIn(ValueError("early")), "early", ValueError);
    CHECK_FALSE(started);
    CHECK(alive == 0);
    CHECK(generator.finished());
    CHECK_THROWS_AS(generator.next(), StopIteration);
    CHECK_THROWS_WITH_AS(generator.throwIn(ValueError("late")), "late", ValueError);
}

TEST_CASE("throwIn: a generator that ends in answer gives StopIteration") {
    auto make = []() -> Generator<int> {
        try {
            co_yield 1;
        } catch (const ValueError&) { // NOLINT(bugprone-empty-catch)
        }
    };
    const auto generator = make();
    CHECK(generator.next() == 1);
    CHECK_THROWS_AS(generator.throwIn(ValueError()), StopIteration);
}

TEST_CASE("what was thrown in is the same object when it comes out") {
    const auto generator = count(0, 2);
    CHECK(generator.next() == 0);
    const std::exception_ptr thrown = std::make_exception_ptr(ValueError());
    try {
        static_cast<void>(generator.throwIn(thrown));
    } catch (const ValueError&) {
        CHECK(std::current_exception() == thrown);
    }
    CHECK(generator.finished());
}

TEST_CASE("the value that was sent before an error was thrown in is not seen by the next co_yield") {
    std::vector<std::optional<int>> got;
    auto make = [](std::vector<std::optional<int>>& into) -> Generator<int, int> {
        for (;;) {
            try {
                into.push_back(co_yield 0);
            } catch (const ValueError&) {
                into.emplace_back(-1);
            }
        }
    };
    const auto generator = make(got);
    static_cast<void>(generator.next());
    static_cast<void>(generator.send(1));
    static_cast<void>(generator.throwIn(ValueError()));
    static_cast<void>(generator.next());
    CHECK(got == std::vector<std::optional<int>>{1, -1, std::nullopt});
}

TEST_CASE("member functions and lambdas with captures that outlive them may be generators") {
    struct Numbers {
        int base;
        Generator<int> upTo(int end) const {
            for (int n = base; n < end; ++n) {
                co_yield n;
            }
        }
    };
    const Numbers numbers{5};
    CHECK(all(numbers.upTo(8)) == Values{5, 6, 7});
    const auto lambda = [base = 2]() -> Generator<int> { co_yield base; };
    CHECK(all(lambda()) == Values{2});
}
