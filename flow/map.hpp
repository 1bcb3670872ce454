#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <ropewalk/flow/source.hpp>

namespace ropewalk::flow {

namespace detail {

template <class F, class... S>
struct MappedItem {
    using Type = std::invoke_result_t<F&, std::optional<ItemOf<S>>...>;
};
template <class F, class S>
struct MappedItem<F, S> {
    using Type = std::invoke_result_t<F&, ItemOf<S>>;
};
template <class F, class... S>
using Mapped = std::decay_t<typename MappedItem<F, S...>::Type>;

template <class F, class... S>
class MapStage;

struct ToTuple {
    template <class... T>
    std::tuple<T...> operator()(T... items) const {
        return std::tuple<T...>(std::move(items)...);
    }
};

} // namespace detail

/// A function's results for those of a source: `flow.Map`. With more sources than one, the function gets a `std::optional` of
/// each one's next result, until all have ended: the shorter ones give nothing then. What it throws is what the stage
/// fails with.
///
///     flow::Map([](int n) { return n + 10; }, Counter(4))
///
/// A recipe, for `wrap`, a controller, or another one.
template <class F, class... S>
class Map {
public:
    using Held = detail::MapStage<F, S...>;

    template <class G, class... X>
        requires(sizeof...(X) > 0)
    explicit Map(G&& theFunction, X&&... x)
        : function(std::forward<G>(theFunction)), sources(detail::source(std::forward<X>(x))...) {}

    F function;
    std::tuple<S...> sources;
};
template <class G, class... X>
    requires(sizeof...(X) > 0)
Map(G&&, X&&...) -> Map<std::decay_t<G>, detail::SourceOf<X>...>;

/// The results of several sources side by side, `std::tuple<std::optional<A>, …>`: `flow.Zip`. It ends when all have; the
/// shorter ones give nothing then.
template <class... S>
class Zip {
public:
    using Held = detail::MapStage<detail::ToTuple, S...>;

    template <class... X>
        requires detail::notItself<Zip, X...> && (std::same_as<S, detail::SourceOf<X>> && ...)
    explicit Zip(X&&... x) : sources(detail::source(std::forward<X>(x))...) {}

    detail::ToTuple function;
    std::tuple<S...> sources;
};
template <class... X>
Zip(X&&...) -> Zip<detail::SourceOf<X>...>;

namespace detail {

template <class F, class... S>
class MapStage final : public Stage<Mapped<F, S...>> {
public:
    template <class Recipe>
    explicit MapStage(Recipe recipe)
        : function_(std::move(recipe.function)), holds_(std::move(recipe.sources)) {}

    Progress step(Run& run) override {
        if (this->isReady()) {
            return {};
        }
        return fill(run, std::index_sequence_for<S...>());
    }
    GeneratorNode* ownerOf(const StageBase& source) noexcept override {
        const bool owns = std::apply([&](const auto&... hold) { return (hold.owns(source) || ...); }, holds_);
        return owns ? this->owner() : nullptr;
    }

private:
    template <std::size_t... I>
    Progress fill(Run& run, std::index_sequence<I...>) {
        Progress progress;
        if (!(fillOne<I>(run, progress) && ...)) {
            return progress;
        }
        filled_ = 0;
        if (!std::exchange(any_, false)) {
            this->stop = true;
            return {};
        }
        try {
            if constexpr (sizeof...(S) == 1) {
                this->results.emplace(std::invoke(function_, std::move(*std::get<0>(items_))));
            } else {
                this->results.emplace(std::invoke(function_, std::move(std::get<I>(items_))...));
            }
        } catch (...) {
            this->failed(escaped(std::source_location::current(), {}));
        }
        (std::get<I>(items_).reset(), ...);
        return {};
    }

    /// False when that source isn't ready, or has failed.
    template <std::size_t I>
    bool fillOne(Run& run, Progress& progress) {
        if (filled_ > I) {
            return true;
        }
        auto& source = std::get<I>(holds_).get();
        progress = this->ask(source, run);
        if (!progress.isReady()) {
            return false;
        }
        if (!source.results.empty()) {
            std::get<I>(items_).emplace(source.results.popFront());
            any_ = true;
        } else if (!source.stop) {
            source.stop = true;
            this->failure = source.failure;
            return false;
        }
        filled_ = I + 1;
        return true;
    }

    F function_;
    std::tuple<Hold<S>...> holds_;
    std::tuple<std::optional<ItemOf<S>>...> items_;
    std::size_t filled_ = 0; // so many have given their part of the next result
    bool any_ = false;
};

} // namespace detail
} // namespace ropewalk::flow
