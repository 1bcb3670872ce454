#include "forms.hpp"

#include "run_named.hpp"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Forms in which GCC 12 destroys an object twice, or one that was never made. No library can see it: they must not be
// written, and find_awaits.sh finds them. This program is run by other compilers only.
namespace {

using namespace forms;

// A lambda that owns something, as a temporary in an expression that awaits.

Deferred<int> lambdaCopy(int, Deferred<int>) {
    const std::string s = text;
    const int x = co_await calls([s] { return size(s); });
    co_return x == 60 ? 7 : 8;
}
Deferred<int> lambdaMoved(int, Deferred<int>) {
    std::string s = text;
    const int x = co_await calls([s = std::move(s)] { return size(s); });
    co_return x == 60 ? 7 : 8;
}
Deferred<int> lambdaMade(int, Deferred<int>) {
    const int x = co_await calls([s = std::string(60, 'x')] { return size(s); });
    co_return x == 60 ? 7 : 8;
}
Deferred<int> lambdaByReference(int, Deferred<int>) {
    const int x = co_await callsByReference([s = text] { return size(s); });
    co_return x == 60 ? 7 : 8;
}
Deferred<int> lambdaHandle(int, Deferred<int> d) {
    const int x = co_await calls([d] { return d ? 7 : 8; });
    co_return x;
}
Deferred<int> lambdaSharedPointer(int, Deferred<int>) {
    const auto p = std::make_shared<int>(7);
    const int x = co_await calls([p] { return *p; });
    co_return x;
}
Deferred<int> lambdaUniquePointer(int, Deferred<int>) {
    auto p = std::make_unique<int>(7);
    const int x = co_await calls([p = std::move(p)] { return *p; });
    co_return x;
}
Deferred<int> lambdaAsFunction(int, Deferred<int>) {
    const int x = co_await takesFunction([s = text] { return size(s); });
    co_return x == 60 ? 7 : 8;
}
Deferred<int> lambdaAsCallback(int, Deferred<int>) {
    const std::string s = text;
    const int x = co_await number(1).addCallback([s](int) { return size(s); });
    co_return x == 60 ? 7 : 8;
}
Deferred<int> lambdaDiscarded(int, Deferred<int>) {
    const std::string s = text;
    co_await calls([s] { return size(s); });
    co_return 7;
}
Deferred<int> lambdaCalledBeside(int, Deferred<int>) {
    const std::string s = text;
    const int x = [s] { return size(s); }() + co_await number(7);
    co_return x - 60;
}
Deferred<int> lambdaCalledAndAwaited(int, Deferred<int>) {
    const std::string s = text;
    const int x = co_await [s]() { return number(size(s)); }();
    co_return x - 53;
}
Deferred<int> lambdaThatCapturesAnAwait(int, Deferred<int>) {
    const auto f = [s = co_await words()] { return size(s); };
    co_return f() == 60 ? 7 : 8;
}

// An aggregate that owns something, as a temporary in an expression that awaits.

Deferred<int> aggregateTemporary(int, Deferred<int>) {
    const int x = co_await takesAggregate(Aggregate{text, 3});
    co_return x == 63 ? 7 : 8;
}
Deferred<int> aggregateBraced(int, Deferred<int>) {
    const int x = co_await takesAggregate({text, 3});
    co_return x == 63 ? 7 : 8;
}
Deferred<int> aggregateDesignated(int, Deferred<int>) {
    const int x = co_await takesAggregate({.s = text, .n = 3});
    co_return x == 63 ? 7 : 8;
}
Deferred<int> aggregateEmpty(int, Deferred<int>) {
    const int x = co_await takesAggregate(Aggregate{});
    co_return x + 7;
}
Deferred<int> aggregateByReference(int, Deferred<int>) {
    const int x = co_await takesAggregateByReference(Aggregate{text, 3});
    co_return x == 63 ? 7 : 8;
}
Deferred<int> aggregateBeside(int, Deferred<int>) {
    const int x = co_await number(3) + Aggregate{text, 3}.sum();
    co_return x == 66 ? 7 : 8;
}
Deferred<int> aggregateOfAnAwait(int, Deferred<int>) {
    const int x = co_await takesAggregate(Aggregate{co_await words(), 3});
    co_return x == 63 ? 7 : 8;
}
Deferred<int> aggregatePushed(int, Deferred<int>) {
    std::vector<Aggregate> v;
    v.push_back({co_await words(), 3});
    co_return v[0].sum() == 63 ? 7 : 8;
}
Deferred<int> aggregateReturned(int, Deferred<int>) {
    const auto make = []() -> Deferred<Aggregate> { co_return {co_await words(), 3}; };
    const Aggregate a = co_await make();
    co_return a.sum() == 63 ? 7 : 8;
}

// An aggregate or an array that is initialised by an await.

Deferred<int> aggregateVariable(int, Deferred<int>) {
    const Aggregate a{co_await words(), co_await number(3)};
    co_return a.sum() == 63 ? 7 : 8;
}
Deferred<int> aggregateVariableBeside(int, Deferred<int>) {
    const Aggregate a{text, co_await number(3)};
    co_return a.sum() == 63 ? 7 : 8;
}
Deferred<int> aggregateAssigned(int, Deferred<int>) {
    Aggregate a;
    a = {co_await words(), co_await number(3)};
    co_return a.sum() == 63 ? 7 : 8;
}
Deferred<int> arrayVariable(int, Deferred<int>) {
    const std::string a[2] = {co_await words(), co_await words()};
    co_return size(a[1]) == 60 ? 7 : 8;
}
Deferred<int> stdArrayVariable(int, Deferred<int>) {
    const std::array<std::string, 2> a{co_await words(), co_await words()};
    co_return size(a[1]) == 60 ? 7 : 8;
}

// A conditional that gives an object, in an expression that awaits.

Deferred<int> conditionalOfAwaits(int n, Deferred<int>) {
    const std::string s = n == 1 ? co_await words() : co_await words();
    co_return size(s) == 60 ? 7 : 8;
}
Deferred<int> conditionalWithOneAwait(int n, Deferred<int>) {
    const std::string s = n == 1 ? co_await words() : std::string();
    co_return size(s) == 60 ? 7 : 8;
}
Deferred<int> conditionalOnAnAwait(int, Deferred<int>) {
    const std::string s = co_await number(1) ? std::string(60, 'x') : std::string();
    co_return size(s) == 60 ? 7 : 8;
}
Deferred<int> conditionalUniquePointer(int n, Deferred<int>) {
    const auto p = n == 1 ? co_await owned() : co_await owned();
    co_return *p;
}
Deferred<int> conditionalArgument(int n, Deferred<int>) {
    const int x = co_await takesText(n == 1 ? std::string(60, 'x') : std::string());
    co_return x == 60 ? 7 : 8;
}
Deferred<int> conditionalDeferred(int n, Deferred<int>) {
    const int x = co_await (n == 1 ? number(7) : number(8));
    co_return x;
}

// A throw of an object that awaits.

Deferred<int> thrown(int n, Deferred<int>) {
    try {
        throw ValueError(co_await words());
    } catch (const ValueError&) {
        n = 7;
    }
    co_return n;
}
Deferred<int> thrownWithANumber(int n, Deferred<int>) {
    try {
        throw ValueError("x" + std::to_string(co_await number(1)));
    } catch (const ValueError&) {
        n = 7;
    }
    co_return n;
}
Deferred<int> thrownItself(int n, Deferred<int>) {
    try {
        throw co_await words();
    } catch (const std::string& s) {
        n = size(s) == 60 ? 7 : 8;
    }
    co_return n;
}

const Form all[] = {
    {"lambdaCopy", lambdaCopy},
    {"lambdaMoved", lambdaMoved},
    {"lambdaMade", lambdaMade},
    {"lambdaByReference", lambdaByReference},
    {"lambdaHandle", lambdaHandle},
    {"lambdaSharedPointer", lambdaSharedPointer},
    {"lambdaUniquePointer", lambdaUniquePointer},
    {"lambdaAsFunction", lambdaAsFunction},
    {"lambdaAsCallback", lambdaAsCallback},
    {"lambdaDiscarded", lambdaDiscarded},
    {"lambdaCalledBeside", lambdaCalledBeside},
    {"lambdaCalledAndAwaited", lambdaCalledAndAwaited},
    {"lambdaThatCapturesAnAwait", lambdaThatCapturesAnAwait},
    {"aggregateTemporary", aggregateTemporary},
    {"aggregateBraced", aggregateBraced},
    {"aggregateDesignated", aggregateDesignated},
    {"aggregateEmpty", aggregateEmpty},
    {"aggregateByReference", aggregateByReference},
    {"aggregateBeside", aggregateBeside},
    {"aggregateOfAnAwait", aggregateOfAnAwait},
    {"aggregatePushed", aggregatePushed},
    {"aggregateReturned", aggregateReturned},
    {"aggregateVariable", aggregateVariable},
    {"aggregateVariableBeside", aggregateVariableBeside},
    {"aggregateAssigned", aggregateAssigned},
    {"arrayVariable", arrayVariable},
    {"stdArrayVariable", stdArrayVariable},
    {"conditionalOfAwaits", conditionalOfAwaits},
    {"conditionalWithOneAwait", conditionalWithOneAwait},
    {"conditionalOnAnAwait", conditionalOnAnAwait},
    {"conditionalUniquePointer", conditionalUniquePointer},
    {"conditionalArgument", conditionalArgument},
    {"conditionalDeferred", conditionalDeferred},
    {"thrown", thrown},
    {"thrownWithANumber", thrownWithANumber},
    {"thrownItself", thrownItself},
};

} // namespace

int main(int argc, char** argv) {
    return forms::runNamed(all, argc, argv);
}
