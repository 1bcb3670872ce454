#include <ropewalk/defer/members.hpp>

#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/race.hpp>

namespace ropewalk::defer {

namespace detail {

bool cancelMembers(const MemberList& members, const std::exception_ptr& error, std::source_location where) {
    bool any = false;
    for (std::size_t i = 0; i < members.size(); ++i) {
        Chain* member = members[i];
        if (member == nullptr) {
            continue;
        }
        any = true;
        member->retain();
        try {
            member->cancelWith(error, where);
        } catch (...) {
            log::failure("Exception raised from user supplied canceller", Failure(where));
        }
        member->release();
    }
    return any;
}

std::exception_ptr firstError(Failure failure, std::size_t index) {
    return std::make_exception_ptr(FirstError(std::move(failure), index));
}

std::exception_ptr failureGroup(std::vector<Failure> failures) {
    return std::make_exception_ptr(FailureGroup(std::move(failures)));
}

} // namespace detail

FirstError::FirstError(Failure failure, std::size_t at)
    : Exception("FirstError[#" + std::to_string(at) + ", " + failure.str() + ']'),
      subFailure(std::move(failure)),
      index(at) {}

FailureGroup::FailureGroup(std::vector<Failure> all)
    : Exception(all.empty() ? "no members" : std::to_string(all.size()) + " failures"),
      failures(std::move(all)) {}

} // namespace ropewalk::defer
