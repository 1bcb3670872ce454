#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/flow/channel.hpp>
#include <ropewalk/flow/iterable_stage.hpp>
#include <ropewalk/flow/source.hpp>
#include <ropewalk/flow/stage.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/step_sources.hpp>

namespace ropewalk::flow {

namespace detail {

/// A member `chunked`: whether the items are ranges of results. A constant says it once and for all, a variable that they are.
template <class I>
constexpr bool isChunked() noexcept {
    if constexpr (requires { typename std::bool_constant<I::chunked>; }) {
        return I::chunked;
    } else {
        return requires(I& iterable) {
            { iterable.chunked } -> std::convertible_to<bool>;
        };
    }
}

/// What there is to go through in the thread: the iterable, or what the function returns.
template <class I>
decltype(auto) iterableOf(I& given) {
    if constexpr (Iterable<I>) {
        return std::move(given);
    } else {
        static_assert(
            std::invocable<I&>,
            "ropewalk: a thread can't go through this: it is neither a range, nor something with next(), nor a "
            "function that returns one");
        return given();
    }
}
template <class I>
using GoneThrough = std::remove_cvref_t<decltype(iterableOf(std::declval<I&>()))>;

template <class I, bool = isChunked<std::unwrap_reference_t<I>>()>
struct ThreadedItem {
    using Type = typename IterableItem<std::unwrap_reference_t<I>>::Type;
};
template <class I>
struct ThreadedItem<I, true> {
    using Chunk = typename IterableItem<std::unwrap_reference_t<I>>::Type;
    using Type = std::ranges::range_value_t<Chunk>;
};

template <class I>
class ThreadedStage;

} // namespace detail

struct ThreadedOptions {
    /// So many results may wait for the flow; then the thread waits.
    std::size_t limit = 4096;
};

/// The results of an iterable that blocks: a thread of the reactor's pool goes through it (`threads.Threaded`).
///
///     task::Generator<int> countSleep(int count);       // sleeps
///     auto d = flow::Deferred(flow::Merge(flow::Threaded(countSleep(5)), countCooperate(5)));
///
/// The iterable is a range (a `task::Generator` among them), something with `next()`, or a function that returns one and is
/// called in the thread, too. It moves to the thread, which begins when this becomes a stage (at the latest when the reactor
/// runs), asks it for one item after another, and destroys it: nothing of it may be used elsewhere meanwhile. With a member
/// `chunked`, as database cursors have, its items are ranges of results.
///
/// An exception is what the stage fails with, after the results that came before it; a `StopIteration` is the end. A stage
/// that goes (nobody takes more; the flow is cancelled) stops the thread at its next item, and waits for nothing. So does the
/// reactor when it stops: then the stage fails with `AbandonedError`. A thread that waits for a flow isn't free for others:
/// the pool has ten. The reactor has its turn after each batch of results.
///
/// A recipe, for `wrap`, a controller that runs by itself, or another one. Throws `ValueError` for a limit of 0.
template <class I>
class Threaded {
public:
    using Held = detail::ThreadedStage<I>;

    /// On the thread's reactor.
    explicit Threaded(I theIterable, const ThreadedOptions& options = {},
                      std::source_location where = std::source_location::current())
        : Threaded(std::move(theIterable), ropewalk::reactor(), options, where) {}
    Threaded(I theIterable, Reactor& theReactor, const ThreadedOptions& options = {},
             std::source_location where = std::source_location::current())
        : iterable(std::move(theIterable)), reactor(&theReactor), limit(options.limit), madeAt(where) {
        if (limit == 0) {
            throw ValueError("a thread whose results nobody could take");
        }
    }

    I iterable;
    Reactor* reactor;
    std::size_t limit;
    std::source_location madeAt;
};

namespace detail {

/// What runs in the thread.
template <class I, class T>
struct ThreadWork {
    void operator()() {
        Failure failure(nullptr);
        try {
            if (iterable && !channel->isClosed()) {
                goThrough(*iterable);
            }
            iterable.reset();
        } catch (const StopIteration&) {
            iterable.reset();
        } catch (...) {
            failure = Failure(where);
            iterable.reset();
        }
        channel->end(std::move(failure));
    }

    void goThrough(I& given) {
        using Source = GoneThrough<I>;
        auto source = task::detail::sourceOf(iterableOf(given));
        bool wanted = true;
        while (wanted && source.next([&](auto&& item) {
            if constexpr (isChunked<std::unwrap_reference_t<Source>>()) {
                wanted = channel->pushAll(std::forward<decltype(item)>(item));
            } else {
                wanted = channel->push(std::forward<decltype(item)>(item));
            }
        })) {}
    }

    std::optional<I> iterable;
    std::shared_ptr<ChannelOf<T>> channel;
    std::source_location where;
};

template <class I>
class ThreadedStage final : public Stage<typename ThreadedItem<GoneThrough<I>>::Type> {
    using T = typename ThreadedItem<GoneThrough<I>>::Type;

public:
    explicit ThreadedStage(Threaded<I> recipe)
        : channel_(std::make_shared<ChannelOf<T>>(*recipe.reactor, recipe.limit)) {
        channel_->open();
        try {
            recipe.reactor->callInThread(
                ThreadWork<I, T>{std::move(recipe.iterable), channel_, recipe.madeAt}, recipe.madeAt);
        } catch (...) {
            this->failed(Failure(recipe.madeAt));
        }
    }
    ~ThreadedStage() override { channel_->close(); }

    Progress step(Run&) override {
        if (this->isReady()) {
            return {};
        }
        if (!channel_->owesTurn() && channel_->take(this->results, this->stop, this->failure)) {
            return {};
        }
        return {nullptr, &channel_->pause()};
    }

private:
    std::shared_ptr<ChannelOf<T>> channel_;
};

} // namespace detail
} // namespace ropewalk::flow
