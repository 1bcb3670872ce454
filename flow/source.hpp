#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <ropewalk/flow/deferred_stage.hpp>
#include <ropewalk/flow/generator.hpp>
#include <ropewalk/flow/iterable_stage.hpp>
#include <ropewalk/flow/list_stage.hpp>
#include <ropewalk/flow/stage.hpp>
#include <ropewalk/task/step_sources.hpp>

/// Whatever flows are made of, brought to one form: a source is something to be moved, `Held` the stage that is made of it,
/// in its place.
namespace ropewalk::flow::detail {

/// For constructors of recipes: these are sources, and not the recipe to be copied or moved.
template <class Self, class... X>
inline constexpr bool notItself = sizeof...(X) > 0;
template <class Self, class X>
inline constexpr bool notItself<Self, X> = !std::same_as<std::remove_cvref_t<X>, Self>;

template <class S>
concept Recipe = requires { typename S::Held; } && !std::derived_from<S, StageBase>;

template <class S>
concept PointsToStage = std::is_pointer_v<S> && std::derived_from<std::remove_pointer_t<S>, StageBase>;

/// A stage that stays where it is.
template <class S>
struct StageRef {
    using Held = S;
    S* stage;
};

/// The stage of a source, in its place: made here, or elsewhere.
template <class S>
class Hold {
public:
    using Stage = typename S::Held;

    explicit Hold(S source) : stage_(std::move(source)) {}
    Stage& get() noexcept { return stage_; }
    /// Whether that stage goes with this.
    bool owns(const StageBase& stage) const noexcept { return &stage == &stage_; }

private:
    Stage stage_;
};
template <class S>
class Hold<StageRef<S>> {
public:
    using Stage = S;

    explicit Hold(StageRef<S> source) noexcept : stage_(source.stage) {}
    Stage& get() noexcept { return *stage_; }
    bool owns(const StageBase&) const noexcept { return false; }

private:
    Stage* stage_;
};

template <class I>
concept Iterable =
    std::ranges::input_range<std::unwrap_reference_t<I>> || task::detail::HasNext<std::unwrap_reference_t<I>>;

/// The stage of a source that a function object gave, which is kept: where it is a lambda and a generator, it refers to its
/// captures.
template <class F, class S>
class CalledStage;

template <class F, class S>
struct Called {
    using Held = CalledStage<F, S>;
    std::unique_ptr<F> function;
    S source;
};

template <class F>
struct KeptFunction {
    std::unique_ptr<F> function;
};

template <class F, class S>
class CalledStage final : private KeptFunction<F>, public S::Held {
public:
    explicit CalledStage(Called<F, S> called)
        : KeptFunction<F>{std::move(called.function)}, S::Held(std::move(called.source)) {}
};

template <class X>
auto source(X&& x);

/// Calls a function, for what it gives. One that goes with this, and holds something, is kept.
template <class X>
auto sourceCalled(X&& x) {
    using F = std::remove_cvref_t<X>;
    using S = decltype(detail::source(x()));
    if constexpr (!std::is_lvalue_reference_v<X> && std::is_class_v<F> && !std::is_empty_v<F>) {
        if constexpr (!std::derived_from<std::remove_cvref_t<decltype(x())>, StageBase> &&
                      !std::is_pointer_v<std::remove_cvref_t<decltype(x())>> &&
                      !std::is_final_v<typename S::Held>) {
            auto function = std::make_unique<F>(std::forward<X>(x));
            S source = detail::source((*function)());
            return Called<F, S>{std::move(function), std::move(source)};
        } else {
            return detail::source(x());
        }
    } else {
        return detail::source(x());
    }
}

template <class X>
auto source(X&& x) {
    using Given = std::remove_cvref_t<X>;
    if constexpr (std::derived_from<Given, StageBase>) {
        static_assert(std::is_lvalue_reference_v<X>,
                      "ropewalk: a stage is referred to, and has to stay: give it a name first");
        return StageRef<std::remove_reference_t<X>>{&x};
    } else if constexpr (PointsToStage<Given>) {
        return StageRef<std::remove_pointer_t<Given>>{x};
    } else if constexpr (Recipe<Given>) {
        static_assert(std::constructible_from<Given, X&&>,
                      "ropewalk: a generator or recipe goes into the flow: std::move it");
        return Given(std::forward<X>(x));
    } else if constexpr (defer::detail::IsDeferred<Given>) {
        return DeferredSource<typename Given::Value>(std::forward<X>(x));
    } else if constexpr (std::convertible_to<X&&, std::string_view>) {
        return ListSource<std::string>({std::string(std::string_view(std::forward<X>(x)))});
    } else if constexpr (Iterable<std::decay_t<X>>) {
        return iterableSource(std::forward<X>(x));
    } else {
        static_assert(
            std::invocable<Given&>,
            "ropewalk: a wrapper is not available for this: it is neither a stage, a generator, a list "
            "or other range, a string, a Deferred, something with next(), nor a function that gives one");
        return detail::sourceCalled(std::forward<X>(x));
    }
}

template <class X>
using SourceOf = decltype(detail::source(std::declval<X>()));
/// The type of the results of what is made of that, void if there are none.
template <class T>
std::type_identity<T> resultOf(const Stage<T>&);
template <class S>
using ResultOf = typename decltype(detail::resultOf(std::declval<typename Hold<S>::Stage&>()))::type;
template <class S>
using ItemOf = typename Hold<S>::Stage::Item;

} // namespace ropewalk::flow::detail
