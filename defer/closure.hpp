#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/callback.hpp>
#include <ropewalk/defer/describe.hpp>

/// What lies behind an entry: a callable, and the code that calls it with the chain's result and puts what it gives in
/// that result's place.
namespace ropewalk::defer::detail {

struct Access {
    template <class D>
    static Chain* chainOf(const D& d) noexcept {
        return d.chain_;
    }
    /// Takes over a reference.
    template <class T>
    static Deferred<T> adopt(Chain* chain) noexcept {
        return Deferred<T>(chain, Adopted{});
    }
    template <class T>
    static Deferred<T> share(Chain* chain) noexcept {
        chain->retain();
        return Deferred<T>(chain, Adopted{});
    }
    template <class D>
    static Chain* steal(D& d) noexcept {
        return std::exchange(d.chain_, nullptr);
    }
    struct Adopted {};
};

/// In the place of an end's type: the handle may be a stale one, so whatever comes leaves None.
struct UnknownEnd {};
template <class T>
using EndKept = std::conditional_t<std::is_void_v<T>, UnknownEnd, T>;

template <class T>
void setNoneOrValue(Chain& chain, const char* who, std::source_location where) {
    if constexpr (std::is_void_v<T>) {
        chain.clearResult();
        chain.setVoid();
    } else {
        chain.setNone(who, where);
    }
}

inline constexpr const char* silentErrback = "an errback that returned nothing";

/// The result of a Deferred<From> that the chain waited for becomes one of To.
template <class From, class To>
void convertResult(Chain& chain, std::source_location where) {
    if constexpr (std::is_same_v<To, UnknownEnd> || (std::is_void_v<From> && !std::is_void_v<To>)) {
        chain.setNone(silentErrback, where);
    } else if constexpr (!std::is_void_v<To> && !std::is_same_v<From, To>) {
        From value = std::move(chain.value<From>());
        chain.clearResult();
        chain.emplace<To>(std::move(value));
    }
}

template <class From, class To>
inline constexpr bool needsConversion = !std::is_same_v<From, To> && !std::is_void_v<To>;

/// Calls `call`, whose result is an R, and makes that the result of a chain that ends with an End. With `overwrites` there is
/// nothing to destroy in the slot.
template <class R, class End, bool overwrites = false, class Call>
void settleWith(Chain& chain, Entry& entry, Call&& call) {
    using Plain = std::decay_t<R>;
    using Value = typename Outcome<Plain>::Type;
    if constexpr (std::is_void_v<R>) {
        call();
        setNoneOrValue<End>(chain, silentErrback, entry.where);
    } else if constexpr (Outcome<Plain>::isFailure) {
        chain.setFailure(Failure(call()));
        chain.failure.passed(entry.where);
    } else if constexpr (IsDeferred<Plain>) {
        auto&& returned = call();
        Chain* inner = Access::chainOf(returned);
        if (inner == nullptr) {
            throwEmpty("the result of a callback", entry.where);
        }
        if constexpr (!std::is_void_v<Value>) {
            inner->requireEnd(&tagOf<Value>, entry.where);
        }
        entry.converts = needsConversion<Value, End>;
        chain.waitFor(*inner, entry);
        if constexpr (needsConversion<Value, End>) {
            if (!chain.waiting && chain.kind == Chain::Kind::value) {
                convertResult<Value, End>(chain, entry.where);
            }
        }
    } else if constexpr (Outcome<Plain>::isResult) {
        Plain result = call();
        if (!result) {
            chain.setFailure(std::move(result).error());
            chain.failure.passed(entry.where);
        } else if constexpr (std::is_void_v<Value> || std::is_void_v<End> ||
                             std::is_same_v<End, UnknownEnd>) {
            setNoneOrValue<End>(chain, silentErrback, entry.where);
        } else {
            chain.clearResult();
            chain.emplace<End>(*std::move(result));
        }
    } else if constexpr (std::is_void_v<End> || std::is_same_v<End, UnknownEnd>) {
        (void)call();
        setNoneOrValue<End>(chain, silentErrback, entry.where);
    } else {
        Plain value = call();
        if constexpr (!overwrites) {
            chain.clearResult();
        }
        chain.emplace<End>(std::move(value));
    }
}

template <class From, class To>
consteval bool checkConversion() {
    constexpr bool converts = std::is_void_v<From> || std::is_void_v<To> || std::is_constructible_v<To, From>;
    static_assert(
        converts,
        "ropewalk: an errback's value must convert to the type that the chain has here, or be nothing");
    return converts;
}

template <class F, class T>
decltype(auto) callWithValue(F& function, Chain& chain, const Entry& entry) {
    constexpr Takes how = takes<F, T>();
    static_assert(
        how != Takes::unfit,
        "ropewalk: this callback can take neither the Deferred's value (with the extra arguments) nor nothing");
    if constexpr (how == Takes::nothing) {
        return function();
    } else if constexpr (how == Takes::none) {
        return function(None{});
    } else if constexpr (how == Takes::value) {
        if (chain.kind == Chain::Kind::none) [[unlikely]] {
            if constexpr (NoneOf<T>::exists) {
                chain.clearResult();
                chain.emplace<T>(NoneOf<T>::value());
            } else {
                std::rethrow_exception(chain.noResult(entry.where));
            }
        }
        return function(std::move(chain.value<T>()));
    }
}

/// The chain's result as a Result; its value is moved out.
template <class T>
Result<T> takeResult(Chain& chain, std::source_location where) {
    if (chain.kind == Chain::Kind::failure) {
        return std::unexpected(chain.failure);
    }
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        if (chain.kind == Chain::Kind::none) {
            if constexpr (NoneOf<T>::exists) {
                return NoneOf<T>::value();
            } else {
                return std::unexpected(Failure(chain.noResult(where), where));
            }
        }
        return std::move(chain.value<T>());
    }
}

// How an errback takes the failure.

template <class G>
consteval Takes takesFailure() {
    return std::invocable<G&, const Failure&> || std::invocable<G&, Failure> ? Takes::value
           : std::invocable<G&>                                              ? Takes::nothing
                                                                             : Takes::unfit;
}

template <class G>
decltype(auto) callWithFailure(G& function, Chain& chain) {
    constexpr Takes how = takesFailure<G>();
    static_assert(how != Takes::unfit,
                  "ropewalk: this errback can take neither a Failure (with the extra arguments) nor nothing");
    if constexpr (std::invocable<G&, const Failure&>) {
        return function(std::as_const(chain.failure));
    } else if constexpr (how == Takes::value) {
        return function(Failure(chain.failure));
    } else if constexpr (how == Takes::nothing) {
        return function();
    }
}

template <class G>
using FailureCallResult = decltype(callWithFailure(std::declval<G&>(), std::declval<Chain&>()));

template <class F, class T>
consteval Takes takesBoth() {
    return std::invocable<F&, Result<T>> ? Takes::value : std::invocable<F&> ? Takes::nothing : Takes::unfit;
}

template <class F, class T, Takes how = takesBoth<F, T>()>
struct BothCall {
    using Result = void;
};
template <class F, class T>
struct BothCall<F, T, Takes::value> {
    using Result = std::invoke_result_t<F&, ropewalk::Result<T>>;
};
template <class F, class T>
struct BothCall<F, T, Takes::nothing> {
    using Result = std::invoke_result_t<F&>;
};
template <class F, class T>
using BothCallResult = typename BothCall<F, T>::Result;

/// `settleWith` for a call with the Result. A Deferred that it returns may be a coroutine's, which may refer to the Result as
/// long as the chain waits for it: then the Result lies in the slot.
template <class R, class End, class T, class Call>
void settleWithResult(Chain& chain, Entry& entry, Call&& call) {
    if constexpr (IsDeferred<R>) {
        Result<T> result = takeResult<T>(chain, entry.where);
        chain.clearResult();
        chain.emplace<Result<T>>(std::move(result));
        settleWith<R, End>(chain, entry,
                           [&]() -> decltype(auto) { return call(std::move(chain.value<Result<T>>())); });
    } else {
        settleWith<R, End>(chain, entry,
                           [&]() -> decltype(auto) { return call(takeResult<T>(chain, entry.where)); });
    }
}

// The closures.

template <class T>
struct IsHeldTrivially : std::bool_constant<Held<T>::isTrivial> {};

template <class T, class End, class F>
struct OnValue {
    static constexpr bool onValue = true;
    static constexpr bool onFailure = false;
    F function;

    void run(Chain& chain, Entry& entry, Loop*) {
        constexpr bool overwrites =
            std::conjunction_v<std::bool_constant<takes<F, T>() == Takes::value>, IsHeldTrivially<T>>;
        settleWith<typename CallResult<F, T>::Type, End, overwrites>(
            chain, entry, [&]() -> decltype(auto) { return callWithValue<F, T>(function, chain, entry); });
    }
    static void convert(Chain&, Entry&) {}
};

template <class End, class G>
struct OnFailure {
    static constexpr bool onValue = false;
    static constexpr bool onFailure = true;
    G function;

    using Returned = FailureCallResult<G>;
    using Value = EndAfter<Returned, End>;

    void run(Chain& chain, Entry& entry, Loop*) {
        settleWith<Returned, EndKept<End>>(
            chain, entry, [&]() -> decltype(auto) { return callWithFailure(function, chain); });
    }
    static void convert(Chain& chain, Entry& entry) {
        convertResult<Value, EndKept<End>>(chain, entry.where);
    }
};

template <class T, class End, class F, class G>
struct OnEither {
    static constexpr bool onValue = true;
    static constexpr bool onFailure = true;
    OnValue<T, End, F> forValue;
    OnFailure<End, G> forFailure;

    void run(Chain& chain, Entry& entry, Loop* loop) {
        if (chain.kind == Chain::Kind::failure) {
            forFailure.run(chain, entry, loop);
        } else {
            forValue.run(chain, entry, loop);
        }
    }
    static void convert(Chain& chain, Entry& entry) { OnFailure<End, G>::convert(chain, entry); }
};

template <class T, class End, class F>
struct OnBoth {
    static constexpr bool onValue = true;
    static constexpr bool onFailure = true;
    F function;

    void run(Chain& chain, Entry& entry, Loop*) {
        if constexpr (takesBoth<F, T>() == Takes::value) {
            settleWithResult<BothCallResult<F, T>, End, T>(
                chain, entry,
                [&](Result<T>&& result) -> decltype(auto) { return function(std::move(result)); });
        } else {
            settleWith<BothCallResult<F, T>, End>(chain, entry, function);
        }
    }
    static void convert(Chain&, Entry&) {}
};

/// Sees the chain itself, as it passes, and its own entry: the library's own.
template <class F>
struct Tap {
    static constexpr bool onValue = true;
    static constexpr bool onFailure = true;
    F function;

    void run(Chain& chain, Entry& entry, Loop* loop) { function(chain, entry, *loop); }
    static void convert(Chain&, Entry&) {}
};

// Closures follow their entry, which is aligned to 8 bytes; those that want more lie on the heap.

template <class Closure>
inline constexpr bool liesInEntry = alignof(Closure) <= 8;

template <class Closure>
Closure& closureOf(Entry& entry) noexcept {
    void* place = &entry + 1;
    if constexpr (liesInEntry<Closure>) {
        return *std::launder(static_cast<Closure*>(place));
    } else {
        return **std::launder(static_cast<Closure**>(place));
    }
}

template <class Closure>
void operate(Verb verb, Entry& entry, Chain& chain, Loop* loop) {
    Closure& closure = closureOf<Closure>(entry);
    switch (verb) {
        case Verb::run:
            closure.run(chain, entry, loop);
            return;
        case Verb::convert:
            Closure::convert(chain, entry);
            return;
        case Verb::drop:
            if constexpr (liesInEntry<Closure>) {
                destroyQuietly(&closure);
            } else {
                deleteQuietly(&closure);
            }
            return;
    }
}

/// Adds the closure to the chain.
template <class Closure>
void storeClosure(Chain& chain, Closure&& closure, std::source_location where) {
    if (chain.dying) [[unlikely]] {
        return;
    }
    constexpr std::size_t size = sizeof(Entry) + (liesInEntry<Closure> ? sizeof(Closure) : sizeof(Closure*));
    constexpr std::uint32_t bytes = Chain::rounded(size);
    constexpr bool hasDrop = !std::is_trivially_destructible_v<Closure> || !liesInEntry<Closure>;
    constexpr std::uint8_t traits = static_cast<std::uint8_t>((Closure::onValue ? Entry::onValue : 0) |
                                                              (Closure::onFailure ? Entry::onFailure : 0) |
                                                              (hasDrop ? Entry::hasDrop : 0));
    auto* entry = static_cast<Entry*>(chain.reserve(bytes));
    void* place = entry + 1;
    if constexpr (liesInEntry<Closure> && std::is_trivially_copyable_v<Closure>) {
        ::new (place) Closure(closure);
    } else {
        // Until the closure stands, the entry is one to skip: the user's constructors may throw, or come here again.
        ::new (entry) Entry{nullptr, where, bytes, Entry::Type::skipped, 0, false};
        if constexpr (liesInEntry<Closure>) {
            ::new (place) Closure(std::forward<Closure>(closure));
        } else {
            ::new (place)(Closure*)(new Closure(std::forward<Closure>(closure)));
        }
    }
    ::new (entry) Entry{&operate<Closure>, where, bytes, Entry::Type::callback, traits, false};
}

/// Adds the closure to the chain, where it runs now if a result is there, and gives a handle of the type that follows.
template <class End, bool changesEnd = false, class Closure>
Deferred<End> addClosure(Chain& chain, Closure&& closure, std::source_location where) {
    storeClosure(chain, std::forward<Closure>(closure), where);
    if constexpr (changesEnd) {
        chain.end = &tagOf<End>;
    }
    if (chain.idle()) [[unlikely]] {
        // What runs may drop the handle that this was called on.
        Deferred<End> after = Access::share<End>(&chain);
        chain.runIdle(where);
        return after;
    }
    return Access::share<End>(&chain);
}

template <class F>
void addTap(Chain& chain, F&& function, std::source_location where) {
    storeClosure(chain, Tap<std::decay_t<F>>{std::forward<F>(function)}, where);
    chain.added(where);
}

/// Fires another chain, whose result is in place, from a tap: it runs in the tap's loop.
inline void fireIn(Loop& loop, Chain& chain, std::source_location where) {
    chain.retain();
    chain.settle(where);
    loop.pushIfRunnable(chain);
}

} // namespace ropewalk::defer::detail
