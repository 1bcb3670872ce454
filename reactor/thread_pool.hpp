#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/call.hpp>

namespace ropewalk {

class Driver;
class Reactor;

namespace detail {

/// What a function that returns R leaves: the T of a Result<T>.
template <class R>
struct Left {
    using Type = R;
};
template <class U>
struct Left<Result<U>> {
    using Type = U;
};
template <class F>
using LeftBy = typename Left<std::decay_t<decltype(std::declval<F&>()())>>::Type;

template <class F>
constexpr void checkThreadable() {
    static_assert(!defer::detail::IsDeferred<decltype(std::declval<F&>()())>,
                  "ropewalk: a function that runs in a pool's thread can't return a Deferred, which would "
                  "belong to that thread; is it a coroutine?");
}

/// What the function returns or throws.
template <class F>
Result<LeftBy<F>> outcomeOf(F& function, std::source_location where) {
    using Returned = decltype(function());
    try {
        if constexpr (std::is_void_v<Returned>) {
            function();
            return {};
        } else {
            return Result<LeftBy<F>>(function());
        }
    } catch (...) {
        return std::unexpected(Failure(where));
    }
}

/// A function for a thread, and one that is told what came of it when the first is gone.
template <class F, class OnResult>
struct WorkWithResult {
    void operator()() {
        Result<LeftBy<F>> result = outcomeOf(*function, where);
        function.reset();
        const bool success = result.has_value();
        defer::detail::asCallable(onResult)(success, std::move(result));
    }

    std::optional<F> function;
    OnResult onResult;
    std::source_location where;
};

} // namespace detail

/// Threads that call functions, as many as there is work for (`twisted.python.threadpool.ThreadPool`).
///
/// Work is begun in the order in which it was given, by a thread that is idle, else by a new one, else, when
/// there are as many as there may be, by the first that is done. A thread that finds nothing to do for
/// `idleTime` leaves, unless that would leave less than the minimum.
///
/// `callInThread`, `callInThreadWithCallback` and the counts may be used from any thread, the rest belongs to
/// the one that made the pool. A function is destroyed in the thread that called it, before the next one is
/// begun; one that is never called, in the thread that destroys the pool. An exception that escapes a function
/// is logged.
class ThreadPool {
public:
    using Where = std::source_location;

    /// The driver starts the threads, and has to outlive the pool. Throws `AssertionError` for a minimum that
    /// is negative or above the maximum. Threads get the pool's name, of which the system may show less. With
    /// a minimum and an idle time of zero no thread ever waits.
    explicit ThreadPool(Driver& driver, int minThreads = 5, int maxThreads = 20, std::string_view name = {},
                        Seconds idleTime = Seconds(10));
    /// With that reactor's driver. In the pool's threads `reactor()` gives that reactor.
    explicit ThreadPool(Reactor& reactor, int minThreads = 5, int maxThreads = 20, std::string_view name = {},
                        Seconds idleTime = Seconds(10));
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;
    /// Waits for the work that is being done; what is not begun is destroyed. In one of the pool's own threads
    /// it is `abandon`.
    ~ThreadPool();

    /// From now on there are threads, at once as many as the minimum and the work that waits ask for. Throws
    /// `IOError` when there can be none.
    void start();
    /// Waits until all work that was given is done and all threads are gone. Work that is given meanwhile or
    /// afterwards waits for the next `start`. (Twisted's forgets it, and can't be started again.) Throws
    /// `RuntimeError` in one of the pool's own threads.
    void stop();
    /// As `stop`, for good and without waiting: what is not begun is destroyed, and threads that are at work
    /// leave by themselves when that is done. They don't need the driver any more.
    void abandon() noexcept;

    /// Calls the function with copies of the arguments in a thread. What it returns is ignored. Throws
    /// `AssertionError` if the function is empty, and `IOError` when there is no thread and can be none.
    template <class F>
    void callInThread(F&& function, Where where = Where::current()) {
        add(makeWork(where, std::forward<F>(function)));
    }
    template <class F, class A>
    void callInThread(F&& function, A&& a, Where where = Where::current()) {
        add(makeWork(where, std::forward<F>(function), std::forward<A>(a)));
    }
    template <class F, class A, class B>
    void callInThread(F&& function, A&& a, B&& b, Where where = Where::current()) {
        add(makeWork(where, std::forward<F>(function), std::forward<A>(a), std::forward<B>(b)));
    }
    template <class F, class A, class B, class C>
    void callInThread(F&& function, A&& a, B&& b, C&& c, Where where = Where::current()) {
        add(makeWork(where, std::forward<F>(function), std::forward<A>(a), std::forward<B>(b),
                     std::forward<C>(c)));
    }
    template <class F, class A, class B, class C, class D>
    void callInThread(F&& function, A&& a, B&& b, C&& c, D&& d, Where where = Where::current()) {
        add(makeWork(where, std::forward<F>(function), std::forward<A>(a), std::forward<B>(b),
                     std::forward<C>(c), std::forward<D>(d)));
    }

    /// The same, and then, in the same thread, `onResult(bool success, Result<R>)` with what the function
    /// returned or threw; the function is gone by then.
    template <class OnResult, class F, class... Args>
    void callInThreadWithCallback(OnResult&& onResult, F&& function, Args&&... args) {
        const Where where = Where::current();
        auto bound = detail::bindCall(where, std::forward<F>(function), std::forward<Args>(args)...);
        detail::checkThreadable<decltype(bound)>();
        add(detail::makeCall(where, detail::WorkWithResult<decltype(bound), std::decay_t<OnResult>>{
                                        std::move(bound), std::forward<OnResult>(onResult), where}));
    }

    /// Sets the bounds; those left out stay. Threads in excess leave when they are idle. Throws
    /// `AssertionError` as the constructor does.
    void adjustPoolsize(std::optional<int> minThreads = {}, std::optional<int> maxThreads = {});

    int min() const;
    int max() const;
    bool started() const;
    const std::string& name() const noexcept;
    /// How many threads there are: those that are idle and those that are working (Twisted's `workers`).
    int threads() const;
    int idle() const;
    int working() const;
    /// How much work has no thread yet.
    int waiting() const;

    /// For the library: work whose `Call` was made already.
    void add(detail::Call* call);

    template <class F, class... Args>
    static detail::Call* makeWork(Where where, F&& function, Args&&... args) {
        detail::checkThreadable<decltype(detail::bindCall(where, std::forward<F>(function),
                                                          std::forward<Args>(args)...))>();
        return detail::makeCall(where, std::forward<F>(function), std::forward<Args>(args)...);
    }

private:
    struct State;
    struct Thread;

    ThreadPool(Driver& driver, Reactor* lent, int minThreads, int maxThreads, std::string_view name,
               Seconds idleTime);

    // The threads share it, and may outlive the pool.
    std::shared_ptr<State> state_;
};

} // namespace ropewalk
