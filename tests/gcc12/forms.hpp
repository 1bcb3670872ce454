#pragma once

#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/living.hpp>

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the coroutines of these tests await. Each form of co_await is a coroutine of its own that gives 7 when all is well;
/// it is run with Deferreds that have fired, with such that fire later, and with such that never do.
namespace forms {

using ropewalk::Failure;
using ropewalk::Result;
using ropewalk::ValueError;
using ropewalk::defer::Deferred;
namespace defer = ropewalk::defer;

/// `n` is 1. `d` gives 1.
using Function = Deferred<int>(int n, Deferred<int> d);

struct Form {
    std::string_view name;
    Function* function;
};

inline int hits = 0;
inline int alive = 0;
inline bool unfired = false;
inline std::vector<Deferred<void>> pending;

inline void hit() {
    ++hits;
}

inline const std::string text(60, 'x');

/// Counted, with memory of its own.
struct Guard {
    Guard() { ++alive; }
    Guard(const Guard& other) : memory(other.memory) { ++alive; }
    Guard& operator=(const Guard&) = delete;
    ~Guard() { --alive; }
    std::string memory = text;
};

struct Aggregate {
    std::string s = {};
    int n = 0;
    int sum() const { return static_cast<int>(s.size()) + n; }
};

struct Numbers {
    int a = 0;
    int b = 0;
};

template <class T>
Deferred<T> later(T value) {
    if (!unfired) return defer::succeed(std::move(value));
    pending.push_back(Deferred<void>());
    return pending.back().addCallback([value = std::move(value)]() mutable { return std::move(value); });
}

inline Deferred<int> number(int n) {
    return later(n);
}
inline Deferred<bool> yes() {
    return later(true);
}
inline Deferred<std::string> words() {
    return later(text);
}
inline Deferred<std::unique_ptr<int>> owned() {
    return later(std::make_unique<int>(7));
}
inline Deferred<std::shared_ptr<std::string>> shared() {
    return later(std::make_shared<std::string>(text));
}
inline Deferred<std::vector<int>> several() {
    return later(std::vector<int>(3, 2));
}
inline Deferred<std::vector<std::string>> severalWords() {
    return later(std::vector<std::string>(2, text));
}
inline Deferred<std::pair<std::string, int>> pair() {
    return later(std::make_pair(text, 3));
}
inline Deferred<Aggregate> aggregate() {
    return later(Aggregate{text, 3});
}
inline Deferred<int> fails() {
    return number(1).addCallback([](int) -> int { throw ValueError("fails"); });
}

inline int size(const std::string& s) {
    return static_cast<int>(s.size());
}
inline std::string joined(std::string a, std::string b) {
    return a + b;
}
inline int same(int n) {
    return n;
}
inline int plus(int a, int b) {
    return a + b;
}

// Coroutines that take what must live until they end.
inline Deferred<int> takesText(std::string s) {
    co_await number(1);
    co_return size(s);
}
inline Deferred<int> takesTextByReference(const std::string& s) {
    co_await number(1);
    co_return size(s);
}
inline Deferred<int> takesView(std::string_view s) {
    co_await number(1);
    co_return static_cast<int>(s.size());
}
inline Deferred<int> takesGuard(Guard g) {
    co_await number(1);
    co_return size(g.memory);
}
inline Deferred<int> takesGuardByReference(const Guard& g) {
    co_await number(1);
    co_return size(g.memory);
}
inline Deferred<int> takesAggregate(Aggregate a) {
    co_await number(1);
    co_return a.sum();
}
inline Deferred<int> takesAggregateByReference(const Aggregate& a) {
    co_await number(1);
    co_return a.sum();
}
inline Deferred<int> takesNumbers(Numbers a) {
    co_await number(1);
    co_return a.a + a.b;
}
inline Deferred<int> takesPair(std::pair<std::string, int> p) {
    co_await number(1);
    co_return size(p.first) + p.second;
}
inline Deferred<int> takesOptional(std::optional<std::string> s) {
    co_await number(1);
    co_return s ? size(*s) : 0;
}
inline Deferred<int> takesOwned(std::unique_ptr<int> p) {
    co_await number(1);
    co_return *p;
}
inline Deferred<int> takesFunction(std::function<int()> f) {
    co_await number(1);
    co_return f();
}
inline Deferred<int> takesVector(std::vector<int> v) {
    co_await number(1);
    int sum = 0;
    for (const int n : v) sum += n;
    co_return sum;
}
inline Deferred<int> takesDeferreds(std::vector<Deferred<int>> all) {
    int sum = 0;
    for (const Deferred<int>& d : all) sum += co_await d;
    co_return sum;
}
template <class F>
Deferred<int> calls(F f) {
    co_await number(1);
    co_return f();
}
template <class F>
Deferred<int> callsByReference(const F& f) {
    co_await number(1);
    co_return f();
}
inline Deferred<int> twice(Deferred<int> d) {
    const int n = co_await d;
    co_return 2 * n;
}
inline Deferred<int> takesDefault(std::string s = text) {
    co_await number(1);
    co_return size(s);
}
inline std::vector<Deferred<int>> two() {
    std::vector<Deferred<int>> all;
    all.push_back(number(3));
    all.push_back(number(4));
    return all;
}

enum class Ending { fired, firesLater, abandoned };

/// The form's result, or -1; what failed it goes to `failed`, if it failed.
inline int run(const Form& form, Ending ending, std::string* failed = nullptr) {
    unfired = ending != Ending::fired;
    hits = 0;
    int got = -1;
    Deferred<int> parameter;
    if (!unfired) parameter.callback(1);
    Deferred<int> own = form.function(1, parameter);
    if (ending == Ending::abandoned) {
        parameter = nullptr;
        pending.clear();
        // One that holds what it awaits in a container, or as another temporary, keeps itself.
        while (!own.called() && !defer::livingCoroutines().empty()) own.cancel();
        own.addErrback([](const Failure& failure) { failure.trap<defer::CancelledError>(); });
        return got;
    }
    if (unfired) {
        parameter.callback(1);
        for (std::size_t i = 0; i < pending.size(); ++i) {
            const Deferred<void> next = pending[i];
            next.callback();
        }
        pending.clear();
    }
    own.addCallbacks([&](int n) { got = n; },
                     [&](const Failure& failure) {
                         if (failed != nullptr) *failed = failure.getErrorMessage();
                     });
    return got;
}

} // namespace forms
