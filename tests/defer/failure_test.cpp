// labels: threads
#include <ropewalk/defer/failure.hpp>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/trail.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace defer = ropewalk::defer;

using ropewalk::Failure;
using ropewalk::KeyError;
using ropewalk::NoCurrentExceptionError;
using ropewalk::RuntimeError;
using ropewalk::ValueError;

using Location = std::source_location;

namespace poetry {

struct Burnt : ValueError {
    using ValueError::ValueError;
};

/// Its bases lie at different addresses.
struct Sign {
    virtual ~Sign() = default;
    int weight = 3;
};
struct Omen : Sign, RuntimeError {
    explicit Omen(const char* text) : RuntimeError(text) {}
};
struct Secret : private RuntimeError {
    Secret() : RuntimeError("secret") {}
};

struct Ash {
    int grams = 0;
};

Failure lose(int& line, const char* file) {
    line = __LINE__ + 1;
    Failure failure = Failure(Burnt("no poem"));
    CHECK(std::string(file) == Location::current().file_name());
    return failure;
}

} // namespace poetry

namespace {

std::string place(int line, const char* separator) {
    return std::string(Location::current().file_name()) + separator + std::to_string(line);
}

std::vector<unsigned> linesOf(const Failure& failure) {
    std::vector<unsigned> lines;
    for (std::size_t i = 0; i < failure.trail().size(); ++i) lines.push_back(failure.trail()[i].line());
    return lines;
}

const std::exception* thrownBy(const auto& action) {
    try {
        action();
    } catch (const std::exception& error) {
        return &error;
    }
    return nullptr;
}

TEST_CASE("127.1: check gives the error as the class that was asked for") {
    const Failure failure(ValueError("no poem"));
    const ValueError* error = failure.check<ValueError>();
    REQUIRE(error != nullptr);
    CHECK(std::string(error->what()) == "no poem");
}

TEST_CASE("127.2: check matches base classes, and gives the base's own part of the object") {
    const Failure burnt(poetry::Burnt("no poem"));
    CHECK(burnt.check<ValueError>() != nullptr);
    CHECK(burnt.check<std::invalid_argument>() != nullptr);
    CHECK(burnt.check<std::exception>() != nullptr);
    const Failure omen(poetry::Omen("comet"));
    REQUIRE(omen.check<poetry::Sign>() != nullptr);
    CHECK(omen.check<poetry::Sign>()->weight == 3);
    REQUIRE(omen.check<RuntimeError>() != nullptr);
    CHECK(std::string(omen.check<RuntimeError>()->what()) == "comet");
    CHECK(static_cast<const void*>(omen.check<poetry::Sign>()) !=
          static_cast<const void*>(omen.check<RuntimeError>()));
}

TEST_CASE("127.3: check of several classes gives the index of the first that matches, in the order asked") {
    const Failure burnt(poetry::Burnt("no poem"));
    CHECK(burnt.check<KeyError, ValueError>() == 1);
    CHECK(burnt.check<ValueError, poetry::Burnt>() == 0);
    CHECK(burnt.check<poetry::Burnt, ValueError>() == 0);
    CHECK(burnt.check<KeyError, RuntimeError, int, std::exception>() == 3);
}

TEST_CASE("127.4: check of classes that the error isn't gives null, or -1") {
    const Failure failure(ValueError("no poem"));
    CHECK(failure.check<poetry::Burnt>() == nullptr);
    CHECK(failure.check<KeyError>() == nullptr);
    CHECK(failure.check<int>() == nullptr);
    CHECK(failure.check<KeyError, RuntimeError>() == -1);
    CHECK(Failure::of(poetry::Secret()).check<RuntimeError>() == nullptr);
}

TEST_CASE("127.5: trap of a class that the error is gives it, or its index") {
    const Failure burnt(poetry::Burnt("no poem"));
    CHECK(&burnt.trap<ValueError>() == burnt.check<ValueError>());
    CHECK(burnt.trap<KeyError, poetry::Burnt>() == 1);
}

TEST_CASE("127.6: trap of classes that the error isn't throws the original object") {
    const Failure failure(ValueError("no poem"));
    const std::exception* original = failure.check<std::exception>();
    CHECK(thrownBy([&] { failure.trap<KeyError>(); }) == original);
    CHECK(thrownBy([&] { failure.trap<KeyError, RuntimeError>(); }) == original);
}

TEST_CASE("127.7: raiseException throws the original object") {
    const Failure failure(ValueError("no poem"));
    CHECK(thrownBy([&] { failure.raiseException(); }) == failure.check<std::exception>());
}

TEST_CASE("Failure: a class that doesn't match is found out without throwing") {
    const Failure failure(ValueError("no poem"));
    using Clock = std::chrono::steady_clock;
    const auto fastest = [](const auto& action) {
        auto best = Clock::duration::max();
        for (int batch = 0; batch < 10; ++batch) {
            const auto start = Clock::now();
            for (int i = 0; i < 200; ++i) action();
            best = std::min(best, Clock::now() - start);
        }
        return best;
    };
    int matched = 0;
    const auto checking = fastest([&] { matched += failure.check<KeyError, poetry::Burnt>() >= 0 ? 1 : 0; });
    const auto throwing = fastest([&] { matched += thrownBy([&] { failure.raiseException(); }) == nullptr; });
    CHECK(matched == 0);
    CHECK(checking * 4 < throwing);
}

TEST_CASE("128.1: Failure() without an exception that is being handled throws NoCurrentExceptionError") {
    CHECK_THROWS_AS(Failure(), NoCurrentExceptionError);
    const std::exception_ptr none;
    CHECK_THROWS_AS(Failure{none}, NoCurrentExceptionError);
}

TEST_CASE("128.2: Failure() in a catch takes the exception that is being handled") {
    const std::exception* handled = nullptr;
    try {
        throw poetry::Burnt("no poem");
    } catch (const std::exception& error) {
        handled = &error;
        const Failure failure;
        CHECK(failure.check<std::exception>() == handled);
        CHECK(failure.check<poetry::Burnt>() != nullptr);
        try {
            throw KeyError("inner");
        } catch (...) {
            CHECK(Failure().check<KeyError>() != nullptr);
        }
        CHECK(Failure().check<std::exception>() == handled);
    }
}

TEST_CASE("128.3: a Failure of a Failure is one with the same exception object") {
    const Failure failure(ValueError("no poem"));
    const Failure copy(failure);
    CHECK(copy.check<ValueError>() == failure.check<ValueError>());
    CHECK(copy == failure);
    const Failure other(ValueError("no poem"));
    CHECK_FALSE(other == failure);
    const Failure again(failure.value());
    CHECK(again == failure);
}

TEST_CASE("128.4: any object may be the error") {
    const Failure number = Failure::of(42);
    REQUIRE(number.check<int>() != nullptr);
    CHECK(*number.check<int>() == 42);
    CHECK(number.check<std::exception>() == nullptr);
    CHECK(number.check<long, int>() == 1);
    CHECK(number.getErrorMessage() == "42");
    const Failure text = Failure::of(std::string("no poem"));
    CHECK(text.check<std::string>() != nullptr);
    CHECK(text.getErrorMessage() == "no poem");
    const Failure ash = Failure::of(poetry::Ash{7});
    CHECK(ash.check<poetry::Ash>()->grams == 7);
    CHECK(ash.getErrorMessage() == "");
    CHECK(ash.repr() == "<ropewalk::Failure poetry::Ash: >");
    CHECK_THROWS_AS(ash.raiseException(), poetry::Ash);
    try {
        throw "no poem";
    } catch (...) {
        CHECK(Failure().getErrorMessage() == "no poem");
        CHECK(Failure().repr() == "<ropewalk::Failure char const*: no poem>");
    }
}

TEST_CASE("128.5: repr names the class and the message") {
    CHECK(Failure(poetry::Burnt("no poem")).repr() == "<ropewalk::Failure poetry::Burnt: no poem>");
    CHECK(Failure(ValueError()).repr() == "<ropewalk::Failure ropewalk::ValueError: >");
}

TEST_CASE("128.6: str and operator<< hold the brief traceback in brackets") {
    int line = 0;
    const Failure failure = poetry::lose(line, Location::current().file_name());
    const std::string expected = "[Failure instance: Traceback: <class 'poetry::Burnt'>: no poem\n" +
                                 place(line, ":") + ":poetry::lose\n]";
    CHECK(failure.str() == expected);
    std::ostringstream out;
    out << failure;
    CHECK(out.str() == expected);
}

TEST_CASE("128.7: the brief traceback is the class, the message and a line a step") {
    int line = 0;
    const Failure failure = poetry::lose(line, Location::current().file_name());
    CHECK(failure.getBriefTraceback() ==
          "Traceback: <class 'poetry::Burnt'>: no poem\n" + place(line, ":") + ":poetry::lose\n");
}

TEST_CASE("128.8: the traceback has a heading, a line a step, and ends with the class and the message") {
    int line = 0;
    const Failure failure = poetry::lose(line, Location::current().file_name());
    const std::string expected = "Traceback (most recent call last):\n  File \"" + place(line, "\", line ") +
                                 ", in poetry::lose\npoetry::Burnt: no poem\n";
    CHECK(failure.getTraceback() == expected);
    std::ostringstream out;
    failure.printTraceback(out);
    CHECK(out.str() == expected);
}

TEST_CASE("128.9: the error message is the exception's text") {
    CHECK(Failure(ValueError("no poem")).getErrorMessage() == "no poem");
    CHECK(Failure(ValueError()).getErrorMessage() == "");
    CHECK(Failure(std::bad_alloc()).getErrorMessage() == std::bad_alloc().what());
}

TEST_CASE("Failure: type is the class of the object itself, whatever it is caught as") {
    const Failure failure(poetry::Burnt("no poem"));
    CHECK(failure.type() == typeid(poetry::Burnt));
    CHECK(Failure::of(1).type() == typeid(int));
}

TEST_CASE("Failure: what is captured is a copy, and what check gives lives as long as any copy does") {
    const ValueError* error = nullptr;
    Failure kept(KeyError("another"));
    {
        ValueError original("no poem");
        const Failure failure(original);
        error = failure.check<ValueError>();
        CHECK(error != &original);
        kept = failure;
    }
    CHECK(std::string(error->what()) == "no poem");
    CHECK(kept.check<ValueError>() == error);
}

TEST_CASE("Failure: moving one leaves nothing behind and keeps the object") {
    Failure first(ValueError("no poem"));
    const auto* error = first.check<ValueError>();
    Failure second = std::move(first);
    CHECK(second.check<ValueError>() == error);
    first = Failure(KeyError("again"));
    CHECK(first.check<KeyError>() != nullptr);
    Failure& same = first;
    first = same;
    CHECK(first.check<KeyError>() != nullptr);
}

TEST_CASE("Failure: it begins with the place where it was made") {
    const unsigned line = __LINE__ + 1;
    const Failure failure(ValueError("no poem"));
    CHECK(linesOf(failure) == std::vector{line});
    const Failure implicit = [](Failure given) { return given; }(ValueError("no poem"));
    CHECK(linesOf(implicit) == std::vector{line + 2});
    try {
        throw ValueError("no poem");
    } catch (...) {
        CHECK(linesOf(Failure()) == std::vector{line + 7});
    }
}

TEST_CASE("Failure: copies in other threads keep the object, and each its own trail") {
    Failure shared(ValueError("no poem"));
    const auto* error = shared.check<ValueError>();
    std::vector<std::size_t> steps(4);
    std::vector<const ValueError*> seen(4);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < steps.size(); ++i) {
            threads.emplace_back([&seen, &steps, i, copy = shared] {
                for (int round = 0; round < 100; ++round) {
                    defer::Deferred<int> d;
                    for (std::size_t step = 0; step <= i; ++step) d.addCallback([](int) { return 0; });
                    d.addErrback([&](const Failure& failure) {
                        seen[i] = failure.check<ValueError>();
                        steps[i] = failure.trail().size();
                        static_cast<void>(failure.getTraceback());
                    });
                    d.errback(copy);
                }
            });
        }
        shared = Failure(KeyError("gone from here"));
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
        CHECK(seen[i] == error);
        CHECK(steps[i] == i + 3);
    }
}

} // namespace
