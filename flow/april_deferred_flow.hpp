#pragma once

#include <any>
#include <concepts>
#include <cstddef>
#include <source_location>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/flow/april_generator.hpp>
#include <ropewalk/reactor/reactor.hpp>

namespace ropewalk::flow2003 {

namespace april {

/// The keyword arguments of `DeferredFlow`.
struct DeferredFlowOptions {
    /// How long it waits before it begins; it never begins before the reactor's next turn.
    Seconds delay{0};
    /// The first Failure among the results ends the flow, and is what the Deferred fails with.
    bool fireOnOneErrback = false;
};

/// All results of a flow; and the first one, with the number of those before it, or all if there was none that is no Failure.
using Results = std::vector<std::any>;
using FirstResult = std::variant<std::pair<std::any, std::size_t>, Results>;

} // namespace april

namespace detail {

/// R is `april::Results`, or `april::FirstResult`: then the first result that is no Failure ends it.
template <class R>
defer::Deferred<R> startFlow(flow::Source<std::any> source, april::DeferredFlowOptions options,
                             ReactorTime& clock, std::source_location where);

extern template defer::Deferred<april::Results> startFlow(flow::Source<std::any>, april::DeferredFlowOptions,
                                                          ReactorTime&, std::source_location);
extern template defer::Deferred<april::FirstResult>
startFlow(flow::Source<std::any>, april::DeferredFlowOptions, ReactorTime&, std::source_location);

} // namespace detail

namespace april {

/// A flow that runs by itself, and gives its results in a list: `flow.DeferredFlow`. What it fails with in the end is the last
/// of them, a `Failure`: the Deferred itself fails only with `fireOnOneErrback`, and with what no flow can do.
///
///     april::DeferredFlow(consumer(), {.delay = 1s}).addCallback([](april::Results results) { … });
///     april::DeferredFlow(consumer(), defer::fireOnOneCallback);
///
/// With `defer::fireOnOneCallback` the first result that is no Failure ends the flow: a tag, since it changes the type. What
/// the flow waits for owns it; dropping the Deferred changes nothing; cancelling it closes the flow's generators.
template <class R = Results>
class DeferredFlow : public defer::Deferred<R> {
    using Base = defer::Deferred<R>;
    using Where = std::source_location;

public:
    /// On the thread's reactor, or another clock. Throws `NoReactorError`.
    template <class X>
        requires(!std::derived_from<std::remove_cvref_t<X>, DeferredFlow>)
    explicit DeferredFlow(X&& iterable, DeferredFlowOptions options = {}, Where where = Where::current())
        : DeferredFlow(std::forward<X>(iterable), options, reactor(), where) {}
    template <class X>
    DeferredFlow(X&& iterable, DeferredFlowOptions options, ReactorTime& clock,
                 Where where = Where::current())
        : Base(detail::startFlow<R>(detail::anySource(std::forward<X>(iterable)), options, clock, where)) {}
    template <class X>
    DeferredFlow(X&& iterable, defer::FireOnOneCallback first, DeferredFlowOptions options = {},
                 Where where = Where::current())
        : DeferredFlow(std::forward<X>(iterable), first, options, reactor(), where) {}
    template <class X>
    DeferredFlow(X&& iterable, defer::FireOnOneCallback, DeferredFlowOptions options, ReactorTime& clock,
                 Where where = Where::current())
        : Base(detail::startFlow<R>(detail::anySource(std::forward<X>(iterable)), options, clock, where)) {}

    /// It runs by itself.
    void execute() = delete;
};

template <class X>
DeferredFlow(X&&) -> DeferredFlow<Results>;
template <class X>
DeferredFlow(X&&, DeferredFlowOptions) -> DeferredFlow<Results>;
template <class X>
DeferredFlow(X&&, DeferredFlowOptions, ReactorTime&) -> DeferredFlow<Results>;
template <class X>
DeferredFlow(X&&, defer::FireOnOneCallback) -> DeferredFlow<FirstResult>;
template <class X>
DeferredFlow(X&&, defer::FireOnOneCallback, DeferredFlowOptions) -> DeferredFlow<FirstResult>;
template <class X>
DeferredFlow(X&&, defer::FireOnOneCallback, DeferredFlowOptions, ReactorTime&) -> DeferredFlow<FirstResult>;

} // namespace april
} // namespace ropewalk::flow2003
