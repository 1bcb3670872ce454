#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/reactor/blocked_threads.hpp>
#include <ropewalk/reactor/firer.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/reactor/thread_pool.hpp>

/// The functions of `twisted.internet.threads`.
namespace ropewalk {

/// A reactor, and who uses it: a reactor converts to it where one of these functions is called.
struct ReactorAt {
    ReactorAt(Reactor& theReactor, std::source_location caller = std::source_location::current()) noexcept
        : reactor(theReactor), where(caller) {}

    Reactor& reactor;
    std::source_location where;
};

namespace detail {

/// A function for a thread, whose outcome fires a Deferred.
template <class F>
struct DeferredWork {
    using Value = LeftBy<F>;

    void operator()() {
        if (cancelled->load(std::memory_order_acquire)) {
            return;
        }
        Result<Value> result = outcomeOf(*function, where);
        function.reset();
        fire.fire(std::move(result), where);
    }

    std::optional<F> function;
    Firer<Value> fire;
    std::shared_ptr<std::atomic<bool>> cancelled;
    std::source_location where;
};

/// For the canceller of a Deferred that will be fired even so: that is ignored.
template <class T>
void ignoreFire(const defer::Deferred<T>& d) noexcept {
    defer::detail::Access::chainOf(d)->suppressed = true;
}

/// A function for the reactor's thread, whose outcome another thread waits for.
template <class F>
struct BlockingCall {
    using Returned = decltype(std::declval<F&>()());
    static constexpr bool isDeferred = defer::detail::IsDeferred<Returned>;
    using Value = typename std::conditional_t<isDeferred, defer::detail::Outcome<std::decay_t<Returned>>,
                                              Left<std::decay_t<Returned>>>::Type;

    auto operator()() {
        if constexpr (isDeferred) {
            return waitFor();
        } else if (answer.wanted()) {
            give(answer, outcomeOf(*function, where));
        }
    }

    defer::Deferred<void> waitFor() {
        if (!answer.wanted()) {
            return nullptr;
        }
        defer::Deferred<Value> d = begin();
        answer.waitFor(defer::detail::Access::chainOf(d));
        return d.addBoth(
            [answer = std::move(answer), &reactor = reactor](Result<Value> result) mutable {
                if (give(answer, std::move(result))) {
                    reactor.callFromThread([last = std::move(answer)] {});
                }
            },
            where);
    }

    defer::Deferred<Value> begin() {
        try {
            defer::Deferred<Value> d = (*function)();
            if (!d) {
                defer::detail::throwEmpty("blockingCallFromThread", where);
            }
            return d;
        } catch (...) {
            return defer::fail<Value>(Failure(where), where);
        }
    }

    // The consequence of giving up isn't an answer; who gave up lets the thread go on. An error that nobody
    // waits for any more mustn't get lost.
    static bool give(Answer<Value>& answer, Result<Value> result) {
        if (!result && answer.givingUp() &&
            result.error().template check<defer::CancelledError>() != nullptr) {
            answer.leave();
            return false;
        }
        const bool given = answer.give(result);
        if (!given && !result) {
            log::err(result.error(), {}, {{"during", "a call from a thread that waits no more"}});
        }
        return given;
    }

    Answer<Value> answer; // destroyed last
    Reactor& reactor;
    std::source_location where;
    std::optional<F> function; // it lives until its Deferred has fired
};

/// Throws `RuntimeError` in the reactor's own thread.
void checkOtherThread(const Reactor& reactor);
std::shared_ptr<BlockedThreads> blockedThreads(Reactor& reactor);

} // namespace detail

/// Calls the function with copies of the arguments in a thread of the pool; the Deferred fires, in the
/// reactor's thread, with what it returned or threw. Cancelled, it fails at once: the function isn't called
/// if it hasn't begun, else what comes of it is ignored. When the pool goes before the function has begun, the
/// Deferred fails with `AbandonedError`; when the reactor goes first, it never fires.
template <class F, class... Args>
auto deferToThreadPool(ReactorAt at, ThreadPool& pool, F&& function, Args&&... args) {
    auto bound = detail::bindCall(at.where, std::forward<F>(function), std::forward<Args>(args)...);
    using Bound = decltype(bound);
    detail::checkThreadable<Bound>();
    using Value = detail::LeftBy<Bound>;
    auto cancelled = std::make_shared<std::atomic<bool>>(false);
    defer::Deferred<Value> d(
        [cancelled](const defer::Deferred<Value>& self) {
            cancelled->store(true, std::memory_order_release);
            detail::ignoreFire(self);
        },
        at.where);
    try {
        pool.add(detail::makeCall(at.where,
                                  detail::DeferredWork<Bound>{std::move(bound), at.reactor.firer(d, at.where),
                                                              std::move(cancelled), at.where}));
    } catch (...) {
        const Failure noThread(at.where);
        d.cancel({}, at.where);
        static_cast<void>(d.addBoth([] {}, at.where));
        return defer::fail<Value>(noThread, at.where);
    }
    return d;
}

/// The same in the reactor's own pool; before the reactor runs, the function waits until it does.
template <class F, class... Args>
auto deferToThread(ReactorAt at, F&& function, Args&&... args) {
    return deferToThreadPool(at, at.reactor.getThreadPool(), std::forward<F>(function),
                             std::forward<Args>(args)...);
}

/// Calls the functions of a range one after another in one thread of the reactor's pool. What one of them
/// throws is logged, and those after it aren't called.
template <std::ranges::input_range Functions>
void callMultipleInThread(ReactorAt at, Functions functions) {
    static_assert(!defer::detail::IsDeferred<decltype((*std::ranges::begin(functions))())>,
                  "ropewalk: a function that runs in a pool's thread can't return a Deferred");
    at.reactor.callInThread(
        [functions = std::move(functions)]() mutable {
            for (auto&& function : functions) {
                function();
            }
        },
        at.where);
}

/// In any thread but the reactor's: calls the function with copies of the arguments in the reactor's thread,
/// waits for what it returns, or for the Deferred that it returns, and returns the value or throws the error.
/// Throws `RuntimeError` in the reactor's own thread, and `AbandonedError` when nobody can fire the Deferred
/// any more, and when the reactor has stopped, or goes: then what the function waits for is cancelled. Before
/// the reactor's first run it waits for that. It must not be called when the reactor is being destroyed, but
/// in threads of the reactor's pool.
template <class F, class... Args>
auto blockingCallFromThread(ReactorAt at, F&& function, Args&&... args) {
    detail::checkOtherThread(at.reactor);
    auto bound = detail::bindCall(at.where, std::forward<F>(function), std::forward<Args>(args)...);
    using Call = detail::BlockingCall<decltype(bound)>;
    using Value = typename Call::Value;
    const auto thread = std::make_shared<detail::BlockedFor<Value>>(detail::blockedThreads(at.reactor));
    thread->threads->enter(thread);
    at.reactor.callFromThread(Call{detail::Answer<Value>(thread), at.reactor, at.where, std::move(bound)},
                              at.where);
    thread->threads->wait(*thread);
    Result<Value> result = std::move(*thread->result);
    if (!result) {
        std::move(result).error().raiseException();
    }
    if constexpr (!std::is_void_v<Value>) {
        return Value(std::move(*result));
    }
}

} // namespace ropewalk
