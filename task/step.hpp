#pragma once

#include <concepts>
#include <source_location>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/if_pending.hpp>
#include <ropewalk/task/generator.hpp>

namespace ropewalk::task {

/// What a task's step leaves: nothing, any value, which is ignored, a Deferred of any type, which the next step waits for, or a
/// `Failure`, which ends the task.
/// All of them convert to it: `co_yield {}`, `co_yield 5`, `co_yield d`.
class [[nodiscard]] Step {
public:
    using Where = std::source_location;

    Step() noexcept = default;
    template <class T>
    Step(defer::Deferred<T>&& deferred, Where where = Where::current()) : where_(where) {
        take(deferred);
    }
    template <class T>
    Step(const defer::Deferred<T>& deferred, Where where = Where::current()) : where_(where) {
        defer::Deferred<T> copy = deferred;
        take(copy);
    }
    /// It awaits values, not Results: a failure of what is waited for ends the task.
    template <class T>
    Step(defer::detail::ResultAwaitable<T>) = delete;
    /// Nothing, if it has nothing to wait for.
    Step(defer::DeferredIfPending maybe, Where where = Where::current()) : where_(where) {
        if (maybe) {
            auto pending = maybe.deferred(where);
            awaited_ = defer::detail::Access::steal(pending);
        }
    }
    Step(const defer::Failed& failed, Where where = Where::current())
        : Step(defer::Deferred<void>(failed), where) {}
    /// An error, which the task fails with.
    Step(const Failure& failure, Where where = Where::current())
        : Step(defer::fail<void>(failure, where), where) {}
    template <class T>
    Step(const Result<T>& result, Where where = Where::current()) : where_(where) {
        if (!result) {
            *this = Step(result.error(), where);
        }
    }
    template <class Value>
        requires(!std::same_as<std::remove_cvref_t<Value>, Step> && !defer::detail::IsDeferred<Value> &&
                 !std::same_as<std::remove_cvref_t<Value>, defer::DeferredIfPending> &&
                 !std::same_as<std::remove_cvref_t<Value>, defer::Failed> &&
                 !std::same_as<std::remove_cvref_t<Value>, Failure> &&
                 !defer::detail::Outcome<std::remove_cvref_t<Value>>::isResult)
    Step(const Value&) noexcept {}

    Step(Step&& other) noexcept
        : awaited_(std::exchange(other.awaited_, nullptr)), handle_(other.handle_), where_(other.where_) {}
    Step& operator=(Step&& other) noexcept {
        std::swap(awaited_, other.awaited_);
        handle_ = other.handle_;
        where_ = other.where_;
        return *this;
    }
    ~Step() {
        if (awaited_ != nullptr) {
            awaited_->release();
        }
    }

    /// For `co_yield d`, where that very handle stays while the next step is waited for.
    template <class T>
    static Step ofHandle(const defer::Deferred<T>& deferred, Where where) {
        Step step(deferred, where);
        step.handle_ = &deferred;
        return step;
    }
    /// For the library: what is to be waited for, or null, with the reference on it; the handle that was yielded, if
    /// that stays; and where.
    bool waits() const noexcept { return awaited_ != nullptr; }
    defer::detail::Chain* release() noexcept { return std::exchange(awaited_, nullptr); }
    const void* handle() const noexcept { return handle_; }
    Where where() const noexcept { return where_; }

private:
    template <class T>
    void take(defer::Deferred<T>& deferred) {
        if (!deferred) {
            defer::detail::throwEmpty("a step", where_);
        }
        awaited_ = defer::detail::Access::steal(deferred);
    }

    defer::detail::Chain* awaited_ = nullptr;
    const void* handle_ = nullptr;
    Where where_;
};

/// Work in steps: a generator for `coiterate` and `cooperate`, whose Deferreds give what it returns.
template <class Return = void>
using Steps = Generator<Step, void, Return>;

} // namespace ropewalk::task
