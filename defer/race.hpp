#pragma once

#include <cstddef>
#include <source_location>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/members.hpp>

namespace ropewalk::defer {

/// defer.FailureGroup: what `race` fails with when every member failed.
class FailureGroup : public Exception {
public:
    explicit FailureGroup(std::vector<Failure> all);

    /// In the members' order.
    std::vector<Failure> failures;
};

namespace detail {

std::exception_ptr failureGroup(std::vector<Failure> failures);

template <class T>
struct Race {
    Deferred<std::pair<std::size_t, NoneForVoid<T>>> joint;
    std::vector<Failure> failures;
    std::size_t remaining;
};

} // namespace detail

/// The first success, with its index; every other member is cancelled, and what they give is dropped: defer.race. Fails with
/// a FailureGroup when all fail, at once when there are none. Cancelling it cancels every member. A void member counts as None.
template <class T>
Deferred<std::pair<std::size_t, detail::NoneForVoid<T>>>
race(std::vector<Deferred<T>> members, std::source_location where = std::source_location::current()) {
    using Final = std::pair<std::size_t, detail::NoneForVoid<T>>;
    const std::size_t count = members.size();
    detail::Shared<detail::MemberList> list(std::in_place, detail::listMembers(members, where));
    Deferred<Final> joint = detail::jointDeferred<Final>(list, true, where);
    if (count == 0) {
        detail::Chain& chain = *detail::Access::chainOf(joint);
        chain.setFailure(Failure(detail::failureGroup({}), where));
        chain.settle(where);
        return joint;
    }
    detail::Shared<detail::Race<T>> race(std::in_place, joint, std::vector<Failure>(count, Failure(nullptr)),
                                         count);
    for (std::size_t i = 0; i < count; ++i) {
        detail::watchMember(std::exchange(members[i], nullptr), list, i, where,
                            [race](detail::Membership& membership, Result<T> result, detail::Chain& passing,
                                   const detail::Entry& entry, detail::Loop& loop) {
                                detail::Race<T>& all = *race;
                                --all.remaining;
                                passing.setNone("race", entry.where);
                                if (!detail::isOpen(all.joint)) {
                                    return;
                                }
                                if (result) {
                                    detail::fireJoint(all.joint, loop, entry.where, membership.index(),
                                                      detail::valueOrNone(std::move(result)));
                                    detail::cancelMembers(membership.members(), detail::cancelled({}),
                                                          entry.where);
                                    return;
                                }
                                all.failures[membership.index()] = std::move(result).error();
                                if (all.remaining == 0) {
                                    detail::failJoint(all.joint, loop, entry.where,
                                                      detail::failureGroup(std::move(all.failures)));
                                }
                            });
    }
    return joint;
}

/// The same of loose members, all of one type.
template <class T, class... Others>
auto race(Deferred<T> first, Deferred<Others>... others) {
    static_assert(detail::allSame<T, Others...>, "ropewalk: the members of a race must be of one type");
    return race(detail::vectorOf(std::move(first), std::move(others)...));
}

} // namespace ropewalk::defer
