#include <ropewalk/task/generator.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <defer/probes.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/task/errors.hpp>

using probes::AtExit;
using probes::contains;
using probes::Counted;
using ropewalk::GeneratorExit;
using ropewalk::GeneratorRunningError;
using ropewalk::RuntimeError;
using ropewalk::StopIteration;
using ropewalk::ValueError;
using ropewalk::defer::flushLoggedErrors;
using ropewalk::task::Generator;

using Log = std::vector<std::string>;

namespace {

Generator<int> guarded(Log& log) {
    const AtExit last([&] { log.emplace_back("destroyed"); });
    try {
        co_yield 1;
        co_yield 2;
    } catch (const GeneratorExit&) {
        log.emplace_back("exit");
        throw;
    }
    log.emplace_back("ran out");
}

Generator<int> ignoring(Log& log) {
    const AtExit last([&] { log.emplace_back("destroyed"); });
    for (;;) {
        try {
            co_yield 1;
        } catch (const GeneratorExit&) {
            log.emplace_back("ignored");
        }
    }
}

Generator<int> failing(Log& log) {
    const AtExit last([&] { log.emplace_back("destroyed"); });
    try {
        co_yield 1;
    } catch (const GeneratorExit&) {
        throw ValueError("in answer to close");
    }
}

/// Its own handle is where its parameter refers to.
struct Owner {
    Generator<int> generator = nullptr;
};

} // namespace

TEST_CASE("close raises GeneratorExit where the generator waits; handlers and destructors run") {
    Log log;
    const auto generator = guarded(log);
    CHECK(generator.next() == 1);
    generator.close();
    CHECK(log == Log{"exit", "destroyed"});
    CHECK(generator.finished());
    CHECK_THROWS_AS(generator.next(), StopIteration);
    generator.close();
    CHECK(log.size() == 2);
}

TEST_CASE("close of one that wasn't started destroys its parameters, and runs nothing of it") {
    int alive = 0;
    bool started = false;
    auto make = [](bool& flag, Counted) -> Generator<int> {
        flag = true;
        co_yield 1;
    };
    const auto generator = make(started, Counted(alive));
    CHECK(alive == 1);
    generator.close();
    CHECK(alive == 0);
    CHECK_FALSE(started);
    CHECK(generator.finished());
}

TEST_CASE("close of one that has ended does nothing") {
    Log log;
    const auto generator = guarded(log);
    CHECK(generator.next() == 1);
    CHECK(generator.next() == 2);
    CHECK_THROWS_AS(generator.next(), StopIteration);
    CHECK(log == Log{"ran out", "destroyed"});
    generator.close();
    CHECK(log.size() == 2);
}

TEST_CASE("a generator may swallow GeneratorExit and end, by falling off its end or with co_return") {
    int result = 0;
    auto make = []() -> Generator<int, void, int> {
        try {
            co_yield 1;
        } catch (const GeneratorExit&) {
            co_return 5;
        }
        co_return 6;
    };
    const auto generator = make();
    CHECK(generator.next() == 1);
    generator.close();
    CHECK(generator.finished());
    result = generator.result();
    CHECK(result == 5);
}

TEST_CASE("a handler of std::exception doesn't stop GeneratorExit on its way; one of everything does") {
    Log log;
    auto make = [](Log& into) -> Generator<int> {
        try {
            co_yield 1;
        } catch (const std::exception&) {
            into.emplace_back("std::exception");
        }
        into.emplace_back("went on");
    };
    const auto generator = make(log);
    CHECK(generator.next() == 1);
    generator.close();
    CHECK(log == Log{});
    CHECK(generator.finished());
}

TEST_CASE("a generator that yields in answer to close is destroyed and told off") {
    Log log;
    const auto generator = ignoring(log);
    CHECK(generator.next() == 1);
    std::string text;
    try {
        generator.close();
    } catch (const RuntimeError& error) {
        text = error.what();
    }
    CHECK(contains(text, "ignored GeneratorExit"));
    CHECK(contains(text, "ignoring"));
    CHECK(log == Log{"ignored", "destroyed"});
    CHECK(generator.finished());
    CHECK_THROWS_AS(generator.next(), StopIteration);
}

TEST_CASE("what a generator throws in answer to close comes out of close") {
    Log log;
    const auto generator = failing(log);
    CHECK(generator.next() == 1);
    CHECK_THROWS_WITH_AS(generator.close(), "in answer to close", ValueError);
    CHECK(log == Log{"destroyed"});
    CHECK(generator.finished());
    generator.close();
}

TEST_CASE("StopIteration in answer to close is a quiet end") {
    auto make = []() -> Generator<int> {
        try {
            co_yield 1;
        } catch (const GeneratorExit&) {
            throw StopIteration();
        }
    };
    const auto generator = make();
    CHECK(generator.next() == 1);
    CHECK_NOTHROW(generator.close());
    CHECK(generator.finished());
}

TEST_CASE("GeneratorExit that nobody asked for comes out") {
    auto make = []() -> Generator<int> {
        co_yield 1;
        throw GeneratorExit();
    };
    const auto generator = make();
    CHECK(generator.next() == 1);
    CHECK_THROWS_AS(generator.next(), GeneratorExit);
    Log log;
    const auto other = guarded(log);
    CHECK(other.next() == 1);
    CHECK_THROWS_AS(other.throwIn(GeneratorExit()), GeneratorExit);
    CHECK(log == Log{"exit", "destroyed"});
}

TEST_CASE("the last handle closes the generator: before it was started, while it waits, when it has ended") {
    int alive = 0;
    auto make = [](Log& into, Counted) -> Generator<int> {
        const AtExit last([&] { into.emplace_back("destroyed"); });
        co_yield 1;
    };
    Log log;
    {
        const auto unstarted = make(log, Counted(alive));
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
    CHECK(log == Log{});
    {
        auto waits = make(log, Counted(alive));
        static_cast<void>(waits.next());
        auto copy = waits;
        waits = nullptr;
        CHECK(log == Log{});
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
    CHECK(log == Log{"destroyed"});
    {
        const auto ended = make(log, Counted(alive));
        static_cast<void>(ended.next());
        CHECK_THROWS_AS(ended.next(), StopIteration);
        CHECK(alive == 0);
        CHECK(log == Log{"destroyed", "destroyed"});
    }
    CHECK(log.size() == 2);
}

TEST_CASE("what comes out of a close that nobody asked for is logged") {
    Log log;
    {
        const auto generator = failing(log);
        static_cast<void>(generator.next());
    }
    CHECK(log == Log{"destroyed"});
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
    {
        const auto generator = ignoring(log);
        static_cast<void>(generator.next());
    }
    CHECK(log == Log{"destroyed", "ignored", "destroyed"});
    CHECK(flushLoggedErrors<RuntimeError>().size() == 1);
}

TEST_CASE("the log of such an error says what happened") {
    probes::Events events;
    {
        Log log;
        static_cast<void>(failing(log).next());
    }
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
    REQUIRE(events.all.size() == 1);
    CHECK(contains(events.all[0].text, "closed because nobody holds it any more"));
}

TEST_CASE("close of a generator that runs takes effect at its next co_yield") {
    Log log;
    Owner owner;
    auto make = [](Owner& of, Log& into) -> Generator<int> {
        co_yield 1;
        of.generator.close();
        into.emplace_back("still runs");
        try {
            co_yield 2;
        } catch (const GeneratorExit&) {
            into.emplace_back("exit");
            throw;
        }
    };
    owner.generator = make(owner, log);
    CHECK(owner.generator.next() == 1);
    CHECK_THROWS_AS(owner.generator.next(), StopIteration);
    CHECK(log == Log{"still runs", "exit"});
    CHECK(owner.generator.finished());
}

TEST_CASE("close of a generator that runs: its end and its error are what they would be") {
    Owner owner;
    auto ends = [](Owner& of) -> Generator<int> {
        of.generator.close();
        co_return;
        co_yield 1;
    };
    owner.generator = ends(owner);
    CHECK_THROWS_AS(owner.generator.next(), StopIteration);
    auto fails = [](Owner& of) -> Generator<int> {
        of.generator.close();
        throw ValueError("after close");
        co_yield 1;
    };
    owner.generator = fails(owner);
    CHECK_THROWS_WITH_AS(owner.generator.next(), "after close", ValueError);
    auto ignores = [](Owner& of, Log& into) -> Generator<int> {
        const AtExit last([&] { into.emplace_back("destroyed"); });
        of.generator.close();
        try {
            co_yield 1;
        } catch (const GeneratorExit&) {
            into.emplace_back("ignored");
        }
        co_yield 2;
    };
    Log log;
    owner.generator = ignores(owner, log);
    CHECK_THROWS_AS(owner.generator.next(), RuntimeError);
    CHECK(log == Log{"ignored", "destroyed"});
}

TEST_CASE("the last handle may go while the generator runs: it is closed at its next co_yield") {
    Log log;
    auto owner = std::make_unique<Owner>();
    auto make = [](std::unique_ptr<Owner>& of, Log& into) -> Generator<int> {
        const AtExit last([&] { into.emplace_back("destroyed"); });
        co_yield 1;
        of.reset();
        into.emplace_back("still runs");
        try {
            co_yield 2;
        } catch (const GeneratorExit&) {
            into.emplace_back("exit");
            throw;
        }
    };
    owner->generator = make(owner, log);
    CHECK(owner->generator.next() == 1);
    CHECK_THROWS_AS(static_cast<void>(owner->generator.next()), StopIteration);
    CHECK(log == Log{"still runs", "exit", "destroyed"});
}

TEST_CASE(
    "the last handle may go while the generator runs, which then ends, throws, or ignores its closing") {
    Log log;
    auto make = [](std::unique_ptr<Owner>& of, int how, Log& into) -> Generator<int> {
        const AtExit last([&] { into.emplace_back("destroyed"); });
        co_yield 1;
        of.reset();
        if (how == 0) {
            co_return;
        }
        if (how == 1) {
            throw ValueError("nobody holds me");
        }
        try {
            co_yield 2;
        } catch (const GeneratorExit&) {
            into.emplace_back("ignored");
        }
        co_yield 3;
    };
    auto owner = std::make_unique<Owner>();
    owner->generator = make(owner, 0, log);
    CHECK(owner->generator.next() == 1);
    CHECK_THROWS_AS(owner->generator.next(), StopIteration);
    CHECK(log == Log{"destroyed"});

    owner = std::make_unique<Owner>();
    owner->generator = make(owner, 1, log);
    CHECK(owner->generator.next() == 1);
    CHECK_THROWS_AS(owner->generator.next(), ValueError);
    CHECK(log.size() == 2);

    owner = std::make_unique<Owner>();
    owner->generator = make(owner, 2, log);
    CHECK(owner->generator.next() == 1);
    CHECK_THROWS_AS(owner->generator.next(), StopIteration);
    CHECK(log == Log{"destroyed", "destroyed", "ignored", "destroyed"});
    CHECK(flushLoggedErrors<RuntimeError>().size() == 1);
}

TEST_CASE("parameters and locals are destroyed when it ends, though handles live") {
    int parameters = 0;
    int locals = 0;
    auto make = [](Counted, int& count, int how) -> Generator<int> {
        const Counted local(count);
        co_yield 1;
        if (how == 1) {
            throw ValueError();
        }
        if (how == 2) {
            throw StopIteration();
        }
    };
    for (const int how : {0, 1, 2, 3}) {
        CAPTURE(how);
        const auto generator = make(Counted(parameters), locals, how);
        const auto copy = generator; // NOLINT: copies are what is tested
        CHECK(parameters == 1);
        CHECK(locals == 0);
        static_cast<void>(generator.next());
        CHECK(locals == 1);
        if (how == 3) {
            copy.close();
        } else {
            CHECK_THROWS(copy.next());
        }
        CHECK(parameters == 0);
        CHECK(locals == 0);
        CHECK(generator.finished());
    }
}

TEST_CASE("a parameter whose copy fails leaves nothing behind") {
    struct Costly {
        explicit Costly(int& count) : alive(&count) { ++*alive; }
        Costly(const Costly&) { throw ValueError("no copy"); }
        Costly& operator=(const Costly&) = delete;
        ~Costly() {
            if (alive != nullptr) {
                --*alive;
            }
        }
        int* alive = nullptr;
    };
    int alive = 0;
    int others = 0;
    auto make = [](Counted, Costly) -> Generator<int> { co_yield 1; };
    { CHECK_THROWS_WITH_AS(static_cast<void>(make(Counted(others), Costly(alive))), "no copy", ValueError); }
    CHECK(alive == 0);
    CHECK(others == 0);
}

TEST_CASE("a generator whose own parameter holds its last handle may be closed before it was started") {
    int alive = 0;
    auto owner = std::make_shared<Owner>();
    auto make = [](std::shared_ptr<Owner>, Counted) -> Generator<int> { co_yield 1; };
    owner->generator = make(owner, Counted(alive));
    Owner* const weak = owner.get();
    owner.reset();
    CHECK(alive == 1);
    weak->generator.close();
    CHECK(alive == 0);
}

TEST_CASE(
    "a generator whose own parameter holds its last handle: an error is thrown in before it was started") {
    int alive = 0;
    auto owner = std::make_shared<Owner>();
    auto make = [](std::shared_ptr<Owner>, Counted) -> Generator<int> { co_yield 1; };
    owner->generator = make(owner, Counted(alive));
    Owner* const weak = owner.get();
    owner.reset();
    CHECK_THROWS_AS(static_cast<void>(weak->generator.throwIn(ValueError())), ValueError);
    CHECK(alive == 0);
}

TEST_CASE("a generator whose own parameter holds its last handle may end by itself, or be closed") {
    for (const bool closes : {false, true}) {
        int alive = 0;
        auto owner = std::make_shared<Owner>();
        auto make = [](std::shared_ptr<Owner>, Counted) -> Generator<int> { co_yield 1; };
        owner->generator = make(owner, Counted(alive));
        Owner* const weak = owner.get();
        owner.reset();
        CHECK(weak->generator.next() == 1);
        if (closes) {
            weak->generator.close();
        } else {
            CHECK_THROWS_AS(static_cast<void>(weak->generator.next()), StopIteration);
        }
        CHECK(alive == 0);
    }
}

TEST_CASE("one that ignored its closing is asked for a value while it is destroyed: it runs no more") {
    Owner owner;
    Log log;
    auto make = [](Owner& of, Log& into) -> Generator<int> {
        const AtExit last([&] {
            try {
                static_cast<void>(of.generator.next());
            } catch (const GeneratorRunningError&) {
                into.emplace_back("runs");
            } catch (const StopIteration&) {
                into.emplace_back("ended");
            }
        });
        for (;;) {
            try {
                co_yield 1;
                into.emplace_back("went on");
            } catch (const GeneratorExit&) {
                into.emplace_back("ignored");
            }
        }
    };
    owner.generator = make(owner, log);
    CHECK(owner.generator.next() == 1);
    CHECK_THROWS_AS(owner.generator.close(), RuntimeError);
    CHECK(log == Log{"ignored", "runs"});
}

TEST_CASE("one that ignored its closing gives its last handle away while it is destroyed") {
    Log log;
    auto owner = std::make_unique<Owner>();
    auto make = [](std::unique_ptr<Owner>& of, Log& into) -> Generator<int> {
        const AtExit last([&] {
            into.emplace_back("destroyed");
            of.reset();
        });
        for (;;) {
            try {
                co_yield 1;
            } catch (const GeneratorExit&) {
                into.emplace_back("ignored");
            }
        }
    };
    owner->generator = make(owner, log);
    CHECK(owner->generator.next() == 1);
    CHECK_THROWS_AS(owner->generator.close(), RuntimeError);
    CHECK(log == Log{"ignored", "destroyed"});
}

TEST_CASE("one that isn't started is asked for a value by its parameter's destructor") {
    Owner owner;
    Log log;
    struct Asks {
        explicit Asks(Owner& of, Log& into) : owner(&of), log(&into) {}
        Asks(Asks&& other) noexcept : owner(std::exchange(other.owner, nullptr)), log(other.log) {}
        Asks& operator=(Asks&&) = delete;
        ~Asks() {
            if (owner == nullptr) {
                return;
            }
            try {
                static_cast<void>(owner->generator.next());
                log->emplace_back("ran");
            } catch (const GeneratorRunningError&) {
                log->emplace_back("refused");
            } catch (const StopIteration&) {
                log->emplace_back("ended");
            }
        }
        Owner* owner;
        Log* log;
    };
    auto make = [](Asks) -> Generator<int> { co_yield 1; };
    owner.generator = make(Asks(owner, log));
    owner.generator.close();
    CHECK(log == Log{"refused"});
    CHECK(owner.generator.finished());
}

TEST_CASE("closing an outer generator closes the inner one that it took its values from") {
    Log log;
    auto inner = [](Log& into) -> Generator<int> {
        const AtExit last([&] { into.emplace_back("inner"); });
        for (int n = 0;; ++n) {
            co_yield n;
        }
    };
    auto outer = [inner](Log& into) -> Generator<int> {
        const AtExit last([&] { into.emplace_back("outer"); });
        for (const int n : inner(into)) {
            co_yield n;
        }
    };
    const auto generator = outer(log);
    CHECK(generator.next() == 0);
    CHECK(generator.next() == 1);
    generator.close();
    CHECK(log == Log{"inner", "outer"});
}

TEST_CASE("an inner generator may close the outer one that runs it") {
    Owner owner;
    Log log;
    auto inner = [](Owner& of) -> Generator<int> {
        co_yield 1;
        of.generator.close();
        co_yield 2;
    };
    auto outer = [inner](Owner& of, Log& into) -> Generator<int> {
        const AtExit last([&] { into.emplace_back("outer"); });
        for (const int n : inner(of)) {
            into.push_back(std::to_string(n));
            co_yield n;
        }
    };
    owner.generator = outer(owner, log);
    CHECK(owner.generator.next() == 1);
    CHECK_THROWS_AS(owner.generator.next(), StopIteration);
    CHECK(log == Log{"1", "2", "outer"});
}

TEST_CASE("a generator may be closed in the loop over it") {
    Log log;
    const auto generator = guarded(log);
    int values = 0;
    for (const int n : generator) {
        CHECK(n == 1);
        ++values;
        generator.close();
    }
    CHECK(values == 1);
    CHECK(log == Log{"exit", "destroyed"});
}

TEST_CASE("a value that was yielded and not taken goes with the generator") {
    int alive = 0;
    auto make = [](int& count) -> Generator<Counted> {
        const Counted named(count);
        co_yield named;
        co_yield Counted(count);
    };
    {
        const auto generator = make(alive);
        static_cast<void>(generator.begin());
        CHECK(alive == 2);
    }
    CHECK(alive == 0);
    {
        const auto generator = make(alive);
        auto at = generator.begin();
        ++at;
        CHECK(alive == 2);
        generator.close();
        CHECK(alive == 0);
    }
}

TEST_CASE("a thousand generators, one within the other, are closed from the innermost outwards") {
    struct Nest {
        static Generator<int> of(int depth, std::vector<int>& closed) {
            const AtExit last([&closed, depth] { closed.push_back(depth); });
            if (depth == 0) {
                co_yield 0;
            } else {
                for (const int n : of(depth - 1, closed)) {
                    co_yield n + 1;
                }
            }
        }
    };
    std::vector<int> closed;
    {
        const auto generator = Nest::of(1000, closed);
        CHECK(generator.next() == 1000);
    }
    REQUIRE(closed.size() == 1001);
    CHECK(closed.front() == 0);
    CHECK(closed.back() == 1000);
}
