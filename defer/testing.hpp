#pragma once

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/logged_errors.hpp>

#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

/// What tests ask of Deferreds, with any test framework: the assertions of
/// `twisted.trial.unittest.SynchronousTestCase`. Those that don't hold throw `AssertionError`, which says in
/// what state the Deferred is.
namespace ropewalk::defer {
namespace detail {

/// Whether the chain has a result that its last callback left.
bool hasResult(const Chain& chain) noexcept;

/// "Deferred made at FILE:LINE"
std::string nameOf(const Chain& chain);
/// What keeps it from having a result, or what kind of result it has.
std::string stateOf(const Chain& chain);

[[noreturn]] void failAssertion(const std::string& text, std::source_location where);
[[noreturn]] void failOtherType(const std::type_info* const* expected, std::size_t count,
                                const Failure& found, const std::string& name, std::source_location where);

template <class T>
Chain& chainWithResult(const Deferred<T>& d, std::string_view expected, const char* caller,
                       std::source_location where) {
    Chain* chain = Access::chainOf(d);
    if (chain == nullptr) throwEmpty(caller, where);
    if (!hasResult(*chain))
        failAssertion(std::string(expected) + " of the " + nameOf(*chain) + ", but " + stateOf(*chain),
                      where);
    return *chain;
}

} // namespace detail

/// Takes the value out of a Deferred that has one, and leaves None; the handle must be of the type at the
/// chain's end.
template <class T>
T successResultOf(const Deferred<T>& d, std::source_location where = std::source_location::current()) {
    detail::Chain& chain =
        detail::chainWithResult(d, "a success result was expected", "successResultOf", where);
    const std::string name = detail::nameOf(chain);
    std::optional<Result<T>> found;
    d.addBoth([&found](Result<T> result) { found.emplace(std::move(result)); }, where);
    if (!found) detail::failAssertion("the " + name + " kept its result to itself", where);
    if (!*found) {
        detail::failAssertion("a success result was expected of the " + name + ", but it has failed:\n" +
                                  found->error().getTraceback(),
                              where);
    }
    if constexpr (!std::is_void_v<T>) return std::move(**found);
}

/// Takes the failure out of a Deferred that has one, and leaves None. With classes, it must be one of those.
/// A failure of another class is taken too.
template <class... Expected, class T>
Failure failureResultOf(const Deferred<T>& d, std::source_location where = std::source_location::current()) {
    detail::Chain& chain = detail::chainWithResult(d, "a failure was expected", "failureResultOf", where);
    const std::string name = detail::nameOf(chain);
    const std::string state = detail::stateOf(chain);
    std::optional<Failure> found;
    d.addErrback([&found](const Failure& failure) { found = failure; }, where);
    if (!found) detail::failAssertion("a failure was expected of the " + name + ", but " + state, where);
    if constexpr (sizeof...(Expected) > 0) {
        if ((... && (found->check<Expected>() == nullptr))) {
            const std::type_info* expected[] = {&typeid(Expected)...};
            detail::failOtherType(expected, sizeof...(Expected), *found, name, where);
        }
    }
    return std::move(*found);
}

/// The Deferred has no result yet: it wasn't fired, it is paused, or it waits for another one. It is left as
/// it is; if it has failed, that failure counts as handled.
template <class T>
void assertNoResult(const Deferred<T>& d, std::source_location where = std::source_location::current()) {
    const detail::Chain* chain = detail::Access::chainOf(d);
    if (chain == nullptr) detail::throwEmpty("assertNoResult", where);
    if (!detail::hasResult(*chain)) return;
    const std::string text =
        "no result was expected of the " + detail::nameOf(*chain) + ", but " + detail::stateOf(*chain);
    d.addErrback([] {}, where);
    detail::failAssertion(text, where);
}

} // namespace ropewalk::defer
