#pragma once

#include <any>
#include <concepts>
#include <initializer_list>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include <ropewalk/flow/april_deferred_flow.hpp>
#include <ropewalk/flow/april_generator.hpp>
#include <ropewalk/flow/april_steps.hpp>
#include <ropewalk/flow/block.hpp>
#include <ropewalk/flow/threaded_iterator.hpp>

namespace ropewalk::flow2003::april {

/// A flow that blocks: `flow.Flow`. What it fails with in the end is the last of its results, a `Failure`. It has a place of
/// its own, and stays there.
///
///     april::Flow flow(consumer());
///     flow.execute();
///     for (const std::any& result : flow.results) …
class Flow {
    using Where = std::source_location;

public:
    /// Of anything that a `Generator` takes.
    template <class X>
        requires(!std::same_as<std::remove_cvref_t<X>, Flow>)
    explicit Flow(X&& iterable, Where where = Where::current()) : top_(std::forward<X>(iterable), where) {}
    template <class T>
    explicit Flow(std::initializer_list<T> items, Where where = Where::current()) : top_(items, where) {}
    Flow(const Flow&) = delete;
    Flow& operator=(const Flow&) = delete;

    /// Runs it to its end. Where it cooperates, the thread sleeps; `sleep` takes the place of the system's. Throws
    /// `Unsupported` for other pauses, which nothing could end meanwhile.
    void execute(flow::Sleep sleep = nullptr);

    /// What the top of the flow has yielded.
    std::vector<std::any> results;

private:
    Generator top_;
};

} // namespace ropewalk::flow2003::april
