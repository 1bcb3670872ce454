#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/shared.hpp>

/// What `DeferredList`, `gatherResults` and `race` share: taps on several chains, one result.
namespace ropewalk::defer::detail {

/// The members that have no result yet, by index. Not counted: a member owns the list, not the list its members.
using MemberList = std::vector<Chain*>;

/// Cancels those that are left, with this error; what a canceller throws is logged. False if none were left.
bool cancelMembers(const MemberList& members, const std::exception_ptr& error, std::source_location where);

std::exception_ptr firstError(Failure failure, std::size_t index);

/// Takes its member off the list when the member has its result, or goes away.
class Membership {
public:
    Membership(Shared<MemberList> list, std::size_t index) noexcept : list_(std::move(list)), index_(index) {}
    Membership(Membership&& other) noexcept
        : list_(other.list_), index_(other.index_), ends_(std::exchange(other.ends_, false)) {}
    Membership& operator=(Membership&&) = delete;
    ~Membership() { end(); }

    void end() noexcept {
        if (std::exchange(ends_, false)) {
            (*list_)[index_] = nullptr;
        }
    }
    std::size_t index() const noexcept { return index_; }
    const MemberList& members() const noexcept { return *list_; }

private:
    Shared<MemberList> list_;
    std::size_t index_;
    bool ends_ = true;
};

/// Cancelling the joint result cancels the members. Those of a list then decide: it fails by itself only when none was
/// left. A race that is still open then fails.
struct MembersCanceller : Canceller {
    MembersCanceller(Shared<MemberList> list, bool isRace) : members(std::move(list)), race(isRace) {
        call = [](Canceller& self, Chain&, const std::exception_ptr& error, std::source_location where) {
            const auto& joint = static_cast<MembersCanceller&>(self);
            return !cancelMembers(*joint.members, error, where) || joint.race;
        };
        destroy = [](Canceller* self) noexcept { delete static_cast<MembersCanceller*>(self); };
    }
    Shared<MemberList> members;
    bool race;
};

/// A Deferred that `members` fire, and nobody else.
template <class Final>
Deferred<Final> jointDeferred(const Shared<MemberList>& members, bool isRace, std::source_location where) {
    Deferred<Final> joint(where);
    Chain& chain = *Access::chainOf(joint);
    chain.makerFires = true;
    chain.maker.canceller = new MembersCanceller(members, isRace);
    return joint;
}

/// Fires it, and lets it go: members that are still to come keep nobody's unhandled error.
template <class Final, class... A>
void fireJoint(Deferred<Final>& joint, Loop& loop, std::source_location where, A&&... args) {
    const Deferred<Final> firing = std::exchange(joint, nullptr);
    Chain& chain = *Access::chainOf(firing);
    try {
        chain.emplace<Final>(std::forward<A>(args)...);
    } catch (...) {
        chain.setFailure(Failure(where));
    }
    fireIn(loop, chain, where);
}

template <class Final>
void failJoint(Deferred<Final>& joint, Loop& loop, std::source_location where, std::exception_ptr error) {
    const Deferred<Final> firing = std::exchange(joint, nullptr);
    Chain& chain = *Access::chainOf(firing);
    chain.setFailure(Failure(std::move(error), where));
    fireIn(loop, chain, where);
}

template <class Final>
bool isOpen(const Deferred<Final>& joint) noexcept {
    return joint != nullptr && !Access::chainOf(joint)->called;
}

/// Whether a T can really be copied: a vector says yes whatever its elements say.
template <class T>
inline constexpr bool isCopyable = std::copy_constructible<T>;
template <class T>
    requires requires { typename T::value_type; } && (!std::same_as<typename T::value_type, T>)
inline constexpr bool isCopyable<T> = std::copy_constructible<T> && isCopyable<typename T::value_type>;
template <class... E>
inline constexpr bool isCopyable<std::tuple<E...>> =
    std::copy_constructible<std::tuple<E...>> && (isCopyable<E> && ...);
template <class A, class B>
inline constexpr bool isCopyable<std::pair<A, B>> =
    std::copy_constructible<std::pair<A, B>> && isCopyable<A> && isCopyable<B>;
template <class... E>
inline constexpr bool isCopyable<std::variant<E...>> =
    std::copy_constructible<std::variant<E...>> && (isCopyable<E> && ...);
template <>
inline constexpr bool isCopyable<void> = true;

/// The member's result: a copy, unless it can't be copied or nobody is there to miss it.
template <class T>
Result<T> shareResult(Chain& member, Entry& entry, bool attaching) {
    if constexpr (!std::is_void_v<T>) {
        if (member.kind == Chain::Kind::value) {
            const std::uint32_t own = attaching ? 2 : 1;
            try {
                if (!isCopyable<T> || (member.references == own && member.isLast(entry))) {
                    Result<T> moved = std::move(member.value<T>());
                    member.setNone("a DeferredList", entry.where);
                    return moved;
                }
                if constexpr (isCopyable<T>) {
                    return std::as_const(member.value<T>());
                }
            } catch (...) {
                return std::unexpected(Failure(entry.where));
            }
        }
    }
    return takeResult<T>(member, entry.where);
}

/// The member's chain; throws unless the handle may be a member's. All are on the list before the first is watched, which may
/// have a result that cancels the others.
template <class T>
Chain* memberChain(const Deferred<T>& member, std::source_location where) {
    Chain* chain = Access::chainOf(member);
    if (chain == nullptr) {
        throwEmpty("a member of a list", where);
    }
    if constexpr (!std::is_void_v<T>) {
        chain->requireEnd(&tagOf<T>, where);
    }
    return chain;
}

template <class T>
MemberList listMembers(const std::vector<Deferred<T>>& members, std::source_location where) {
    MemberList list;
    list.reserve(members.size());
    for (const Deferred<T>& member : members) {
        list.push_back(memberChain(member, where));
    }
    return list;
}

/// Calls settle(membership, Result<T>, chain, entry, loop) when the member has a result.
template <class T, class Settle>
void watchMember(const Deferred<T>& member, Shared<MemberList> members, std::size_t index,
                 std::source_location where, Settle settle) {
    Shared<bool> attaching(std::in_place, true);
    addTap(
        *Access::chainOf(member),
        [membership = Membership(std::move(members), index), settle = std::move(settle),
         attaching](Chain& passing, Entry& entry, Loop& loop) mutable {
            membership.end();
            settle(membership, shareResult<T>(passing, entry, *attaching), passing, entry, loop);
        },
        where);
    *attaching = false;
}

struct JoinOptions {
    bool fireOnOneErrback = false;
    bool consumeErrors = false;
    bool cancelOthers = false;
};

template <class Final, class Storage>
struct Join {
    Deferred<Final> joint;
    Storage storage;
    std::size_t remaining;
    JoinOptions options;
};

/// One member of a list. `put(join, index, result, loop, where)` stores its result.
template <class T, class Final, class Storage, class Put>
void joinMember(const Deferred<T>& member, const Shared<Join<Final, Storage>>& join,
                const Shared<MemberList>& members, std::size_t index, std::source_location where, Put put) {
    watchMember(
        member, members, index, where,
        [join, put](Membership& membership, Result<T> result, Chain& passing, Entry& entry, Loop& loop) {
            Join<Final, Storage>& all = *join;
            --all.remaining;
            const bool failed = !result;
            if (isOpen(all.joint)) {
                if (failed && all.options.fireOnOneErrback) {
                    failJoint(all.joint, loop, entry.where, firstError(result.error(), membership.index()));
                    if (all.options.cancelOthers) {
                        cancelMembers(membership.members(), cancelled({}), entry.where);
                    }
                } else {
                    put(all, membership.index(), result, loop, entry.where);
                    if (all.remaining == 0 && isOpen(all.joint)) {
                        fireJoint(all.joint, loop, entry.where, std::move(all.storage));
                    }
                }
            }
            if (failed && all.options.consumeErrors && passing.kind == Chain::Kind::failure) {
                passing.setNone("a DeferredList with consumeErrors", entry.where);
            }
        });
}

/// Moves it there; what that throws takes its place.
template <class T>
void store(Result<T>& place, Result<T>& result, std::source_location where) {
    try {
        place = std::move(result);
    } catch (...) {
        place = std::unexpected(Failure(where));
    }
}

template <class T>
using NoneForVoid = std::conditional_t<std::is_void_v<T>, None, T>;

template <class T>
NoneForVoid<T>&& valueOrNone(Result<T>&& result, None&& none = {}) noexcept {
    if constexpr (std::is_void_v<T>) {
        return std::move(none);
    } else {
        return *std::move(result);
    }
}

template <class T>
using ListOf = std::vector<Result<T>>;

template <class T, class Final, class Put>
Deferred<Final> joinAll(std::vector<Deferred<T>> members, JoinOptions options, std::source_location where,
                        Put put) {
    const std::size_t count = members.size();
    Shared<MemberList> list(std::in_place, listMembers(members, where));
    Deferred<Final> joint = jointDeferred<Final>(list, false, where);
    Chain& chain = *Access::chainOf(joint);
    if (count == 0) {
        chain.emplace<Final>(ListOf<T>{});
        chain.settle(where);
        return joint;
    }
    ListOf<T> open;
    open.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        open.emplace_back(std::unexpect, Failure(nullptr));
    }
    Shared<Join<Final, ListOf<T>>> join(std::in_place, joint, std::move(open), count, options);
    for (std::size_t i = 0; i < count; ++i) {
        joinMember<T>(std::exchange(members[i], nullptr), join, list, i, where, put);
    }
    return joint;
}

template <class T>
Deferred<ListOf<T>> joinVector(std::vector<Deferred<T>> members, JoinOptions options,
                               std::source_location where) {
    return joinAll<T, ListOf<T>>(std::move(members), options, where,
                                 [](auto& join, std::size_t index, Result<T>& result, Loop&,
                                    std::source_location at) { store(join.storage[index], result, at); });
}

/// Not by an initializer list, which would hold the members too.
template <class T, class... Others>
std::vector<Deferred<T>> vectorOf(Deferred<T> first, Others... others) {
    std::vector<Deferred<T>> members;
    members.reserve(1 + sizeof...(others));
    members.push_back(std::move(first));
    (members.push_back(std::move(others)), ...);
    return members;
}

template <class... T>
inline constexpr bool allSame = false;
template <class T, class... Others>
inline constexpr bool allSame<T, Others...> = (std::same_as<T, Others> && ...);

template <class... T>
struct LooseResultsOf {
    using Type = std::tuple<Result<T>...>;
};
template <class T, class... Others>
    requires allSame<T, Others...>
struct LooseResultsOf<T, Others...> {
    using Type = ListOf<T>;
};

/// Members of one type make a vector, of several types a tuple.
template <class... T>
using LooseResults = typename LooseResultsOf<T...>::Type;

template <class Results>
struct FirstTypeOf;
template <class T>
struct FirstTypeOf<ListOf<T>> {
    using Type = T;
};
template <class T, class... Others>
struct FirstTypeOf<std::tuple<Result<T>, Others...>> {
    using Type = T;
};

/// The first loose member, with the place where the list is made: no parameter can follow the others.
template <class Results>
struct FirstMember {
    using Member = Deferred<typename FirstTypeOf<Results>::Type>;

    template <class D>
        requires std::convertible_to<D&&, const Member&>
    FirstMember(D&& d, std::source_location at = std::source_location::current())
        : member(std::forward<D>(d)), where(at) {}

    Member member;
    std::source_location where;
};

template <class... T>
Deferred<LooseResults<T...>> joinLoose(JoinOptions options, std::source_location where,
                                       Deferred<T>... members) {
    if constexpr (allSame<T...>) {
        return joinVector(vectorOf(std::move(members)...), options, where);
    } else {
        using Results = std::tuple<Result<T>...>;
        Shared<MemberList> list(std::in_place, MemberList{memberChain(members, where)...});
        Deferred<Results> joint = jointDeferred<Results>(list, false, where);
        Shared<Join<Results, Results>> join(std::in_place, joint,
                                            Results(Result<T>(std::unexpect, Failure(nullptr))...),
                                            sizeof...(T), options);
        [&]<std::size_t... index>(std::index_sequence<index...>) {
            (joinMember<T>(std::exchange(members, nullptr), join, list, index, where,
                           [](auto& all, std::size_t, Result<T>& result, Loop&, std::source_location at) {
                               store(std::get<index>(all.storage), result, at);
                           }),
             ...);
        }(std::index_sequence_for<T...>{});
        return joint;
    }
}

} // namespace ropewalk::defer::detail
