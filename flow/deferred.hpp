#pragma once

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/flow/living_flows.hpp>
#include <ropewalk/flow/runner.hpp>
#include <ropewalk/flow/source.hpp>
#include <ropewalk/flow/trap.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/ref.hpp>

namespace ropewalk::flow {

namespace detail {

template <class T>
using ListOf = std::conditional_t<std::is_void_v<T>, void, std::vector<T>>;

/// A flow whose results go to a Deferred.
template <class S>
class DeferredFlow final : public LivingFlow {
    using List = ListOf<ResultOf<S>>;
    using Root = typename Hold<S>::Stage;

public:
    static defer::Deferred<List> start(S source, ReactorTime& clock, std::source_location where) {
        auto* flow = new DeferredFlow(std::move(source), clock, where);
        const task::detail::Ref<DeferredFlow> kept = task::detail::Ref<DeferredFlow>::adopt(*flow);
        auto anchor = flow->anchor();
        flow->deferred_ = defer::Deferred<List>(
            [anchor] {
                if (*anchor != nullptr) {
                    (*anchor)->cancel();
                }
            },
            where);
        defer::Deferred<List> deferred = flow->deferred_;
        flow->begin();
        return deferred;
    }

private:
    DeferredFlow(S source, ReactorTime& clock, std::source_location where)
        : LivingFlow(clock, where), root_(std::in_place, std::move(source)) {}
    ~DeferredFlow() override { abandon(); }

    bool advanceToEnd() override {
        Root& root = root_->get();
        while (this->advance(root)) {
            if (!root.results.empty()) {
                take(root);
            } else if (root.stop) {
                return true;
            } else {
                root.stop = true;
                failure_ = *root.failure;
                return true;
            }
            if (this->isCancelled()) [[unlikely]] {
                return false;
            }
        }
        return false;
    }
    void take(Root& root) {
        if constexpr (!std::is_void_v<List>) {
            if (results_.empty()) {
                results_ = root.results.takeAll();
            } else {
                for (auto& item : root.results) {
                    results_.push_back(std::move(item));
                }
                root.results.clear();
            }
        } else {
            root.results.clear();
        }
    }
    void fail(Failure failure) noexcept override { failure_ = std::move(failure); }
    void close() noexcept override { root_.reset(); }
    void fire() override {
        auto deferred = std::exchange(deferred_, nullptr);
        if (deferred.called()) {
            return;
        }
        if (!failure_.empty()) {
            deferred.errback(std::move(failure_), this->madeAt());
        } else if constexpr (std::is_void_v<List>) {
            deferred.callback(this->madeAt());
        } else {
            deferred.callback(std::move(results_), this->madeAt());
        }
    }

    std::optional<Hold<S>> root_;
    [[no_unique_address]] std::conditional_t<std::is_void_v<List>, None, std::vector<ItemOf<S>>> results_;
    Failure failure_{nullptr};
    defer::Deferred<List> deferred_ = nullptr;
};

} // namespace detail

/// Runs a flow, and gives all its results in a list: `flow.Deferred`. It runs at once, up to its first pause, and then
/// whenever it is woken. What it fails with is the Deferred's failure. Cancelled, it cancels what the flow waits for, and
/// closes its generators, from the innermost outwards; in the midst of a step, when that is over.
///
/// What it waits for owns it: dropping the Deferred changes nothing. When nothing can wake it any more, or the reactor goes,
/// it is closed and reported as abandoned. Of a flow without results (`Generator<>`) it is a `Deferred<void>`.
template <class T>
class Deferred : public defer::Deferred<detail::ListOf<T>> {
    using Base = defer::Deferred<detail::ListOf<T>>;
    using Where = std::source_location;

public:
    /// On the thread's reactor. Throws `NoReactorError`.
    template <class X>
        requires(!std::derived_from<std::remove_cvref_t<X>, Deferred>)
    explicit Deferred(X&& x, Where where = Where::current())
        : Deferred(std::forward<X>(x), reactor(), where) {}
    template <class X>
    Deferred(X&& x, ReactorTime& clock, Where where = Where::current())
        : Base(start(detail::source(std::forward<X>(x)), clock, where)) {}

    /// With errors that are results, as for `wrap`.
    template <class X, class... Errors>
    Deferred(X&& x, Trap<Errors...> errors, Where where = Where::current())
        : Deferred(std::forward<X>(x), errors, reactor(), where) {}
    template <class X, class... Errors>
    Deferred(X&& x, Trap<Errors...>, ReactorTime& clock, Where where = Where::current())
        : Base(start(detail::Trapped<detail::SourceOf<X>, Errors...>{detail::source(std::forward<X>(x))},
                     clock, where)) {}

private:
    template <class S>
    static Base start(S source, ReactorTime& clock, Where where) {
        return detail::DeferredFlow<S>::start(std::move(source), clock, where);
    }
};

template <class X>
Deferred(X&&) -> Deferred<detail::ResultOf<detail::SourceOf<X>>>;
template <class X>
Deferred(X&&, ReactorTime&) -> Deferred<detail::ResultOf<detail::SourceOf<X>>>;
template <class X, class... Errors>
Deferred(X&&, Trap<Errors...>) -> Deferred<detail::ResultOf<detail::Trapped<detail::SourceOf<X>, Errors...>>>;
template <class X, class... Errors>
Deferred(X&&, Trap<Errors...>, ReactorTime&)
    -> Deferred<detail::ResultOf<detail::Trapped<detail::SourceOf<X>, Errors...>>>;

} // namespace ropewalk::flow
