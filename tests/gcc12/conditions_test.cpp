#include "forms.hpp"

#include "run_all.hpp"

#include <doctest/doctest.h>

#include <exception>
#include <string>
#include <utility>

// Conditions that await and that GCC 12 compiles as they stand.
namespace {

using namespace forms;

// The result has a name.

Deferred<int> ifNamed(int, Deferred<int>) {
    if (const int x = co_await number(1)) hits += x;
    co_return 7;
}
Deferred<int> ifNamedAfterSemicolon(int, Deferred<int>) {
    if (const int x = co_await number(1); x > 0) hit();
    co_return 7;
}
Deferred<int> ifNamedResult(int, Deferred<int>) {
    if (const auto r = co_await number(1).result()) hit();
    co_return 7;
}
Deferred<int> ifNamedResultThatFailed(int, Deferred<int>) {
    if (const auto r = co_await fails().result(); !r && r.error().check<ValueError>() != nullptr) {
        co_await number(1);
        co_return 7;
    }
    co_return 8;
}
Deferred<int> ifNamedInElse(int n, Deferred<int>) {
    if (n == 2)
        hit();
    else if (const bool ok = co_await yes())
        hits += ok ? 1 : 0;
    co_return 7;
}
Deferred<int> ifNamedBefore(int, Deferred<int>) {
    const bool ok = co_await yes();
    if (ok) hit();
    co_return 7;
}
Deferred<int> whileNamed(int n, Deferred<int>) {
    while (const int x = co_await number(n)) {
        n = x - 1;
        co_await number(1);
    }
    co_return 7;
}
Deferred<int> whileTrueNamed(int, Deferred<int>) {
    while (true) {
        const bool ok = co_await yes();
        if (ok) break;
    }
    co_return 7;
}
Deferred<int> switchNamed(int, Deferred<int>) {
    switch (const int x = co_await number(2)) {
        case 2:
            hits += x;
            break;
        default:
            break;
    }
    co_return 7;
}
Deferred<int> switchNamedAfterSemicolon(int, Deferred<int>) {
    switch (const int x = co_await number(2); x) {
        case 2:
            hit();
            break;
        default:
            break;
    }
    co_return 7;
}
Deferred<int> doNamed(int n, Deferred<int>) {
    do {
        const int x = co_await number(n);
        n = x - 1;
    } while (n > 0);
    co_return 7;
}
Deferred<int> forNamed(int, Deferred<int>) {
    for (int i = co_await number(3); i > 0; --i) hit();
    co_return 7;
}

// The coroutine declares something, wherever that is.

Deferred<int> ifAfterLocal(int, Deferred<int>) {
    const Guard g;
    if (co_await number(1)) hit();
    co_return 7;
}
Deferred<int> ifBeforeLocal(int, Deferred<int>) {
    if (co_await number(1)) hit();
    const Guard g;
    co_return 7;
}
Deferred<int> ifAfterBlockWithLocal(int, Deferred<int>) {
    {
        const Guard g;
        hit();
    }
    if (co_await number(1)) hit();
    co_return 7;
}
Deferred<int> ifBeforeBlockWithLocal(int, Deferred<int>) {
    if (co_await number(1)) hit();
    {
        const Guard g;
        hit();
    }
    co_return 7;
}
Deferred<int> ifBodyWithLocal(int, Deferred<int>) {
    if (co_await number(1)) {
        const Guard g;
        hit();
    }
    co_return 7;
}
Deferred<int> ifElseWithLocal(int, Deferred<int>) {
    if (co_await number(0)) {
        hit();
    } else {
        const Guard g;
        hit();
    }
    co_return 7;
}
Deferred<int> ifAfterLoopWithLocal(int, Deferred<int>) {
    for (int i = 0; i < 2; ++i) hit();
    if (co_await number(1)) hit();
    co_return 7;
}
Deferred<int> ifAfterStatic(int, Deferred<int>) {
    static const int one = 1;
    if (co_await number(one)) hit();
    co_return 7;
}
Deferred<int> ifAfterConstant(int, Deferred<int>) {
    constexpr int one = 1;
    if (co_await number(one)) hit();
    co_return 7;
}
Deferred<int> ifAfterAlias(int, Deferred<int>) {
    using Int = int;
    if (co_await number(Int(1))) hit();
    co_return 7;
}
Deferred<int> ifAfterReference(int n, Deferred<int>) {
    const int& one = n;
    if (co_await number(one)) hit();
    co_return 7;
}
Deferred<int> ifAfterType(int, Deferred<int>) {
    struct One {
        int value = 1;
    };
    if (co_await number(One().value)) hit();
    co_return 7;
}
Deferred<int> ifAfterHandlerWithName(int, Deferred<int>) {
    try {
        hit();
    } catch (const std::exception& e) {
        hit();
    }
    if (co_await number(1)) hit();
    co_return 7;
}
Deferred<int> ifOfLocalHandle(int, Deferred<int>) {
    const Deferred<int> local = number(1);
    if (co_await local) hit();
    co_return 7;
}
Deferred<int> ifOfLocalResult(int, Deferred<int>) {
    const Deferred<int> local = number(1);
    if (co_await local.result()) hit();
    co_return 7;
}
Deferred<int> ifOfMovedLocal(int, Deferred<int>) {
    Deferred<int> local = number(1);
    if (co_await std::move(local)) hit();
    co_return 7;
}
Deferred<int> ifAssignedLocal(int, Deferred<int>) {
    bool ok = false;
    if ((ok = co_await yes())) hit();
    co_return ok ? 7 : 8;
}
Deferred<int> ifAndLocal(int, Deferred<int>) {
    bool ok = true;
    if (ok && co_await number(4)) hit();
    co_return 7;
}
Deferred<int> whileWithLocal(int, Deferred<int>) {
    int i = 3;
    while (co_await number(i)) --i;
    co_return 7;
}
Deferred<int> whileBodyWithLocal(int n, Deferred<int>) {
    while (co_await number(n)) {
        const Guard g;
        --n;
    }
    co_return 7;
}
Deferred<int> doWithLocal(int, Deferred<int>) {
    int i = 3;
    do {
        --i;
    } while (co_await number(i));
    co_return 7;
}
Deferred<int> doBodyWithLocal(int n, Deferred<int>) {
    do {
        const Guard g;
        --n;
    } while (co_await number(n));
    co_return 7;
}
Deferred<int> forCondition(int, Deferred<int>) {
    for (int i = 3; co_await number(i); --i) hit();
    co_return 7;
}
Deferred<int> forComparison(int, Deferred<int>) {
    for (int i = 0; i < co_await number(3); ++i) hit();
    co_return 7;
}
Deferred<int> forStep(int, Deferred<int>) {
    for (int i = 0; i < 3; i += co_await number(1)) hit();
    co_return 7;
}
Deferred<int> forContinue(int, Deferred<int>) {
    for (int i = 0; i < co_await number(3); ++i) {
        if (i == 1) continue;
        hit();
    }
    co_return 7;
}
Deferred<int> switchWithLocal(int, Deferred<int>) {
    const int two = 2;
    switch (co_await number(two)) {
        case 2:
            hit();
            break;
        default:
            break;
    }
    co_return 7;
}
Deferred<int> switchBodyWithLocal(int, Deferred<int>) {
    switch (co_await number(2)) {
        case 2: {
            const Guard g;
            hit();
            break;
        }
        default:
            break;
    }
    co_return 7;
}

// No await in the condition.

Deferred<int> ifBodyAwaits(int n, Deferred<int>) {
    if (n == 1) {
        co_await number(1);
        hit();
    }
    co_return 7;
}
Deferred<int> whileBodyAwaits(int n, Deferred<int>) {
    while (true) {
        co_await number(1);
        if (--n <= 0) break;
    }
    co_return 7;
}
Deferred<int> doBodyAwaits(int n, Deferred<int>) {
    do {
        co_await number(1);
        --n;
    } while (n > 0);
    co_return 7;
}
Deferred<int> switchBodyAwaits(int n, Deferred<int>) {
    switch (n) {
        case 1:
            co_await number(1);
            hit();
            break;
        default:
            break;
    }
    co_return 7;
}
Deferred<int> forStepOfParameter(int n, Deferred<int>) {
    for (; n < 4; n += co_await number(1)) hit();
    co_return 7;
}
Deferred<int> forStartOfParameter(int n, Deferred<int>) {
    for (n = co_await number(3); n > 0; --n) hit();
    co_return 7;
}
Deferred<int> forRange(int, Deferred<int>) {
    for (const int x : co_await several()) hits += x;
    co_return 7;
}
Deferred<int> forRangeWithAwaits(int, Deferred<int>) {
    for (const std::string& s : co_await severalWords()) {
        co_await number(1);
        hits += size(s);
    }
    co_return hits % 60 + 7;
}
Deferred<int> goTo(int n, Deferred<int>) {
again:
    co_await number(1);
    if (--n > -2) goto again;
    co_return 7;
}
Deferred<int> conditionOfAConditional(int, Deferred<int>) {
    const int x = co_await number(1) ? 7 : 8;
    co_return x;
}
Deferred<int> conditionOfAReturnedConditional(int, Deferred<int>) {
    co_return co_await yes() ? 7 : 8;
}

const Form all[] = {
    {"ifNamed", ifNamed},
    {"ifNamedAfterSemicolon", ifNamedAfterSemicolon},
    {"ifNamedResult", ifNamedResult},
    {"ifNamedResultThatFailed", ifNamedResultThatFailed},
    {"ifNamedInElse", ifNamedInElse},
    {"ifNamedBefore", ifNamedBefore},
    {"whileNamed", whileNamed},
    {"whileTrueNamed", whileTrueNamed},
    {"switchNamed", switchNamed},
    {"switchNamedAfterSemicolon", switchNamedAfterSemicolon},
    {"doNamed", doNamed},
    {"forNamed", forNamed},
    {"ifAfterLocal", ifAfterLocal},
    {"ifBeforeLocal", ifBeforeLocal},
    {"ifAfterBlockWithLocal", ifAfterBlockWithLocal},
    {"ifBeforeBlockWithLocal", ifBeforeBlockWithLocal},
    {"ifBodyWithLocal", ifBodyWithLocal},
    {"ifElseWithLocal", ifElseWithLocal},
    {"ifAfterLoopWithLocal", ifAfterLoopWithLocal},
    {"ifAfterStatic", ifAfterStatic},
    {"ifAfterConstant", ifAfterConstant},
    {"ifAfterAlias", ifAfterAlias},
    {"ifAfterReference", ifAfterReference},
    {"ifAfterType", ifAfterType},
    {"ifAfterHandlerWithName", ifAfterHandlerWithName},
    {"ifOfLocalHandle", ifOfLocalHandle},
    {"ifOfLocalResult", ifOfLocalResult},
    {"ifOfMovedLocal", ifOfMovedLocal},
    {"ifAssignedLocal", ifAssignedLocal},
    {"ifAndLocal", ifAndLocal},
    {"whileWithLocal", whileWithLocal},
    {"whileBodyWithLocal", whileBodyWithLocal},
    {"doWithLocal", doWithLocal},
    {"doBodyWithLocal", doBodyWithLocal},
    {"forCondition", forCondition},
    {"forComparison", forComparison},
    {"forStep", forStep},
    {"forContinue", forContinue},
    {"switchWithLocal", switchWithLocal},
    {"switchBodyWithLocal", switchBodyWithLocal},
    {"ifBodyAwaits", ifBodyAwaits},
    {"whileBodyAwaits", whileBodyAwaits},
    {"doBodyAwaits", doBodyAwaits},
    {"switchBodyAwaits", switchBodyAwaits},
    {"forStepOfParameter", forStepOfParameter},
    {"forStartOfParameter", forStartOfParameter},
    {"forRange", forRange},
    {"forRangeWithAwaits", forRangeWithAwaits},
    {"goTo", goTo},
    {"conditionOfAConditional", conditionOfAConditional},
    {"conditionOfAReturnedConditional", conditionOfAReturnedConditional},
};

TEST_CASE("a condition that awaits, fired before") {
    runAll(all, Ending::fired);
}

TEST_CASE("a condition that awaits, fired later") {
    runAll(all, Ending::firesLater);
}

TEST_CASE("a condition that awaits, abandoned") {
    runAll(all, Ending::abandoned);
}

} // namespace
