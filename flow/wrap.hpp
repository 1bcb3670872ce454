#pragma once

#include <concepts>
#include <initializer_list>
#include <utility>
#include <vector>

#include <ropewalk/flow/source.hpp>
#include <ropewalk/flow/trap.hpp>

namespace ropewalk::flow {

/// Makes a stage of whatever can be a part of a flow: `flow.wrap`. It goes where it stays:
/// `auto producer = flow::wrap(Counter(3));`.
///
/// - a `Generator`, or a recipe like `Merge`: it is moved in
/// - a list (a vector, or values in braces): all its items at once
/// - any other range, a `task::Generator` among them, and anything with `next()`: one result at a time. Where its items are
///   `Yield`s, they may be stages and instructions. `std::ref` refers to it
/// - a string: one result
/// - a Deferred: its result, which the stage takes when it is asked for it; of a `Deferred<void>`, a `None`
/// - a function without arguments: it is called now, and what it returns is wrapped. A lambda with captures that is a
///   generator may be a temporary; else it has to stay
/// - a stage: that stage itself
template <class X>
auto wrap(X&& x) {
    return typename detail::SourceOf<X>::Held(detail::source(std::forward<X>(x)));
}
template <std::derived_from<StageBase> S>
S& wrap(S& stage) noexcept {
    return stage;
}
template <class T>
auto wrap(std::initializer_list<T> items) {
    return wrap(std::vector<T>(items));
}

/// The same; its results are Results, and one of these errors is the last of them, rather than what the stage fails with. Of
/// a stage that has a trap already, both count.
template <class X, class... Errors>
auto wrap(X&& x, Trap<Errors...>) {
    using S = detail::SourceOf<X>;
    return detail::TrapStage<S, Errors...>(detail::Trapped<S, Errors...>{detail::source(std::forward<X>(x))});
}

} // namespace ropewalk::flow
