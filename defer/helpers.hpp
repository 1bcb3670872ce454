#pragma once

#include <concepts>
#include <source_location>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/deferred.hpp>

/// The functions of twisted.internet.defer that make a Deferred, or stand in its chain.
namespace ropewalk::defer {

/// A Deferred that has fired with `value`: defer.succeed.
template <class V>
Deferred<std::decay_t<V>> succeed(V&& value, std::source_location where = std::source_location::current()) {
    Deferred<std::decay_t<V>> d(where);
    d.callback(std::forward<V>(value), where);
    return d;
}
inline Deferred<void> succeed(std::source_location where = std::source_location::current()) {
    Deferred<void> d(where);
    d.callback(where);
    return d;
}

/// Something that converts to any Deferred, failed with this error: defer.fail. Takes any exception object.
inline Failed fail(Failure failure, std::source_location where = std::source_location::current()) {
    return Failed(std::move(failure), where);
}
/// With the exception being handled, else throws NoCurrentExceptionError.
inline Failed fail(std::source_location where = std::source_location::current()) {
    return Failed(Failure(where), where);
}
/// The same for a type that is known.
template <class T>
Deferred<T> fail(Failure failure, std::source_location where = std::source_location::current()) {
    Deferred<T> d(where);
    d.errback(std::move(failure), where);
    return d;
}

/// Calls f(args…) and gives a Deferred that has fired with what it returned or threw: defer.execute. A Deferred is a value here.
template <class F, class... A>
    requires std::invocable<F, A...>
auto execute(F&& f, A&&... args) {
    using Value = std::decay_t<std::invoke_result_t<F, A...>>;
    Deferred<Value> d;
    try {
        if constexpr (std::is_void_v<Value>) {
            detail::asCallable(std::forward<F>(f))(std::forward<A>(args)...);
        } else {
            Value value = detail::asCallable(std::forward<F>(f))(std::forward<A>(args)...);
            d.callback(std::move(value));
            return d;
        }
    } catch (...) {
        d.errback();
        return d;
    }
    if constexpr (std::is_void_v<Value>) {
        d.callback();
    }
    return d;
}

/// Calls f(args…), and gives a Deferred whatever it does: the one that it returned, or one that has fired with its value, its
/// Failure or what it threw: defer.maybeDeferred.
template <class F, class... A>
    requires std::invocable<F, A...>
auto maybeDeferred(F&& f, A&&... args) {
    using Returned = std::decay_t<std::invoke_result_t<F, A...>>;
    using Value = detail::EndAfter<Returned, void>;
    if constexpr (detail::IsDeferred<Returned>) {
        try {
            return Deferred<Value>(detail::asCallable(std::forward<F>(f))(std::forward<A>(args)...));
        } catch (...) {
            return fail<Value>(Failure());
        }
    } else {
        // Through a chain of its own, a callback's result means here what it means there.
        Deferred<void> d;
        d.callback();
        return d.addCallback(
            [&] { return detail::asCallable(std::forward<F>(f))(std::forward<A>(args)...); });
    }
}

/// The Deferred itself: defer.ensureDeferred. A coroutine gives a Deferred already; nothing else is taken.
template <class D>
D ensureDeferred(D&& d) {
    static_assert(detail::IsDeferred<D>,
                  "ropewalk: ensureDeferred takes a Deferred; a coroutine that returns one gives one");
    return std::forward<D>(d);
}

/// An errback that logs the failure and returns it: defer.logError.
Failure logError(Failure failure);

/// A callback that returns its argument: defer.passthru.
inline constexpr auto passthru = [](auto value) { return value; };

} // namespace ropewalk::defer
