#pragma once

#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include <ropewalk/flow/pipe.hpp>

namespace ropewalk::flow {

namespace detail {

template <class F, class S>
class FilterStage;

} // namespace detail

/// Those results of a source for which a function says true: `flow.Filter`. With `nullptr` for a function, those that are
/// true themselves.
///
///     flow::Filter([](int n) { return n % 2 != 0; }, Counter(4))
///
/// A recipe, for `wrap`, a controller, or another one.
template <class F, class S>
class Filter {
public:
    using Held = detail::FilterStage<F, S>;

    template <class G, class X>
    Filter(G&& theFunction, X&& x)
        : function(std::forward<G>(theFunction)), source(detail::source(std::forward<X>(x))) {}
    template <class X>
    Filter(std::nullptr_t, X&& x) : source(detail::source(std::forward<X>(x))) {}

    F function;
    S source;
};
template <class G, class X>
Filter(G&&, X&&) -> Filter<std::decay_t<G>, detail::SourceOf<X>>;
template <class X>
Filter(std::nullptr_t, X&&) -> Filter<std::identity, detail::SourceOf<X>>;

namespace detail {

template <class F, class S>
class FilterStage final : public PipeStage<S, ResultOf<S>> {
public:
    explicit FilterStage(Filter<F, S> filter)
        : PipeStage<S, ResultOf<S>>(std::move(filter.source)), function_(std::move(filter.function)) {}

private:
    void process(Results<ItemOf<S>>& items, bool) override {
        for (auto& item : items) {
            if (std::invoke(function_, std::as_const(item))) {
                this->results.emplace(std::move(item));
            }
        }
    }

    F function_;
};

} // namespace detail
} // namespace ropewalk::flow
