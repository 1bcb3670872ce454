#pragma once

#include <concepts>
#include <cstddef>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/shared.hpp>

/// What `DeferredList`, `gatherResults` and `race` share: taps on several chains, one result.
namespace ropewalk::defer::detail {

/// The members that have no result yet, by index. Not counted: a member owns the list, not the list its members.
using MemberList = std::vector<Chain*>;

/// Cancels those that are left; what a canceller throws is logged. False if none were left.
bool cancelMembers(const MemberList& members, std::source_location where);

std::exception_ptr firstError(Failure failure, std::size_t index);

/// Takes its member off the list when the member has its result, or goes away.
class Membership {
public:
    Membership(Shared<MemberList> list, std::size_t index, Chain* member) : list_(std::move(list)), index_(index) {
        (*list_)[index_] = member;
    }
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

/// Cancelling the joint result cancels the members, who then decide; only when none is left it fails by itself.
struct MembersCanceller : Canceller {
    explicit MembersCanceller(Shared<MemberList> list) : members(std::move(list)) {
        call = [](Canceller& self, Chain& chain) {
            return !cancelMembers(*static_cast<MembersCanceller&>(self).members, chain.madeAt);
        };
        destroy = [](Canceller* self) noexcept { delete static_cast<MembersCanceller*>(self); };
    }
    Shared<MemberList> members;
};

/// A Deferred that `members` fire, and nobody else.
template <class Final>
Deferred<Final> jointDeferred(const Shared<MemberList>& members, std::source_location where) {
    Deferred<Final> joint(where);
    Chain& chain = *Access::chainOf(joint);
    chain.makerFires = true;
    chain.maker.canceller = new MembersCanceller(members);
    return joint;
}

template <class Final, class... A>
void fireJoint(const Deferred<Final>& joint, Loop& loop, std::source_location where, A&&... args) {
    Chain& chain = *Access::chainOf(joint);
    chain.emplace<Final>(std::forward<A>(args)...);
    fireIn(loop, chain, where);
}

template <class Final>
void failJoint(const Deferred<Final>& joint, Loop& loop, std::source_location where, std::exception_ptr error) {
    Chain& chain = *Access::chainOf(joint);
    chain.setFailure(Failure(std::move(error), where));
    fireIn(loop, chain, where);
}

template <class Final>
bool isOpen(const Deferred<Final>& joint) noexcept {
    return !Access::chainOf(joint)->called;
}

/// Whether a T can really be copied: a vector says yes whatever its elements say.
template <class T>
inline constexpr bool isCopyable = std::copy_constructible<T>;
template <class T>
    requires requires { typename T::value_type; } && (!std::same_as<typename T::value_type, T>)
inline constexpr bool isCopyable<T> = std::copy_constructible<T> && isCopyable<typename T::value_type>;
template <>
inline constexpr bool isCopyable<void> = true;

/// The member's result: a copy, unless it can't be copied or nobody is there to miss it.
template <class T>
Result<T> shareResult(Chain& member, Entry& entry, bool attaching) {
    if constexpr (!std::is_void_v<T>) {
        if (member.kind == Chain::Kind::value) {
            const std::uint32_t own = attaching ? 2 : 1;
            if (!isCopyable<T> || (member.references == own && member.isLast(entry))) {
                Result<T> moved = std::move(member.value<T>());
                member.setNone("a DeferredList", entry.where);
                return moved;
            }
            if constexpr (isCopyable<T>) {
                try {
                    return std::as_const(member.value<T>());
                } catch (...) {
                    return std::unexpected(Failure(entry.where));
                }
            }
        }
    }
    return takeResult<T>(member, entry.where);
}

/// Calls settle(membership, Result<T>, chain, entry, loop) when the member has a result.
template <class T, class Settle>
void watchMember(const Deferred<T>& member, Shared<MemberList> members, std::size_t index, std::source_location where,
                 Settle settle) {
    Chain* chain = Access::chainOf(member);
    if (chain == nullptr) {
        throwEmpty("a member of a list", where);
    }
    if constexpr (!std::is_void_v<T>) {
        chain->requireEnd(&tagOf<T>, where);
    }
    Shared<bool> attaching(std::in_place, true);
    addTap(
        *chain,
        [membership = Membership(std::move(members), index, chain), settle = std::move(settle), attaching](
            Chain& passing, Entry& entry, Loop& loop) mutable {
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

/// One member of a list. `put(join, index, Result<T>&&, loop)` stores its result.
template <class T, class Final, class Storage, class Put>
void joinMember(const Deferred<T>& member, const Shared<Join<Final, Storage>>& join, const Shared<MemberList>& members,
                std::size_t index, std::source_location where, Put put) {
    watchMember(member, members, index, where,
                [join, put](Membership& membership, Result<T> result, Chain& passing, Entry& entry, Loop& loop) {
                    Join<Final, Storage>& all = *join;
                    --all.remaining;
                    const bool failed = !result;
                    if (isOpen(all.joint)) {
                        if (failed && all.options.fireOnOneErrback) {
                            failJoint(all.joint, loop, entry.where, firstError(result.error(), membership.index()));
                            if (all.options.cancelOthers) {
                                cancelMembers(membership.members(), entry.where);
                            }
                        } else {
                            put(all, membership.index(), std::move(result), loop, entry.where);
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

template <class T>
using NoneForVoid = std::conditional_t<std::is_void_v<T>, None, T>;

template <class T>
NoneForVoid<T> valueOrNone(Result<T> result) {
    if constexpr (std::is_void_v<T>) {
        return None{};
    } else {
        return *std::move(result);
    }
}

template <class T>
using ListOf = std::vector<Result<T>>;

template <class T, class Final, class Put>
Deferred<Final> joinAll(std::vector<Deferred<T>> members, JoinOptions options, std::source_location where, Put put) {
    const std::size_t count = members.size();
    Shared<MemberList> list(std::in_place, count);
    Deferred<Final> joint = jointDeferred<Final>(list, where);
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
Deferred<ListOf<T>> joinVector(std::vector<Deferred<T>> members, JoinOptions options, std::source_location where) {
    return joinAll<T, ListOf<T>>(std::move(members), options, where,
                                 [](auto& join, std::size_t index, Result<T> result, Loop&, std::source_location) {
                                     join.storage[index] = std::move(result);
                                 });
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

template <class... T>
Deferred<LooseResults<T...>> joinLoose(JoinOptions options, std::source_location where, Deferred<T>... members) {
    if constexpr (allSame<T...>) {
        return joinVector(std::vector{std::move(members)...}, options, where);
    } else {
        using Results = std::tuple<Result<T>...>;
        Shared<MemberList> list(std::in_place, sizeof...(T));
        Deferred<Results> joint = jointDeferred<Results>(list, where);
        Shared<Join<Results, Results>> join(std::in_place, joint, Results(Result<T>(std::unexpect, Failure(nullptr))...),
                                            sizeof...(T), options);
        [&]<std::size_t... index>(std::index_sequence<index...>) {
            (joinMember<T>(std::exchange(members, nullptr), join, list, index, where,
                           [](auto& all, std::size_t, Result<T> result, Loop&, std::source_location) {
                               std::get<index>(all.storage) = std::move(result);
                           }),
             ...);
        }(std::index_sequence_for<T...>{});
        return joint;
    }
}

}  // namespace ropewalk::defer::detail
