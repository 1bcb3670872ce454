#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/call.hpp>
#include <ropewalk/reactor/clock_pointer.hpp>
#include <ropewalk/reactor/delayed_call.hpp>
#include <ropewalk/reactor/reactor_time.hpp>

namespace ropewalk::task {

class LoopingCall;

namespace detail {

/// What a LoopingCall and those of its calls that are under way own together: the function, and when it is called.
class Looping {
public:
    using Where = std::source_location;

    /// A call that is under way. It says how that ended, or when it goes, that nobody will.
    class Turn {
    public:
        Turn(Looping& looping, std::uint64_t start) noexcept : looping_(&looping), start_(start) {
            looping.retain();
        }
        Turn(Turn&& other) noexcept
            : looping_(std::exchange(other.looping_, nullptr)), start_(other.start_) {}
        Turn& operator=(Turn&&) = delete;
        ~Turn();

        void done();
        void failed(const Failure& failure);
        /// Ends when the Deferred has fired, whose result it takes.
        void waitFor(defer::detail::Chain& chain);

        Where where() const noexcept { return looping_->where_; }

    private:
        Looping* looping_;
        std::uint64_t start_;
    };

    Looping(const Looping&) = delete;
    Looping& operator=(const Looping&) = delete;

    void retain() noexcept { ++references_; }
    void release() noexcept {
        if (--references_ == 0) {
            delete this;
        }
    }
    /// The LoopingCall goes.
    void leave() noexcept;

    defer::Deferred<LoopingCall*> start(LoopingCall& owner, Seconds interval, bool now, Where where);
    void stop(Where where);
    void reset();

    bool running() const noexcept { return running_; }
    std::optional<Seconds> interval() const noexcept {
        return start_ != 0 ? std::optional(interval_) : std::nullopt;
    }
    void setInterval(Seconds interval);
    std::string str() const;

protected:
    Looping(Where where, bool counted, std::size_t arguments) noexcept
        : where_(where), arguments_(arguments), counted_(counted) {}
    virtual ~Looping();

    virtual void call(Turn turn, int count) = 0;

private:
    struct Tick;
    struct Stopped {
        std::uint64_t start;
        defer::Deferred<LoopingCall*> deferred;
    };

    void tick(Tick& tick);
    void begin();
    void schedule(Seconds when);
    void unschedule() noexcept;
    Seconds untilNext(Seconds when) const;
    int slotsSinceLast(Seconds now);
    double slotOf(Seconds time) const;
    Seconds slack() const;

    bool wants(std::uint64_t start) const noexcept;
    defer::Deferred<LoopingCall*> finish(std::uint64_t start);
    void turnDone(std::uint64_t start);
    void turnFailed(std::uint64_t start, const Failure& failure);
    void turnAbandoned(std::uint64_t start) noexcept;

    LoopingCall* owner_ = nullptr; // null when it is gone
    ropewalk::detail::ClockPointer clock_;
    DelayedCall tick_;
    defer::Deferred<LoopingCall*> deferred_ = nullptr;
    std::vector<Stopped> stopped_; // started anew since, while their last call is still under way
    Seconds interval_{0};
    Seconds startTime_{0};
    std::optional<Seconds> lastCounted_;
    std::uint64_t start_ = 0; // the how manieth start it is
    Where where_;
    std::size_t arguments_;
    std::uint32_t references_ = 1;
    bool counted_;
    bool onReactor_ = false;
    bool running_ = false;
    bool scheduled_ = false; // else, while it runs, a call is under way
    bool runAtStart_ = false;
};

template <class Invoke>
void takeTurn(Looping::Turn turn, Invoke&& invoke) {
    using Returned = std::decay_t<decltype(invoke())>;
    using defer::detail::Outcome;
    const auto where = turn.where();
    Failure failure{nullptr};
    try {
        if constexpr (defer::detail::IsDeferred<Returned>) {
            const Returned returned = invoke();
            if (!returned) {
                defer::detail::throwEmpty("what a LoopingCall's function returned", where);
            }
            turn.waitFor(*defer::detail::Access::chainOf(returned));
            return;
        } else if constexpr (Outcome<Returned>::isFailure) {
            failure = Failure(invoke());
        } else if constexpr (Outcome<Returned>::isResult) {
            Returned result = invoke();
            if (!result) {
                failure = std::move(result).error();
            }
        } else {
            static_cast<void>(invoke());
        }
    } catch (...) {
        failure = Failure(where);
    }
    if (failure.empty()) {
        turn.done();
    } else {
        turn.failed(failure);
    }
}

template <class F>
class LoopingOf final : public Looping {
public:
    template <class G>
    LoopingOf(Where where, std::size_t arguments, G&& function)
        : Looping(where, false, arguments), function_(std::forward<G>(function)) {}

private:
    void call(Turn turn, int) override {
        takeTurn(std::move(turn), [this]() -> decltype(auto) { return function_(); });
    }

    F function_;
};

template <class F>
class CountingOf final : public Looping {
public:
    template <class G>
    CountingOf(Where where, std::size_t arguments, G&& function)
        : Looping(where, true, arguments), function_(std::forward<G>(function)) {}

private:
    void call(Turn turn, int count) override {
        takeTurn(std::move(turn), [this, count]() -> decltype(auto) { return function_(count); });
    }

    F function_;
};

/// The function with its arguments, of which every call sees the same ones.
template <class F, class... Args>
auto bindLooping(Looping::Where where, F&& function, Args&&... args) {
    using Function = std::decay_t<F>;
    if (ropewalk::detail::isEmptyFunction<Function>(function)) {
        ropewalk::detail::throwNotCallable(where);
    }
    if constexpr (sizeof...(Args) == 0 && !std::is_member_pointer_v<Function>) {
        return Function(std::forward<F>(function));
    } else {
        return [kept = Function(std::forward<F>(function)),
                ... given = std::decay_t<Args>(std::forward<Args>(args))]<class... Count>(
                   Count... count) mutable -> decltype(auto) {
            static_assert(
                requires { ropewalk::detail::callWith(kept, given..., count...); },
                "ropewalk: a LoopingCall can't call this function with these arguments, which it keeps");
            return ropewalk::detail::callWith(kept, given..., count...);
        };
    }
}

template <class F, class... Args>
Looping* makeLooping(Looping::Where where, F&& function, Args&&... args) {
    using Bound = decltype(bindLooping(where, std::forward<F>(function), std::forward<Args>(args)...));
    static_assert(requires(Bound& f) { f(); }, "ropewalk: a LoopingCall can't call this function");
    return new LoopingOf<Bound>(where, sizeof...(Args),
                                bindLooping(where, std::forward<F>(function), std::forward<Args>(args)...));
}

template <class F, class... Args>
Looping* makeCounting(Looping::Where where, F&& function, Args&&... args) {
    using Bound = decltype(bindLooping(where, std::forward<F>(function), std::forward<Args>(args)...));
    static_assert(
        requires(Bound& f) { f(1); }, "ropewalk: a function for LoopingCall::withCount has to take an int");
    return new CountingOf<Bound>(where, sizeof...(Args),
                                 bindLooping(where, std::forward<F>(function), std::forward<Args>(args)...));
}

} // namespace detail

/// Calls a function again and again, at moments that are a multiple of the interval after the start:
/// `task.LoopingCall`. It doesn't drift, and leaves out moments that have passed. What the function returns is ignored,
/// but a Deferred (that of a coroutine, say) is waited for, and nothing is called meanwhile. An exception, and a
/// Deferred that fails, end the loop.
///
/// It belongs to the thread of its clock. When it is destroyed, which may be at any time, also from within its own
/// function, it stops, and the Deferred of `start` is let go of unfired; so it is if the Deferred that the function
/// returned goes away unfired. The function lives until a Deferred that it returned has fired. When the clock goes
/// first, nothing is called any more.
class LoopingCall {
public:
    using Where = std::source_location;

    /// Any callable, and up to four arguments for each call; a member function takes its object first. Throws
    /// `AssertionError` for an empty function.
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, LoopingCall>)
    explicit LoopingCall(F&& function, Where where = Where::current())
        : looping_(detail::makeLooping(where, std::forward<F>(function))) {}
    template <class F, class A>
    LoopingCall(F&& function, A&& a, Where where = Where::current())
        : looping_(detail::makeLooping(where, std::forward<F>(function), std::forward<A>(a))) {}
    template <class F, class A, class B>
    LoopingCall(F&& function, A&& a, B&& b, Where where = Where::current())
        : looping_(detail::makeLooping(where, std::forward<F>(function), std::forward<A>(a),
                                       std::forward<B>(b))) {}
    template <class F, class A, class B, class C>
    LoopingCall(F&& function, A&& a, B&& b, C&& c, Where where = Where::current())
        : looping_(detail::makeLooping(where, std::forward<F>(function), std::forward<A>(a),
                                       std::forward<B>(b), std::forward<C>(c))) {}
    template <class F, class A, class B, class C, class D>
    LoopingCall(F&& function, A&& a, B&& b, C&& c, D&& d, Where where = Where::current())
        : looping_(detail::makeLooping(where, std::forward<F>(function), std::forward<A>(a),
                                       std::forward<B>(b), std::forward<C>(c), std::forward<D>(d))) {}

    /// One whose function is called with how many calls were due since the last one, this one included: more than 1
    /// when some were left out. Never with 0; always with 1 if the interval is 0. A start counts anew.
    template <class F>
    static LoopingCall withCount(F&& function, Where where = Where::current()) {
        return LoopingCall(detail::makeCounting(where, std::forward<F>(function)));
    }
    template <class F, class Object>
        requires std::is_member_function_pointer_v<F>
    static LoopingCall withCount(F member, Object&& object, Where where = Where::current()) {
        return LoopingCall(detail::makeCounting(where, member, std::forward<Object>(object)));
    }

    LoopingCall(const LoopingCall&) = delete;
    LoopingCall& operator=(const LoopingCall&) = delete;
    ~LoopingCall() { looping_->leave(); }

    /// Whose time it goes by, from the next `start` on. Null for the reactor of the thread that calls `start`.
    ReactorTime* clock = nullptr;

    /// Calls the function now, before it returns, unless `now` is false, and then every `interval` seconds; with 0, at
    /// each turn of the loop. The Deferred fires with this object when the loop was stopped and no call is under
    /// way, and fails when the loop ended by an error. Throws `AssertionError` if it runs already, `ValueError` for a
    /// negative interval, `NoReactorError`.
    defer::Deferred<LoopingCall*> start(Seconds interval, bool now = true, Where where = Where::current()) {
        return looping_->start(*this, interval, now, where);
    }
    /// Nothing is called any more. Throws `AssertionError` if it doesn't run.
    void stop(Where where = Where::current()) { looping_->stop(where); }
    /// The next call is an interval from now, and so on from there. Nothing changes while a call is under way. Throws
    /// `AssertionError` if it doesn't run.
    void reset() { looping_->reset(); }

    /// From `start` until `stop`, or until an error.
    bool running() const noexcept { return looping_->running(); }
    /// None before the first `start`.
    std::optional<Seconds> interval() const noexcept { return looping_->interval(); }
    /// Another interval, for what follows the next call: assigning to Twisted's `interval`. Throws `ValueError` if it
    /// is negative.
    void setInterval(Seconds interval) { looping_->setInterval(interval); }

    /// `LoopingCall<0.5>(made at file:line, 2 arguments)`; before the first start, `LoopingCall<None>(…)`.
    std::string str() const { return looping_->str(); }

private:
    explicit LoopingCall(detail::Looping* looping) noexcept : looping_(looping) {}

    detail::Looping* looping_;
};

std::ostream& operator<<(std::ostream& out, const LoopingCall& loop);

} // namespace ropewalk::task
