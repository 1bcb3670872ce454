#include "forms.hpp"

#include "run_all.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Expressions that await and that GCC 12 compiles as they stand.
namespace {

using namespace forms;

// Statements and operators.

Deferred<int> alone(int, Deferred<int>) {
    co_await number(1);
    hit();
    co_await number(2);
    co_return 7;
}
Deferred<int> discarded(int, Deferred<int>) {
    (void)co_await words();
    co_return 7;
}
Deferred<int> assigned(int n, Deferred<int>) {
    n = co_await number(7);
    co_return n;
}
Deferred<int> added(int, Deferred<int>) {
    hits += co_await number(1);
    co_return 7;
}
Deferred<int> returned(int, Deferred<int>) {
    co_return co_await number(7);
}
Deferred<int> returnedSum(int, Deferred<int>) {
    co_return co_await number(3) + co_await number(4);
}
Deferred<int> returnedAnd(int, Deferred<int>) {
    co_return (co_await number(3) && co_await number(4)) ? 7 : 8;
}
Deferred<int> sum(int, Deferred<int>) {
    const int s = co_await number(3) + co_await number(4);
    co_return s;
}
Deferred<int> texts(int, Deferred<int>) {
    const std::string s = co_await words() + co_await words();
    co_return size(s) == 120 ? 7 : 8;
}
Deferred<int> textsWithMore(int, Deferred<int>) {
    const std::string s = "a" + co_await words() + std::to_string(co_await number(1)) + "b";
    co_return size(s) == 63 ? 7 : 8;
}
Deferred<int> textsAppended(int, Deferred<int>) {
    std::string s;
    s += co_await words();
    s.append(co_await words());
    co_return size(s) == 120 ? 7 : 8;
}
Deferred<int> andNamed(int, Deferred<int>) {
    const bool ok = co_await number(1) && co_await number(2);
    co_return ok ? 7 : 8;
}
Deferred<int> orNamed(int, Deferred<int>) {
    const bool ok = co_await number(0) || co_await number(2);
    co_return ok ? 7 : 8;
}
Deferred<int> andThatStops(int, Deferred<int>) {
    const bool ok = co_await number(0) && co_await fails();
    co_return ok ? 8 : 7;
}
Deferred<int> orThatStops(int, Deferred<int>) {
    const bool ok = co_await number(1) || co_await fails();
    co_return ok ? 7 : 8;
}
Deferred<int> comma(int n, Deferred<int>) {
    n = (hit(), co_await number(7));
    co_return n;
}
Deferred<int> negated(int, Deferred<int>) {
    const int x = -co_await number(-7);
    co_return x;
}
Deferred<int> inParentheses(int, Deferred<int>) {
    const int x = (co_await number(7));
    co_return x;
}
Deferred<int> armsOfNumbers(int n, Deferred<int>) {
    const int x = n == 1 ? co_await number(7) : co_await number(8);
    co_return x;
}
Deferred<int> oneArmOfNumbers(int n, Deferred<int>) {
    const int x = n == 1 ? co_await number(7) : 8;
    co_return x;
}

// What was awaited is used in place.

Deferred<int> member(int, Deferred<int>) {
    const int x = (co_await aggregate()).n;
    co_return x + 4;
}
Deferred<int> method(int, Deferred<int>) {
    const std::string s = (co_await words()).substr(0, 50);
    co_return size(s) == 50 ? 7 : 8;
}
Deferred<int> arrow(int, Deferred<int>) {
    const std::size_t length = (co_await shared())->size();
    co_return length == 60 ? 7 : 8;
}
Deferred<int> pointedTo(int, Deferred<int>) {
    const int x = *co_await owned();
    co_return x;
}
Deferred<int> indexed(int, Deferred<int>) {
    const int x = (co_await several())[2];
    co_return x + 5;
}
Deferred<int> index(int, Deferred<int>) {
    const std::vector<int> v(2, 7);
    const int x = v[static_cast<std::size_t>(co_await number(1))];
    co_return x;
}

// Arguments of an ordinary function.

Deferred<int> argument(int, Deferred<int>) {
    const int x = same(co_await number(7));
    co_return x;
}
Deferred<int> arguments(int, Deferred<int>) {
    const int x = plus(co_await number(3), co_await number(4));
    co_return x;
}
Deferred<int> argumentTexts(int, Deferred<int>) {
    const int x = size(joined(co_await words(), co_await words()));
    co_return x == 120 ? 7 : 8;
}
Deferred<int> argumentByReference(int, Deferred<int>) {
    const int x = size(co_await words());
    co_return x == 60 ? 7 : 8;
}
Deferred<int> argumentPushed(int, Deferred<int>) {
    std::vector<std::string> v;
    v.push_back(co_await words());
    v.emplace_back(co_await words());
    co_return size(v[1]) == 60 ? 7 : 8;
}
Deferred<int> argumentOfAConstructor(int, Deferred<int>) {
    const auto p = std::make_unique<int>(co_await number(7));
    co_return *p;
}
Deferred<int> argumentResized(int, Deferred<int>) {
    std::vector<int> v;
    v.resize(static_cast<std::size_t>(co_await number(7)));
    co_return static_cast<int>(v.size());
}

// Arguments of what is awaited.

Deferred<int> textMovedIn(int, Deferred<int>) {
    const int x = co_await takesText(std::string(60, 'x'));
    co_return x == 60 ? 7 : 8;
}
Deferred<int> textByReference(int, Deferred<int>) {
    const int x = co_await takesTextByReference(std::string(60, 'x'));
    co_return x == 60 ? 7 : 8;
}
Deferred<int> textFromALiteral(int, Deferred<int>) {
    const int x = co_await takesText("a literal that is longer than a small string");
    co_return x == 44 ? 7 : 8;
}
Deferred<int> textByReferenceFromALiteral(int, Deferred<int>) {
    const int x = co_await takesTextByReference("a literal that is longer than a small string");
    co_return x == 44 ? 7 : 8;
}
Deferred<int> textJoined(int, Deferred<int>) {
    const std::string s = text;
    const int x = co_await takesTextByReference(s + "y" + s);
    co_return x == 121 ? 7 : 8;
}
Deferred<int> viewOfATemporary(int, Deferred<int>) {
    const int x = co_await takesView(std::string(60, 'x'));
    co_return x == 60 ? 7 : 8;
}
Deferred<int> object(int, Deferred<int>) {
    const int x = co_await takesGuard(Guard());
    co_return x == 60 ? 7 : 8;
}
Deferred<int> objectByReference(int, Deferred<int>) {
    const int x = co_await takesGuardByReference(Guard());
    co_return x == 60 ? 7 : 8;
}
Deferred<int> uniquePointer(int, Deferred<int>) {
    const int x = co_await takesOwned(std::make_unique<int>(7));
    co_return x;
}
Deferred<int> pairMade(int, Deferred<int>) {
    const int x = co_await takesPair(std::make_pair(text, 3));
    co_return x == 63 ? 7 : 8;
}
Deferred<int> pairBraced(int, Deferred<int>) {
    const int x = co_await takesPair({text, 3});
    co_return x == 63 ? 7 : 8;
}
Deferred<int> optionalGiven(int, Deferred<int>) {
    const int x = co_await takesOptional(text);
    co_return x == 60 ? 7 : 8;
}
Deferred<int> optionalEmpty(int, Deferred<int>) {
    const int x = co_await takesOptional(std::nullopt);
    co_return x + 7;
}
Deferred<int> aggregateWithoutDestructor(int, Deferred<int>) {
    const int x = co_await takesNumbers(Numbers{3, 4});
    co_return x;
}
Deferred<int> aggregateWithoutDestructorBraced(int, Deferred<int>) {
    const int x = co_await takesNumbers({.a = 3, .b = 4});
    co_return x;
}
Deferred<int> deferred(int, Deferred<int>) {
    const int x = co_await twice(number(3));
    co_return x + 1;
}
Deferred<int> deferredOfAnAwait(int, Deferred<int>) {
    const int x = co_await twice(number(co_await number(3)));
    co_return x + 1;
}
Deferred<int> textOfAnAwait(int, Deferred<int>) {
    const int x = co_await takesText(co_await words());
    co_return x == 60 ? 7 : 8;
}
Deferred<int> textByReferenceOfAnAwait(int, Deferred<int>) {
    const int x = co_await takesTextByReference(co_await words());
    co_return x == 60 ? 7 : 8;
}
Deferred<int> defaultArgument(int, Deferred<int>) {
    const int x = co_await takesDefault();
    co_return x == 60 ? 7 : 8;
}
Deferred<int> vectorOfCopies(int, Deferred<int>) {
    const int x = co_await takesVector(std::vector<int>(7, 1));
    co_return x;
}
Deferred<int> numberChosen(int n, Deferred<int>) {
    const int x = co_await number(n == 1 ? 7 : 8);
    co_return x;
}
Deferred<int> literalChosen(int n, Deferred<int>) {
    const int x = co_await takesText(n == 1 ? "seven" : "eight");
    co_return x + 2;
}
Deferred<int> optionsOfAList(int, Deferred<int>) {
    const auto all = co_await defer::DeferredList(two(), {.consumeErrors = true});
    co_return *all[0] + *all[1];
}
Deferred<int> optionsBeforeLooseMembers(int, Deferred<int>) {
    const auto all =
        co_await defer::DeferredList(defer::DeferredListOptions{.consumeErrors = true}, number(3), number(4));
    co_return *all[0] + *all[1];
}
Deferred<int> looseMembers(int, Deferred<int>) {
    const auto all = co_await defer::DeferredList(number(3), number(4));
    co_return *all[0] + *all[1];
}
Deferred<int> looseMembersUnpacked(int, Deferred<int>) {
    const auto [a, b] = co_await defer::DeferredList(number(7), words());
    co_return size(*b) == 60 ? *a : 8;
}

// Lambdas: those that own nothing, and those that have a name.

Deferred<int> lambdaWithoutCaptures(int, Deferred<int>) {
    const int x = co_await calls([] { return 7; });
    co_return x;
}
Deferred<int> lambdaWithReferences(int, Deferred<int>) {
    const int seven = 7;
    const int x = co_await calls([&] { return seven; });
    co_return x;
}
Deferred<int> lambdaWithNumbers(int n, Deferred<int>) {
    int seven = 7;
    const int x = co_await calls([seven, n] { return seven * n; });
    co_return x;
}
Deferred<int> lambdaWithPointers(int n, Deferred<int>) {
    const int x = co_await calls([p = &n] { return *p + 6; });
    co_return x;
}
Deferred<int> lambdaNamed(int, Deferred<int>) {
    const auto f = [s = text] { return size(s); };
    const int x = co_await calls(f);
    co_return x == 60 ? 7 : 8;
}
Deferred<int> lambdaNamedAndMoved(int, Deferred<int>) {
    auto f = [s = text] { return size(s); };
    const int x = co_await calls(std::move(f));
    co_return x == 60 ? 7 : 8;
}
Deferred<int> lambdaByReferenceNamed(int, Deferred<int>) {
    const auto f = [s = text] { return size(s); };
    const int x = co_await callsByReference(f);
    co_return x == 60 ? 7 : 8;
}
Deferred<int> lambdaAsFunction(int, Deferred<int>) {
    const int seven = 7;
    const int x = co_await takesFunction([&] { return seven; });
    co_return x;
}
Deferred<int> lambdaOfACallbackAddedBefore(int, Deferred<int>) {
    const Deferred<int> length = number(1).addCallback([s = text](int) { return size(s); });
    const int x = co_await length;
    co_return x == 60 ? 7 : 8;
}
Deferred<int> callbackWithAnExtraArgument(int, Deferred<int>) {
    const int x = co_await number(1).addCallback([](int, const std::string& s) { return size(s); }, text);
    co_return x == 60 ? 7 : 8;
}
Deferred<int> lambdaThatIsCalledAndAwaited(int, Deferred<int>) {
    const int x = co_await [](int seven) { return number(seven); }(7);
    co_return x;
}
Deferred<int> lambdaCoroutine(int, Deferred<int>) {
    const auto f = [](int seven) -> Deferred<int> {
        const int x = co_await number(seven);
        co_return x;
    };
    const int x = co_await f(7);
    co_return x;
}

const Form all[] = {
    {"alone", alone},
    {"discarded", discarded},
    {"assigned", assigned},
    {"added", added},
    {"returned", returned},
    {"returnedSum", returnedSum},
    {"returnedAnd", returnedAnd},
    {"sum", sum},
    {"texts", texts},
    {"textsWithMore", textsWithMore},
    {"textsAppended", textsAppended},
    {"andNamed", andNamed},
    {"orNamed", orNamed},
    {"andThatStops", andThatStops},
    {"orThatStops", orThatStops},
    {"comma", comma},
    {"negated", negated},
    {"inParentheses", inParentheses},
    {"armsOfNumbers", armsOfNumbers},
    {"oneArmOfNumbers", oneArmOfNumbers},
    {"member", member},
    {"method", method},
    {"arrow", arrow},
    {"pointedTo", pointedTo},
    {"indexed", indexed},
    {"index", index},
    {"argument", argument},
    {"arguments", arguments},
    {"argumentTexts", argumentTexts},
    {"argumentByReference", argumentByReference},
    {"argumentPushed", argumentPushed},
    {"argumentOfAConstructor", argumentOfAConstructor},
    {"argumentResized", argumentResized},
    {"textMovedIn", textMovedIn},
    {"textByReference", textByReference},
    {"textFromALiteral", textFromALiteral},
    {"textByReferenceFromALiteral", textByReferenceFromALiteral},
    {"textJoined", textJoined},
    {"viewOfATemporary", viewOfATemporary},
    {"object", object},
    {"objectByReference", objectByReference},
    {"uniquePointer", uniquePointer},
    {"pairMade", pairMade},
    {"pairBraced", pairBraced},
    {"optionalGiven", optionalGiven},
    {"optionalEmpty", optionalEmpty},
    {"aggregateWithoutDestructor", aggregateWithoutDestructor},
    {"aggregateWithoutDestructorBraced", aggregateWithoutDestructorBraced},
    {"deferred", deferred},
    {"deferredOfAnAwait", deferredOfAnAwait},
    {"textOfAnAwait", textOfAnAwait},
    {"textByReferenceOfAnAwait", textByReferenceOfAnAwait},
    {"defaultArgument", defaultArgument},
    {"vectorOfCopies", vectorOfCopies},
    {"numberChosen", numberChosen},
    {"literalChosen", literalChosen},
    {"optionsOfAList", optionsOfAList},
    {"optionsBeforeLooseMembers", optionsBeforeLooseMembers},
    {"looseMembers", looseMembers},
    {"looseMembersUnpacked", looseMembersUnpacked},
    {"lambdaWithoutCaptures", lambdaWithoutCaptures},
    {"lambdaWithReferences", lambdaWithReferences},
    {"lambdaWithNumbers", lambdaWithNumbers},
    {"lambdaWithPointers", lambdaWithPointers},
    {"lambdaNamed", lambdaNamed},
    {"lambdaNamedAndMoved", lambdaNamedAndMoved},
    {"lambdaByReferenceNamed", lambdaByReferenceNamed},
    {"lambdaAsFunction", lambdaAsFunction},
    {"lambdaOfACallbackAddedBefore", lambdaOfACallbackAddedBefore},
    {"callbackWithAnExtraArgument", callbackWithAnExtraArgument},
    {"lambdaThatIsCalledAndAwaited", lambdaThatIsCalledAndAwaited},
    {"lambdaCoroutine", lambdaCoroutine},
};

TEST_CASE("an expression that awaits, fired before") {
    runAll(all, Ending::fired);
}

TEST_CASE("an expression that awaits, fired later") {
    runAll(all, Ending::firesLater);
}

TEST_CASE("an expression that awaits, abandoned") {
    runAll(all, Ending::abandoned);
}

} // namespace
