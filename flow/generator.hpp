#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/flow/deferred_instruction.hpp>
#include <ropewalk/flow/generator_node.hpp>
#include <ropewalk/flow/instruction.hpp>
#include <ropewalk/flow/stage.hpp>
#include <ropewalk/task/generator_control.hpp>

namespace ropewalk::flow {

template <class T>
class GeneratorStage;

namespace detail {

/// What lies in front of the frame of a flow's generator.
class GeneratorState final : public task::detail::GeneratorControl {
public:
    GeneratorState(void* frame, std::size_t size) noexcept : GeneratorControl(frame, size) {}
    using GeneratorControl::frameGone;

    template <class S>
    [[gnu::always_inline]] Progress askFor(S& source) {
        return stage->ask(source, *run);
    }
    /// The last handle goes. Generators that were never started go one after another, however many hold one another.
    void drop() noexcept;

    /// It is suspended for that, and hasn't made a result.
    void waitFor(Progress theProgress, StageBase* theNeeded = nullptr) noexcept {
        waits = true;
        progress = theProgress;
        needed = theNeeded;
    }

    StageBase* stage = nullptr; // whose results its values are
    Run* run = nullptr;         // while it runs
    bool waits = false;
    StageBase* needed = nullptr;
    Progress progress;
    std::source_location waitingAt;

private:
    GeneratorState* nextGrave_ = nullptr;
};

struct Suspension {
    GeneratorState& state;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) const noexcept { state.suspend(); }
    void await_resume() const { state.obey(); }
};

/// Goes on at once if the stage could be made ready without a pause: then there is no state here.
struct StageSuspension {
    template <class S>
    [[gnu::always_inline]] StageSuspension(GeneratorState& of, S& needed, std::source_location where) {
        of.waitingAt = where;
        const Progress progress = of.askFor(needed);
        if (!progress.isReady()) [[unlikely]] {
            of.waitFor(progress, &needed);
            state = &of;
        }
    }

    bool await_ready() const noexcept { return state == nullptr; }
    void await_suspend(std::coroutine_handle<>) const noexcept { state->suspend(); }
    void await_resume() const {
        if (state != nullptr) [[unlikely]] {
            state->obey();
        }
    }

    GeneratorState* state = nullptr;
};

/// `co_await stage`: yields the stage, and gives its next result, or nothing at its end.
template <class S>
struct NextOf : StageSuspension {
    [[gnu::always_inline]] NextOf(GeneratorState& of, S& needed, std::source_location at)
        : StageSuspension(of, needed, at), stage(needed) {}

    [[gnu::always_inline]] std::optional<typename S::Item> await_resume() const {
        StageSuspension::await_resume();
        if (!stage.results.empty()) [[likely]] {
            return stage.results.popFront();
        }
        if (stage.stop) {
            return std::nullopt;
        }
        return stage.next({});
    }

    S& stage;
};

/// `co_await stage.result()`: the same, and doesn't throw what the stage failed with.
template <class S>
struct NextResultOf : StageSuspension {
    [[gnu::always_inline]] NextResultOf(GeneratorState& of, S& needed, std::source_location at)
        : StageSuspension(of, needed, at), stage(needed) {}

    std::optional<Result<typename S::Item>> await_resume() const {
        StageSuspension::await_resume();
        if (!stage.results.empty()) {
            return stage.results.popFront();
        }
        if (!stage.stop && stage.failure) {
            stage.stop = true;
            return std::unexpected(*stage.failure);
        }
        return std::nullopt;
    }

    S& stage;
};

// GCC 12 gives such a pair back in two registers, and then reads it as one: slow, where that is a call.
template <std::derived_from<StageBase> S>
[[gnu::always_inline]] inline NextOf<S> nextOf(GeneratorState& state, S& stage, std::source_location where) {
    return {state, stage, where};
}
template <class T>
[[gnu::always_inline]] inline NextResultOf<Stage<T>>
nextOf(GeneratorState& state, const StageResult<T>& awaited, std::source_location where) {
    return {state, awaited.stage, where};
}
template <class A>
    requires(!std::derived_from<A, StageBase>)
std::suspend_never nextOf(GeneratorState&, const A&, std::source_location) noexcept {
    static_assert(std::is_void_v<A>,
                  "ropewalk: a generator of a flow can co_await a stage; a Deferred is yielded, to wait for "
                  "it, or wrapped in a stage");
    return {};
}

/// By a copy, since several flows may share one.
struct CooperateSuspension : Suspension {
    Cooperate instruction;

    void await_suspend(std::coroutine_handle<>) noexcept {
        state.waitFor({nullptr, &instruction});
        state.suspend();
    }
};

struct DeferredSuspension : Suspension {
    DeferredInstruction instruction;

    bool await_ready() const noexcept { return instruction.isOver(); }
    void await_suspend(std::coroutine_handle<>) noexcept {
        state.waitFor({nullptr, &instruction});
        state.suspend();
    }
};

template <class X>
inline constexpr bool isFlowThing =
    std::derived_from<std::remove_cvref_t<X>, StageBase> ||
    std::derived_from<std::remove_cvref_t<X>, Instruction> || defer::detail::IsDeferred<X>;

} // namespace detail

/// A part of a flow, written as a function: it yields results of type T, a stage before it takes a result from it, and
/// instructions like `Cooperate` or a Deferred, which pause the whole flow. With `Generator<>` there are no results.
///
///     flow::Generator<int> Consumer() {
///         auto producer = flow::wrap(Counter(3));
///         co_yield producer;
///         for (int result : producer) {
///             co_yield result;
///             co_yield producer;
///         }
///     }
///
/// For a Deferred it waits, whatever becomes of that; its result stays its own. Shorter than the pattern above is
/// `while (auto result = co_await producer)`, which raises what the producer failed with; `co_await producer.result()` gives
/// a Result. A `StopIteration` that it throws ends it quietly; any other error is what its stage fails with. It runs when a
/// stage that was made of it (`wrap`) is asked for, up to its first result. A stage or flow that goes closes it where it
/// waits, by a `GeneratorExit`.
///
/// A handle, which can be moved. It belongs to one thread.
template <class T = void>
class [[nodiscard]] Generator {
public:
    class promise_type;
    using Held = GeneratorStage<T>;

    Generator(Generator&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    Generator& operator=(Generator&& other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~Generator() {
        if (state_ != nullptr) {
            state_->drop();
        }
    }

    /// False for one that was moved from.
    explicit operator bool() const noexcept { return state_ != nullptr; }

    /// For the library. Throws `AssertionError` for an empty handle.
    detail::GeneratorState& state() const {
        if (state_ == nullptr) [[unlikely]] {
            task::detail::throwEmptyGenerator();
        }
        return *state_;
    }

private:
    explicit Generator(detail::GeneratorState& state) noexcept : state_(&state) {}

    detail::GeneratorState* state_;
};

template <class T>
class Generator<T>::promise_type {
    using Where = std::source_location;
    using State = detail::GeneratorState;

public:
    explicit promise_type(Where began = Where::current()) noexcept : began_(began) {}

    static void* operator new(std::size_t size) {
        return task::detail::InFrontOfFrame<State>::allocate(size);
    }
    static void operator delete(void* frame, std::size_t) noexcept {
        task::detail::InFrontOfFrame<State>::ofFrame(frame).frameGone();
    }

    Generator get_return_object() {
        void* frame = std::coroutine_handle<promise_type>::from_promise(*this).address();
        // Clang may otherwise see through all of it, and keep the frame elsewhere, without a state.
        asm volatile("" : "+r"(frame) : : "memory");
        state_ = &task::detail::InFrontOfFrame<State>::ofFrame(frame);
        state_->begin(frame, began_);
        return Generator(*state_);
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() noexcept { state_->escaped(); }

    template <class U>
        requires(!detail::isFlowThing<U>)
    detail::Suspension yield_value(U&& result) {
        static_assert(!std::is_void_v<T>, "ropewalk: a flow::Generator<> yields no results; name their type: "
                                          "flow::Generator<T>");
        if constexpr (!std::is_void_v<T>) {
            static_assert(std::constructible_from<T, U&&>,
                          "ropewalk: this isn't a result of the generator's type");
            static_cast<Stage<T>*>(state_->stage)->results.emplace(std::forward<U>(result));
        }
        return {*state_};
    }

    template <std::derived_from<StageBase> S>
    [[gnu::always_inline]] detail::StageSuspension yield_value(S& stage, Where where = Where::current()) {
        return {*state_, stage, where};
    }
    template <std::derived_from<StageBase> S>
        requires(!std::is_reference_v<S>)
    detail::Suspension yield_value(S&&) {
        static_assert(std::is_void_v<S>,
                      "ropewalk: a stage that is yielded has to stay: give it a name first");
        return {*state_};
    }

    template <class I>
        requires std::derived_from<std::remove_cvref_t<I>, Instruction> &&
                 (!std::same_as<std::remove_cvref_t<I>, Cooperate>)
    detail::Suspension yield_value(I&& instruction, Where where = Where::current()) noexcept {
        state_->waitingAt = where;
        state_->waitFor({nullptr, &instruction});
        return {*state_};
    }

    detail::CooperateSuspension yield_value(const Cooperate& cooperate,
                                            Where where = Where::current()) noexcept {
        state_->waitingAt = where;
        return {{*state_}, cooperate};
    }

    template <class D>
        requires defer::detail::IsDeferred<D>
    detail::DeferredSuspension yield_value(D&& deferred, Where where = Where::current()) {
        state_->waitingAt = where;
        return {{*state_}, detail::DeferredInstruction(std::forward<D>(deferred), where)};
    }

    template <class A>
    [[gnu::always_inline]] auto await_transform(A&& awaited, Where where = Where::current()) {
        return detail::nextOf(*state_, awaited, where);
    }

private:
    State* state_ = nullptr;
    Where began_;
};

/// The stage that `wrap` makes of a generator.
template <class T>
class GeneratorStage : public Stage<T>, private detail::GeneratorNode {
public:
    explicit GeneratorStage(Generator<T> generator)
        : generator_(std::move(generator)), state_(&generator_.state()) {
        state_->stage = this;
    }
    ~GeneratorStage() override {
        if (entered_) {
            closeInner();
            close();
        }
    }

    detail::Progress step(detail::Run& run) final { return directStep(run); }
    /// The same, for one who knows the type: a part of the generator that asks.
    [[gnu::always_inline]] detail::Progress directStep(detail::Run& run) {
        if (this->isReady()) {
            return {};
        }
        if (state_->suspended() && !state_->waits) [[likely]] {
            state_->run = &run;
            state_->goOn();
            if (!this->results.empty() && !state_->needsAttention()) [[likely]] {
                return {};
            }
            return conclude();
        }
        return stepOtherwise(run);
    }
    detail::GeneratorNode* ownerOf(const StageBase& source) noexcept final {
        return state_->holds(&source) ? this : nullptr;
    }

private:
    [[gnu::noinline]] detail::Progress stepOtherwise(detail::Run& run) {
        if (state_->waits) {
            if (state_->needed != nullptr) {
                const detail::Progress progress = this->ask(*state_->needed, run);
                if (!progress.isReady()) {
                    return progress;
                }
            } else if (state_->progress.pause->isPending()) {
                return state_->progress;
            }
            state_->waits = false;
        }
        state_->run = &run;
        if (state_->unstarted()) {
            enter(this->owner());
            entered_ = true;
        } else if (!state_->suspended()) {
            if (state_->running()) {
                throw GeneratorRunningError();
            }
            this->stop = true;
            return {};
        }
        state_->goOn();
        return conclude();
    }
    /// It has been resumed.
    [[gnu::noinline]] detail::Progress conclude() {
        try {
            if (!state_->conclude()) {
                leave();
                entered_ = false;
                this->stop = true;
            }
        } catch (...) {
            leave();
            entered_ = false;
            this->failed(detail::escaped(state_->began(), state_->waitingAt));
        }
        return this->isReady() ? detail::Progress() : state_->progress;
    }
    void close() noexcept final {
        entered_ = false;
        leave();
        this->stop = true;
        state_->run = &detail::closedRun();
        Generator<T> closed = std::move(generator_);
    }

    Generator<T> generator_;
    detail::GeneratorState* state_;
    bool entered_ = false; // the tree of generators
};

} // namespace ropewalk::flow
