#include "forms.hpp"

#include "run_all.hpp"

#include <doctest/doctest.h>

#include <exception>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

// Declarations, handlers and returns that await and that GCC 12 compiles as they stand.
namespace {

using namespace forms;

// Variables.

Deferred<int> variable(int, Deferred<int>) {
    const auto p = co_await owned();
    co_return *p;
}
Deferred<int> variableBraced(int, Deferred<int>) {
    const int x{co_await number(7)};
    co_return x;
}
Deferred<int> variableInParentheses(int, Deferred<int>) {
    const std::string s(co_await words());
    co_return size(s) == 60 ? 7 : 8;
}
Deferred<int> variableOptional(int, Deferred<int>) {
    const std::optional<std::string> s = co_await words();
    co_return size(*s) == 60 ? 7 : 8;
}
Deferred<int> variablePair(int, Deferred<int>) {
    const std::pair<std::string, int> p{co_await words(), co_await number(3)};
    co_return size(p.first) == 60 ? p.second + 4 : 8;
}
Deferred<int> variableTuple(int, Deferred<int>) {
    const std::tuple<std::string, int> p{co_await words(), co_await number(3)};
    co_return size(std::get<0>(p)) == 60 ? 7 : 8;
}
Deferred<int> variableVolatile(int, Deferred<int>) {
    volatile int x = 3;
    x = x + co_await number(4);
    co_return x;
}
Deferred<int> constReference(int, Deferred<int>) {
    const std::string& s = co_await words();
    co_await number(1);
    co_return size(s) == 60 ? 7 : 8;
}
Deferred<int> rvalueReference(int, Deferred<int>) {
    auto&& s = co_await words();
    co_await number(1);
    co_return size(s) == 60 ? 7 : 8;
}
Deferred<int> structured(int, Deferred<int>) {
    const auto [s, x] = co_await pair();
    co_await number(1);
    co_return size(s) == 60 ? x + 4 : 8;
}
Deferred<int> structuredByReference(int, Deferred<int>) {
    auto&& [s, x] = co_await pair();
    co_await number(1);
    co_return size(s) == 60 ? x + 4 : 8;
}
Deferred<int> aggregateFromNamed(int, Deferred<int>) {
    const std::string s = co_await words();
    const int x = co_await number(3);
    const Aggregate a{s, x};
    co_return a.sum() == 63 ? 7 : 8;
}
Deferred<int> aggregateFilled(int, Deferred<int>) {
    Aggregate a;
    a.s = co_await words();
    a.n = co_await number(3);
    co_return a.sum() == 63 ? 7 : 8;
}
Deferred<int> aggregateWithoutDestructor(int, Deferred<int>) {
    const Numbers a{co_await number(3), co_await number(4)};
    co_return a.a + a.b;
}
Deferred<int> arrayOfNumbers(int, Deferred<int>) {
    const int a[2] = {co_await number(3), co_await number(4)};
    co_return a[0] + a[1];
}
Deferred<int> aggregateNamedAsArgument(int, Deferred<int>) {
    const Aggregate a{text, 3};
    const int x = co_await takesAggregate(a);
    co_return x == 63 ? 7 : 8;
}
Deferred<int> aggregateFromAFunction(int, Deferred<int>) {
    const int x = co_await takesAggregate((co_await aggregate()));
    co_return x == 63 ? 7 : 8;
}
Deferred<int> conditionalNamed(int n, Deferred<int>) {
    const std::string s = n == 1 ? text : std::string();
    const int x = co_await takesText(s);
    co_return x == 60 ? 7 : 8;
}
Deferred<int> conditionalDeferredNamed(int n, Deferred<int>) {
    const Deferred<int> chosen = n == 1 ? number(7) : number(8);
    const int x = co_await chosen;
    co_return x;
}
Deferred<int> conditionalByIf(int n, Deferred<int>) {
    std::string s;
    if (n == 1) s = co_await words();
    co_return size(s) == 60 ? 7 : 8;
}
Deferred<int> vectorNamed(int, Deferred<int>) {
    const std::vector<int> v{3, 4};
    const int x = co_await takesVector(v);
    co_return x;
}
Deferred<int> vectorOfDeferredsNamed(int, Deferred<int>) {
    const std::vector<Deferred<int>> v{number(3), number(4)};
    const int x = co_await takesDeferreds(v);
    co_return x;
}
Deferred<int> vectorFilled(int, Deferred<int>) {
    std::vector<int> v;
    v.push_back(co_await number(3));
    v.push_back(co_await number(4));
    co_return v[0] + v[1];
}
Deferred<int> lambdaOfNamed(int, Deferred<int>) {
    const std::string s = co_await words();
    const auto f = [s] { return size(s); };
    co_return f() == 60 ? 7 : 8;
}
Deferred<int> scopes(int, Deferred<int>) {
    {
        const std::string s(60, 'a');
        {
            const std::string t(61, 'b');
            co_await number(1);
            hits += size(t);
        }
        co_await number(2);
        hits += size(s);
    }
    co_return hits == 121 ? 7 : 8;
}
Deferred<int> scopesWithTheSameName(int, Deferred<int>) {
    {
        const std::string s(60, 'a');
        co_await number(1);
        hits += size(s);
    }
    {
        const std::string s(61, 'b');
        co_await number(1);
        hits += size(s);
    }
    co_return hits == 121 ? 7 : 8;
}
Deferred<int> guards(int, Deferred<int>) {
    const Guard first;
    {
        const Guard second;
        co_await number(1);
    }
    const Guard third;
    co_await number(1);
    co_return alive == 2 ? 7 : 8;
}

// What was moved, and handles.

Deferred<int> handleMoved(int, Deferred<int>) {
    Deferred<int> local = number(7);
    const int x = co_await std::move(local);
    co_return x;
}
Deferred<int> handleByReference(int, Deferred<int>) {
    Deferred<int> local = number(7);
    const Deferred<int>& same = local;
    const int x = co_await same;
    co_return x;
}
Deferred<int> handleParameter(int, Deferred<int> d) {
    const int x = co_await d;
    co_return x + 6;
}
Deferred<int> resultNamed(int, Deferred<int>) {
    const Result<int> r = co_await number(7).result();
    co_return r.value_or(8);
}
Deferred<int> resultOfAFailure(int, Deferred<int>) {
    const Result<int> r = co_await fails().result();
    co_return r ? 8 : 7;
}

// Handlers.

Deferred<int> caught(int n, Deferred<int>) {
    try {
        co_await fails();
    } catch (const ValueError&) {
        n = 7;
    }
    co_return n;
}
Deferred<int> caughtWithLocal(int n, Deferred<int>) {
    try {
        const Guard g;
        co_await fails();
    } catch (...) {
        n = 7;
    }
    co_return n;
}
Deferred<int> caughtByName(int n, Deferred<int>) {
    try {
        co_await fails();
    } catch (const std::exception& e) {
        n = e.what() == std::string("fails") ? 7 : 8;
    }
    co_return n;
}
Deferred<int> caughtTwice(int, Deferred<int>) {
    try {
        co_await fails();
    } catch (...) {
        hit();
    }
    try {
        co_await fails();
    } catch (...) {
        hit();
    }
    co_return 7;
}
Deferred<int> rethrown(int n, Deferred<int>) {
    try {
        try {
            const Guard g;
            co_await fails();
        } catch (...) {
            throw;
        }
    } catch (const ValueError&) {
        n = 7;
    }
    co_return n;
}
Deferred<int> thrownNamed(int n, Deferred<int>) {
    try {
        const std::string s = co_await words();
        throw ValueError(s);
    } catch (const ValueError&) {
        n = 7;
    }
    co_return n;
}

// Returns of other coroutines.

Deferred<int> returnedAggregate(int, Deferred<int>) {
    const auto make = []() -> Deferred<Aggregate> {
        co_await number(1);
        co_return Aggregate{text, 3};
    };
    const Aggregate a = co_await make();
    co_return a.sum() == 63 ? 7 : 8;
}
Deferred<int> returnedAggregateBraced(int, Deferred<int>) {
    const auto make = []() -> Deferred<Aggregate> {
        co_await number(1);
        co_return {text, 3};
    };
    const Aggregate a = co_await make();
    co_return a.sum() == 63 ? 7 : 8;
}
Deferred<int> returnedBraced(int, Deferred<int>) {
    co_return {co_await number(7)};
}

const Form all[] = {
    {"variable", variable},
    {"variableBraced", variableBraced},
    {"variableInParentheses", variableInParentheses},
    {"variableOptional", variableOptional},
    {"variablePair", variablePair},
    {"variableTuple", variableTuple},
    {"variableVolatile", variableVolatile},
    {"constReference", constReference},
    {"rvalueReference", rvalueReference},
    {"structured", structured},
    {"structuredByReference", structuredByReference},
    {"aggregateFromNamed", aggregateFromNamed},
    {"aggregateFilled", aggregateFilled},
    {"aggregateWithoutDestructor", aggregateWithoutDestructor},
    {"arrayOfNumbers", arrayOfNumbers},
    {"aggregateNamedAsArgument", aggregateNamedAsArgument},
    {"aggregateFromAFunction", aggregateFromAFunction},
    {"conditionalNamed", conditionalNamed},
    {"conditionalDeferredNamed", conditionalDeferredNamed},
    {"conditionalByIf", conditionalByIf},
    {"vectorNamed", vectorNamed},
    {"vectorOfDeferredsNamed", vectorOfDeferredsNamed},
    {"vectorFilled", vectorFilled},
    {"lambdaOfNamed", lambdaOfNamed},
    {"scopes", scopes},
    {"scopesWithTheSameName", scopesWithTheSameName},
    {"guards", guards},
    {"handleMoved", handleMoved},
    {"handleByReference", handleByReference},
    {"handleParameter", handleParameter},
    {"resultNamed", resultNamed},
    {"resultOfAFailure", resultOfAFailure},
    {"caught", caught},
    {"caughtWithLocal", caughtWithLocal},
    {"caughtByName", caughtByName},
    {"caughtTwice", caughtTwice},
    {"rethrown", rethrown},
    {"thrownNamed", thrownNamed},
    {"returnedAggregate", returnedAggregate},
    {"returnedAggregateBraced", returnedAggregateBraced},
    {"returnedBraced", returnedBraced},
};

TEST_CASE("a declaration that awaits, fired before") {
    runAll(all, Ending::fired);
}

TEST_CASE("a declaration that awaits, fired later") {
    runAll(all, Ending::firesLater);
}

TEST_CASE("a declaration that awaits, abandoned") {
    runAll(all, Ending::abandoned);
}

} // namespace
