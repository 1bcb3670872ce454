#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/chain.hpp>

/// The rules for callables: how one is called, and what its result means for the chain.
namespace std {
struct monostate; // NOLINT(readability-identifier-naming)
}

namespace ropewalk {

/// What Python's `None` is for a type: a callback that wants the value of a chain that holds None gets `value()`.
/// `void`, `std::monostate`, `std::optional` and `std::any` have one; specialise it for a type of your own.
template <class T>
struct NoneOf {
    static constexpr bool exists =
        std::same_as<T, None> || std::same_as<T, std::monostate> || requires(T& t) {
            { t.has_value() } -> std::same_as<bool>;
            t.reset();
            requires std::default_initializable<T>;
        };
    static T value() { return T(); }
};

template <>
struct NoneOf<void> {
    static constexpr bool exists = true;
};

namespace defer {

template <class T>
class Deferred;
class Failed;

namespace detail {

// Calling.

template <class M, class C, class O, class... A>
    requires requires(O&& o, M C::* m, A&&... a) { (std::forward<O>(o).*m)(std::forward<A>(a)...); }
decltype(auto) callMember(M C::* member, O&& object, A&&... args) {
    return (std::forward<O>(object).*member)(std::forward<A>(args)...);
}
template <class M, class C, class O, class... A>
    requires requires(O&& o, M C::* m, A&&... a) { ((*std::forward<O>(o)).*m)(std::forward<A>(a)...); }
decltype(auto) callMember(M C::* member, O&& object, A&&... args) {
    return ((*std::forward<O>(object)).*member)(std::forward<A>(args)...);
}
template <class M, class C, class O, class... A>
    requires requires(O&& o, M C::* m, A&&... a) { (o.get().*m)(std::forward<A>(a)...); } &&
             (!requires(O&& o) { *o; })
decltype(auto) callMember(M C::* member, O&& object, A&&... args) {
    return (object.get().*member)(std::forward<A>(args)...);
}

/// A member function with its object, as a callable.
template <class M, class O>
struct MemberCall {
    M member;
    O object;

    template <class... A>
        requires requires(MemberCall& self, A&&... a) {
            callMember(self.member, self.object, std::forward<A>(a)...);
        }
    decltype(auto) operator()(A&&... args) {
        return callMember(member, object, std::forward<A>(args)...);
    }
};

/// A member, of an object that comes with the call.
template <class M>
struct MemberOf {
    M member;

    template <class... A>
        requires requires(MemberOf& self, A&&... a) { callMember(self.member, std::forward<A>(a)...); }
    decltype(auto) operator()(A&&... args) {
        return callMember(member, std::forward<A>(args)...);
    }
};

/// The function itself, to be called at once: a coroutine may keep a reference to it.
template <class F>
decltype(auto) asCallable(F&& function) {
    if constexpr (std::is_member_pointer_v<std::decay_t<F>>) {
        return MemberOf<std::decay_t<F>>{function};
    } else {
        return std::forward<F>(function);
    }
}

/// A callable with arguments that come after the result.
template <class F, class Extra>
struct WithExtra {
    F function;
    Extra extra;

    template <class... A>
        requires std::invocable<F&, A..., Extra>
    decltype(auto) operator()(A&&... args) {
        return function(std::forward<A>(args)..., std::move(extra));
    }
};

/// What is stored for a function and its extra arguments. The outermost holds the first, so they arrive in order.
template <class F>
auto bindExtra(F&& function) {
    if constexpr (std::is_member_pointer_v<std::decay_t<F>>) {
        return MemberOf<std::decay_t<F>>{function};
    } else {
        return std::decay_t<F>(std::forward<F>(function));
    }
}

template <class F, class First, class... Rest>
auto bindExtra(F&& function, First&& first, Rest&&... rest) {
    if constexpr (std::is_member_function_pointer_v<std::decay_t<F>>) {
        return bindExtra(
            MemberCall<std::decay_t<F>, std::decay_t<First>>{function, std::forward<First>(first)},
            std::forward<Rest>(rest)...);
    } else {
        using Inner = decltype(bindExtra(std::forward<F>(function), std::forward<Rest>(rest)...));
        return WithExtra<Inner, std::decay_t<First>>{
            bindExtra(std::forward<F>(function), std::forward<Rest>(rest)...), std::forward<First>(first)};
    }
}

// How a callable takes what a chain of T holds.

enum class Takes { value, nothing, none, unfit };

template <class F, class T>
consteval Takes takes() {
    if constexpr (std::is_void_v<T>) {
        return std::invocable<F&> ? Takes::nothing : std::invocable<F&, None> ? Takes::none : Takes::unfit;
    } else {
        return std::invocable<F&, T> ? Takes::value : std::invocable<F&> ? Takes::nothing : Takes::unfit;
    }
}

template <class F, class T, Takes how = takes<F, T>()>
struct CallResult {
    using Type = void;
};
template <class F, class T>
struct CallResult<F, T, Takes::value> {
    using Type = std::invoke_result_t<F&, T>;
};
template <class F, class T>
struct CallResult<F, T, Takes::nothing> {
    using Type = std::invoke_result_t<F&>;
};
template <class F, class T>
struct CallResult<F, T, Takes::none> {
    using Type = std::invoke_result_t<F&, None>;
};

// What a callable's result means.

template <class U>
U deferredValue(const Deferred<U>*);

template <class R>
concept IsDeferred = requires(std::remove_cvref_t<R>* d) { deferredValue(d); };

template <class R>
struct Outcome {
    static constexpr bool isResult = false;
    static constexpr bool isFailure = std::same_as<R, Failure> || std::same_as<R, Failed>;
    using Type = R;
};
template <class R>
    requires IsDeferred<R>
struct Outcome<R> {
    static constexpr bool isResult = false;
    static constexpr bool isFailure = false;
    using Type = decltype(deferredValue(static_cast<R*>(nullptr)));
};
template <class U>
struct Outcome<std::expected<U, Failure>> {
    static constexpr bool isResult = true;
    static constexpr bool isFailure = false;
    using Type = U;
};

/// The type of the chain after a callable that returned R; `Kept` where it only ever fails.
template <class R, class Kept>
using EndAfter =
    std::conditional_t<Outcome<std::decay_t<R>>::isFailure, Kept, typename Outcome<std::decay_t<R>>::Type>;

} // namespace detail
} // namespace defer
} // namespace ropewalk
