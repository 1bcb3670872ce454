#include "forms.hpp"

#include "run_named.hpp"

#include <utility>

// Forms that GCC 12 gives a wrong frame: a condition awaits, nobody has a name for the result, and the coroutine declares
// nothing anywhere. They end with our message there; elsewhere they work.
namespace {

using namespace forms;

// if

Deferred<int> ifPlain(int, Deferred<int>) {
    if (co_await number(1)) hit();
    co_return 7;
}
Deferred<int> ifWithElse(int, Deferred<int>) {
    if (co_await number(0))
        hit();
    else
        hit();
    co_return 7;
}
Deferred<int> ifNot(int, Deferred<int>) {
    if (!co_await number(0)) hit();
    co_return 7;
}
Deferred<int> ifCompared(int, Deferred<int>) {
    if (co_await number(4) > 3) hit();
    co_return 7;
}
Deferred<int> ifAndLeft(int n, Deferred<int>) {
    if (co_await number(4) && n == 1) hit();
    co_return 7;
}
Deferred<int> ifAndRight(int n, Deferred<int>) {
    if (n == 1 && co_await number(4)) hit();
    co_return 7;
}
Deferred<int> ifOr(int n, Deferred<int>) {
    if (n == 2 || co_await number(4)) hit();
    co_return 7;
}
Deferred<int> ifAndBoth(int, Deferred<int>) {
    if (co_await number(1) && co_await number(2)) hit();
    co_return 7;
}
Deferred<int> ifCall(int, Deferred<int>) {
    if (same(co_await number(1))) hit();
    co_return 7;
}
Deferred<int> ifAwaitInAwait(int, Deferred<int>) {
    if (co_await number(co_await number(1))) hit();
    co_return 7;
}
Deferred<int> ifMethod(int, Deferred<int>) {
    if ((co_await words()).size() == 60) hit();
    co_return 7;
}
Deferred<int> ifPlainValue(int, Deferred<int>) {
    if (co_await 1) hit();
    co_return 7;
}
Deferred<int> ifVariable(int n, Deferred<int>) {
    if (co_await n) hit();
    co_return 7;
}
Deferred<int> ifParameter(int, Deferred<int> d) {
    if (co_await d) hit();
    co_return 7;
}
Deferred<int> ifMovedParameter(int, Deferred<int> d) {
    if (co_await std::move(d)) hit();
    co_return 7;
}
Deferred<int> ifResultOfParameter(int, Deferred<int> d) {
    if (co_await d.result()) hit();
    co_return 7;
}
Deferred<int> ifResultOfTemporary(int, Deferred<int>) {
    if (co_await number(1).result()) hit();
    co_return 7;
}
Deferred<int> ifAssigned(int n, Deferred<int>) {
    if ((n = co_await number(1))) hit();
    co_return 7;
}
Deferred<int> ifComma(int, Deferred<int>) {
    if (hit(), co_await number(1)) hit();
    co_return 7;
}
Deferred<int> ifConditional(int n, Deferred<int>) {
    if (co_await number(1) ? n : 0) hit();
    co_return 7;
}
Deferred<int> ifCast(int, Deferred<int>) {
    if (static_cast<bool>(co_await number(1))) hit();
    co_return 7;
}
Deferred<int> ifInABlock(int, Deferred<int>) {
    {
        if (co_await number(1)) hit();
    }
    co_return 7;
}
Deferred<int> ifInAnIf(int n, Deferred<int>) {
    if (n == 1) {
        if (co_await number(1)) hit();
    }
    co_return 7;
}
Deferred<int> ifInATry(int, Deferred<int>) {
    try {
        if (co_await number(1)) hit();
    } catch (...) {
        hit();
    }
    co_return 7;
}
Deferred<int> ifTwice(int, Deferred<int>) {
    if (co_await number(1)) hit();
    if (co_await number(0)) hit();
    co_return 7;
}
Deferred<int> ifAfterSemicolon(int, Deferred<int>) {
    if (hit(); co_await number(1)) hit();
    co_return 7;
}
Deferred<int> ifReturns(int, Deferred<int>) {
    if (co_await yes()) co_return 7;
    co_return 8;
}
Deferred<int> ifElseIf(int, Deferred<int>) {
    if (co_await number(0)) {
        co_return 6;
    } else if (co_await yes()) {
        co_return 7;
    } else {
        co_return 8;
    }
}
Deferred<int> ifBodyAwaits(int, Deferred<int>) {
    if (co_await number(1)) {
        co_await number(2);
        hit();
    }
    co_return 7;
}

// Loops and switch

Deferred<int> whileBreak(int, Deferred<int>) {
    while (co_await number(1)) {
        break;
    }
    co_return 7;
}
Deferred<int> whileParameter(int n, Deferred<int>) {
    while (co_await number(n)) --n;
    co_return 7;
}
Deferred<int> whileCompared(int n, Deferred<int>) {
    while (co_await number(n) < 3) ++n;
    co_return 7;
}
Deferred<int> whileTrueIf(int, Deferred<int>) {
    while (true) {
        if (co_await yes()) break;
    }
    co_return 7;
}
Deferred<int> whileInAnIf(int n, Deferred<int>) {
    if (n == 1) {
        while (co_await number(n)) --n;
    }
    co_return 7;
}
Deferred<int> doParameter(int n, Deferred<int>) {
    do {
        --n;
    } while (co_await number(n));
    co_return 7;
}
Deferred<int> doContinue(int n, Deferred<int>) {
    do {
        --n;
        if (n != 0) continue;
    } while (co_await number(n));
    co_return 7;
}
Deferred<int> forWithoutVariable(int n, Deferred<int>) {
    for (; co_await number(n); --n) hit();
    co_return 7;
}
Deferred<int> switchPlain(int, Deferred<int>) {
    switch (co_await number(2)) {
        case 2:
            hit();
            break;
        default:
            break;
    }
    co_return 7;
}
Deferred<int> switchReturns(int, Deferred<int>) {
    switch (co_await number(2)) {
        case 2:
            co_return 7;
        default:
            co_return 8;
    }
}
Deferred<int> switchBodyAwaits(int, Deferred<int>) {
    switch (co_await number(1)) {
        case 1:
            co_await number(1);
            hit();
            break;
        default:
            break;
    }
    co_return 7;
}

const Form all[] = {
    {"ifPlain", ifPlain},
    {"ifWithElse", ifWithElse},
    {"ifNot", ifNot},
    {"ifCompared", ifCompared},
    {"ifAndLeft", ifAndLeft},
    {"ifAndRight", ifAndRight},
    {"ifOr", ifOr},
    {"ifAndBoth", ifAndBoth},
    {"ifCall", ifCall},
    {"ifAwaitInAwait", ifAwaitInAwait},
    {"ifMethod", ifMethod},
    {"ifPlainValue", ifPlainValue},
    {"ifVariable", ifVariable},
    {"ifParameter", ifParameter},
    {"ifMovedParameter", ifMovedParameter},
    {"ifResultOfParameter", ifResultOfParameter},
    {"ifResultOfTemporary", ifResultOfTemporary},
    {"ifAssigned", ifAssigned},
    {"ifComma", ifComma},
    {"ifConditional", ifConditional},
    {"ifCast", ifCast},
    {"ifInABlock", ifInABlock},
    {"ifInAnIf", ifInAnIf},
    {"ifInATry", ifInATry},
    {"ifTwice", ifTwice},
    {"ifAfterSemicolon", ifAfterSemicolon},
    {"ifReturns", ifReturns},
    {"ifElseIf", ifElseIf},
    {"ifBodyAwaits", ifBodyAwaits},
    {"whileBreak", whileBreak},
    {"whileParameter", whileParameter},
    {"whileCompared", whileCompared},
    {"whileTrueIf", whileTrueIf},
    {"whileInAnIf", whileInAnIf},
    {"doParameter", doParameter},
    {"doContinue", doContinue},
    {"forWithoutVariable", forWithoutVariable},
    {"switchPlain", switchPlain},
    {"switchReturns", switchReturns},
    {"switchBodyAwaits", switchBodyAwaits},
};

} // namespace

int main(int argc, char** argv) {
    return forms::runNamed(all, argc, argv);
}
