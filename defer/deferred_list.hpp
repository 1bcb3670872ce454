#pragma once

#include <concepts>
#include <cstddef>
#include <source_location>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/members.hpp>

namespace ropewalk::defer {

/// The options of a list. With `fireOnOneErrback` it fails with a FirstError at the first failure; with `consumeErrors` a
/// member's failure becomes None there, so that nobody reports it as unhandled.
struct DeferredListOptions {
    bool fireOnOneErrback = false;
    bool consumeErrors = false;

    operator detail::JoinOptions() const noexcept { return {fireOnOneErrback, consumeErrors, false}; }
};

/// Asks a list to fire with the first success: a tag, because it changes the type.
struct FireOnOneCallback {};
inline constexpr FireOnOneCallback fireOnOneCallback{};

/// defer.FirstError: which member failed first, and with what.
class FirstError : public Exception {
public:
    FirstError(Failure failure, std::size_t at);

    Failure subFailure;
    std::size_t index;

    /// Same index, same exception object.
    friend bool operator==(const FirstError& a, const FirstError& b) noexcept {
        return a.index == b.index && a.subFailure == b.subFailure;
    }
};

/// What a list of T's gives: a Result a member, in the members' order.
template <class T>
using ListResults = std::vector<Result<T>>;
/// What one gives that fires with the first success: the value and its index, or, if all failed, every Result.
template <class T>
using FirstOrAll = std::variant<std::pair<detail::NoneForVoid<T>, std::size_t>, ListResults<T>>;

namespace detail {

template <class T>
Deferred<FirstOrAll<T>> joinFirst(std::vector<Deferred<T>> members, JoinOptions options,
                                  std::source_location where) {
    return joinAll<T, FirstOrAll<T>>(
        std::move(members), options, where,
        [](auto& join, std::size_t index, Result<T>& result, Loop& loop, std::source_location at) {
            if (result) {
                fireJoint(join.joint, loop, at, std::in_place_index<0>, valueOrNone(std::move(result)),
                          index);
            } else {
                store(join.storage[index], result, at);
            }
        });
}

} // namespace detail

/// Waits for several Deferreds: defer.DeferredList. It is a Deferred that fires when all members have, with a Result each;
/// it never fails by itself, unless an option says so. A member's result is copied, and stays where it is for the member's
/// later callbacks; one that can't be copied, or that nobody else has a handle on, is moved, and leaves None.
/// Cancelling it cancels every member.
template <class Results>
class DeferredList : public Deferred<Results> {
public:
    template <class T>
    explicit DeferredList(std::vector<Deferred<T>> members, DeferredListOptions options = {},
                          std::source_location where = std::source_location::current())
        : Deferred<Results>(detail::joinVector<T>(std::move(members), options, where)) {}

    template <class T>
    DeferredList(std::vector<Deferred<T>> members, FireOnOneCallback, DeferredListOptions options = {},
                 std::source_location where = std::source_location::current())
        : Deferred<Results>(detail::joinFirst<T>(std::move(members), options, where)) {}

    template <class... T>
    explicit DeferredList(detail::FirstMember<Results> first, Deferred<T>... others)
        : DeferredList(DeferredListOptions{}, std::move(first), std::move(others)...) {}

    template <class... T>
    DeferredList(DeferredListOptions options, detail::FirstMember<Results> first, Deferred<T>... others)
        : Deferred<Results>(
              detail::joinLoose(options, first.where, std::move(first.member), std::move(others)...)) {}
};

template <class T>
DeferredList(std::vector<Deferred<T>>) -> DeferredList<ListResults<T>>;
template <class T>
DeferredList(std::vector<Deferred<T>>, DeferredListOptions) -> DeferredList<ListResults<T>>;
template <class T>
DeferredList(std::vector<Deferred<T>>, FireOnOneCallback) -> DeferredList<FirstOrAll<T>>;
template <class T>
DeferredList(std::vector<Deferred<T>>, FireOnOneCallback, DeferredListOptions) -> DeferredList<FirstOrAll<T>>;
template <class... T>
DeferredList(Deferred<T>...) -> DeferredList<detail::LooseResults<T...>>;
template <class... T>
DeferredList(DeferredListOptions, Deferred<T>...) -> DeferredList<detail::LooseResults<T...>>;

/// For `gatherResults`. With `cancelOthers` the first failure cancels the members that are left, which Twisted's doesn't.
struct GatherOptions {
    bool consumeErrors = false;
    bool cancelOthers = false;
};

/// The members' values, in their order: defer.gatherResults. The first failure fails it, with a FirstError. A void member
/// counts as None. Cancelling it cancels every member.
template <class T>
Deferred<std::vector<detail::NoneForVoid<T>>>
gatherResults(std::vector<Deferred<T>> members, GatherOptions options = {},
              std::source_location where = std::source_location::current()) {
    return detail::joinVector<T>(std::move(members), {true, options.consumeErrors, options.cancelOthers},
                                 where)
        .addCallback(
            [](ListResults<T> results) {
                std::vector<detail::NoneForVoid<T>> values;
                values.reserve(results.size());
                for (Result<T>& result : results) {
                    values.push_back(detail::valueOrNone(std::move(result)));
                }
                return values;
            },
            where);
}

/// The same of loose members; of several types it gives a tuple.
template <class... T>
    requires(sizeof...(T) > 0)
auto gatherResults(GatherOptions options, Deferred<T>... members) {
    if constexpr (detail::allSame<T...>) {
        return gatherResults(detail::vectorOf(std::move(members)...), options);
    } else {
        return detail::joinLoose<T...>({true, options.consumeErrors, options.cancelOthers},
                                       std::source_location::current(), std::move(members)...)
            .addCallback([](std::tuple<Result<T>...> results) {
                return std::apply(
                    [](auto&... result) { return std::tuple(detail::valueOrNone(std::move(result))...); },
                    results);
            });
    }
}
template <class... T>
    requires(sizeof...(T) > 0)
auto gatherResults(Deferred<T>... members) {
    return gatherResults(GatherOptions{}, std::move(members)...);
}

} // namespace ropewalk::defer
