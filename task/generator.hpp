#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/defer/frame.hpp>
#include <ropewalk/task/errors.hpp>
#include <ropewalk/task/generator_control.hpp>

namespace ropewalk::task {

namespace detail {

struct Nothing {};
template <class T>
using OptionalUnlessVoid = std::conditional_t<std::is_void_v<T>, Nothing, std::optional<T>>;

template <class Yield, class Send, class Return>
class GeneratorState final : public GeneratorControl {
public:
    using Item = std::remove_reference_t<Yield>;

    GeneratorState(void* frame, std::size_t size) noexcept : GeneratorControl(frame, size) {}
    using GeneratorControl::frameGone;

    Yield take() noexcept(std::is_reference_v<Yield> || std::is_nothrow_move_constructible_v<Item>) {
        if constexpr (std::is_reference_v<Yield>) {
            return static_cast<Yield>(*yielded);
        } else {
            return std::move(*yielded);
        }
    }

    Item* yielded = nullptr; // in the frame, while it is suspended
    [[no_unique_address]] OptionalUnlessVoid<Send> sent;
    [[no_unique_address]] OptionalUnlessVoid<Return> returned;
};

/// Gives control back to whoever asked for the next value, and what that sends to the generator.
template <class State, class Send>
struct Resumption {
    State& state;

    bool await_ready() const noexcept { return state.isAsked(); }
    void await_suspend(std::coroutine_handle<>) const noexcept { state.suspend(); }
    auto await_resume() const {
        state.obey();
        if constexpr (!std::is_void_v<Send>) {
            return std::exchange(state.sent, std::nullopt);
        }
    }
};

/// Keeps the copy that is yielded.
template <class State, class Send>
struct CopyingResumption : Resumption<State, Send> {
    typename State::Item item;

    void await_suspend(std::coroutine_handle<>) noexcept {
        this->state.yielded = std::addressof(item);
        this->state.suspend();
    }
};

template <class Yield, class Send, class Return>
class GeneratorPromiseBase {
public:
    using State = GeneratorState<Yield, Send, Return>;
    using Item = typename State::Item;

    static void* operator new(std::size_t size) { return InFrontOfFrame<State>::allocate(size); }
    static void operator delete(void* frame, std::size_t) noexcept {
        InFrontOfFrame<State>::ofFrame(frame).frameGone();
    }

    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }

    Resumption<State, Send> yield_value(Item&& item) noexcept
        requires(!std::is_reference_v<Yield>)
    {
        state_->yielded = std::addressof(item);
        return {*state_};
    }
    CopyingResumption<State, Send> yield_value(const Item& item)
        requires(!std::is_reference_v<Yield>) && std::copy_constructible<Item>
    {
        return {{*state_}, item};
    }
    /// A handle of the generator's own, for values that care where it is.
    template <class Handle>
        requires requires(const Handle& handle) { Item::ofHandle(handle, std::source_location()); }
    CopyingResumption<State, Send> yield_value(Handle& handle,
                                               std::source_location where = std::source_location::current()) {
        return {{*state_}, Item::ofHandle(handle, where)};
    }
    Resumption<State, Send> yield_value(Yield item) noexcept
        requires std::is_reference_v<Yield>
    {
        state_->yielded = std::addressof(item);
        return {*state_};
    }
    template <class Awaited>
    std::suspend_never await_transform(Awaited&&) const noexcept {
        static_assert(
            std::is_void_v<Awaited>,
            "ropewalk: a generator can't co_await; steps co_yield what they wait for, and a function "
            "that returns a Deferred may co_await it");
        return {};
    }
    void unhandled_exception() noexcept { state_->escaped(); }

protected:
    template <class Promise>
    State* begin(Promise& promise, std::source_location began) noexcept {
        void* frame = std::coroutine_handle<Promise>::from_promise(promise).address();
        // Clang may otherwise see through all of it, and keep the frame elsewhere, without a state.
        asm volatile("" : "+r"(frame) : : "memory");
        state_ = &InFrontOfFrame<State>::ofFrame(frame);
        state_->begin(frame, began);
        return state_;
    }

    State* state_ = nullptr;
};

/// What `co_return` does.
template <class Yield, class Send, class Return>
class GeneratorPromise : public GeneratorPromiseBase<Yield, Send, Return> {
public:
    template <class R = Return>
        requires std::constructible_from<Return, R&&>
    void return_value(R&& value) {
        this->state_->returned.emplace(std::forward<R>(value));
    }
};
template <class Yield, class Send>
class GeneratorPromise<Yield, Send, void> : public GeneratorPromiseBase<Yield, Send, void> {
public:
    void return_void() const noexcept {}
};

} // namespace detail

/// A function that may be left at each `co_yield` and gone on with later: Python's generator. A function that returns one and
/// says `co_yield` makes it; it runs when the first value is asked for.
///
/// A handle, cheap to copy; all copies name one generator. `co_yield` gives a `std::optional<Send>`: what `send` was called
/// with, and nothing after `next`; no value at all if Send is void. What `co_return` says is kept for `result`. What is
/// thrown out of it comes out where it was resumed, and ends it; a `StopIteration` ends it quietly. At its end its frame goes,
/// with all that the function holds. When the last handle goes before that, it is closed; what comes out of it then is
/// logged. It belongs to one thread.
///
/// It is a range, and a view, of its values: `for (int n : count(3))`.
template <class Yield, class Send = void, class Return = void>
class [[nodiscard]] Generator : public std::ranges::view_base {
    static_assert(!std::is_void_v<Yield>, "a generator yields values");

    using State = detail::GeneratorState<Yield, Send, Return>;

public:
    class promise_type;
    class Iterator;

    Generator(std::nullptr_t) noexcept {}
    Generator(const Generator& other) noexcept : state_(other.state_) {
        if (state_ != nullptr) {
            state_->retain();
        }
    }
    Generator(Generator&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    Generator& operator=(Generator other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~Generator() {
        if (state_ != nullptr) {
            state_->release();
        }
    }

    /// False for an empty handle, one that was moved from; on that all others throw `AssertionError`.
    explicit operator bool() const noexcept { return state_ != nullptr; }

    /// The next value. Throws `StopIteration` when there is none any more, `GeneratorRunningError` in the generator itself.
    Yield next() const {
        State& state = get();
        if (!state.resume()) {
            detail::throwStopIteration();
        }
        return state.take();
    }
    /// The same; the `co_yield` where it waits gives that value. Throws `TypeError` when it has not been started.
    template <class S = Send>
        requires(!std::is_void_v<Send>) && std::constructible_from<Send, S&&>
    Yield send(S&& value) const {
        State& state = get();
        if (state.unstarted()) {
            detail::throwJustStarted();
        }
        if (state.running() || state.finished()) {
            return next();
        }
        state.sent.emplace(std::forward<S>(value));
        return next();
    }
    /// The same; the `co_yield` where it waits throws that: an exception, a `Failure`'s, or a `std::exception_ptr`'s (Python's
    /// `throw`). If it waits nowhere, because it has not been started or has ended, that comes out here.
    template <class E>
    Yield throwIn(E&& error) const {
        State& state = get();
        std::exception_ptr raised;
        if constexpr (std::same_as<std::remove_cvref_t<E>, Failure>) {
            raised = error.value();
        } else if constexpr (std::same_as<std::remove_cvref_t<E>, std::exception_ptr>) {
            raised = std::forward<E>(error);
        } else {
            raised = std::make_exception_ptr(std::forward<E>(error));
        }
        if (!state.resumeWith(std::move(raised))) {
            detail::throwStopIteration();
        }
        return state.take();
    }
    /// Raises `GeneratorExit` where it waits, so that it ends; in the generator itself, at its next `co_yield`. Throws what it
    /// throws in answer, and `RuntimeError` when it yields another value, after destroying it.
    void close() const { get().close(); }

    /// Whether it runs just now: this is called from within.
    bool running() const { return get().running(); }
    bool finished() const { return get().finished(); }

    /// What it has returned. Throws `AssertionError` when it hasn't.
    template <class R = Return>
        requires(!std::is_void_v<Return>)
    R& result() const {
        State& state = get();
        if (!state.returned) {
            detail::throwNotReturned(state);
        }
        return *state.returned;
    }

    /// Asks for the first value, or for the next if some were taken already.
    Iterator begin() const { return Iterator(get()); }
    std::default_sentinel_t end() const noexcept { return {}; }

    friend bool operator==(const Generator& a, const Generator& b) noexcept { return a.state_ == b.state_; }

    /// For the library.
    detail::GeneratorState<Yield, Send, Return>& state() const { return get(); }

private:
    explicit Generator(State* begun) noexcept : state_(begun) {}

    State& get() const {
        if (state_ == nullptr) [[unlikely]] {
            detail::throwEmptyGenerator();
        }
        return *state_;
    }

    State* state_ = nullptr;
};

/// Each increment asks for the next value; a value is there until then, and may be moved from.
template <class Yield, class Send, class Return>
class Generator<Yield, Send, Return>::Iterator {
public:
    using value_type = std::remove_cvref_t<Yield>;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    std::conditional_t<std::is_reference_v<Yield>, Yield, Yield&&> operator*() const noexcept {
        return static_cast<std::conditional_t<std::is_reference_v<Yield>, Yield, Yield&&>>(*state_->yielded);
    }
    Iterator& operator++() {
        if (!state_->resume()) {
            state_ = nullptr;
        }
        return *this;
    }
    void operator++(int) { ++*this; }

    friend bool operator==(const Iterator& at, std::default_sentinel_t) noexcept {
        return at.state_ == nullptr;
    }

private:
    friend Generator;
    explicit Iterator(State& state) : state_(&state) { ++*this; }

    State* state_;
};

template <class Yield, class Send, class Return>
class Generator<Yield, Send, Return>::promise_type : public detail::GeneratorPromise<Yield, Send, Return> {
public:
    explicit promise_type(std::source_location began = std::source_location::current()) noexcept
        : began_(began) {}

    Generator get_return_object() { return Generator(this->begin(*this, began_)); }

private:
    std::source_location began_;
};

} // namespace ropewalk::task
