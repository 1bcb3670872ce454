#pragma once

#include <concepts>
#include <source_location>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/if_pending.hpp>
#include <ropewalk/task/generator.hpp>

namespace ropewalk::task {

/// What a task's step leaves: nothing, any value, which is ignored, or a Deferred of any type, which the next step waits for.
/// All of them convert to it: `co_yield {}`, `co_yield 5`, `co_yield d`.
class [[nodiscard]] Step {
public:
    using Where = std::source_location;

    Step() noexcept = default;
    template <class T>
    Step(defer::Deferred<T> deferred, Where where = Where::current()) : where_(where) {
        if (!deferred) {
            defer::detail::throwEmpty("a step", where);
        }
        awaited_ = defer::detail::Access::steal(deferred);
    }
    /// Nothing, if it has nothing to wait for.
    Step(defer::DeferredIfPending maybe, Where where = Where::current()) : where_(where) {
        if (maybe) {
            auto pending = maybe.deferred(where);
            awaited_ = defer::detail::Access::steal(pending);
        }
    }
    Step(const defer::Failed& failed, Where where = Where::current())
        : Step(defer::Deferred<void>(failed), where) {}
    template <class Value>
        requires(!std::same_as<std::remove_cvref_t<Value>, Step> && !defer::detail::IsDeferred<Value> &&
                 !std::same_as<std::remove_cvref_t<Value>, defer::DeferredIfPending> &&
                 !std::same_as<std::remove_cvref_t<Value>, defer::Failed>)
    Step(const Value&) noexcept {}

    Step(Step&& other) noexcept : awaited_(std::exchange(other.awaited_, nullptr)), where_(other.where_) {}
    Step& operator=(Step&& other) noexcept {
        std::swap(awaited_, other.awaited_);
        where_ = other.where_;
        return *this;
    }
    ~Step() {
        if (awaited_ != nullptr) {
            awaited_->release();
        }
    }

    /// For the library: what is to be waited for, or null, with the reference on it; and where it was said.
    bool waits() const noexcept { return awaited_ != nullptr; }
    defer::detail::Chain* release() noexcept { return std::exchange(awaited_, nullptr); }
    Where where() const noexcept { return where_; }

private:
    defer::detail::Chain* awaited_ = nullptr;
    Where where_;
};

/// Work in steps: a generator for `coiterate` and `cooperate`, whose Deferreds give what it returns.
template <class Return = void>
using Steps = Generator<Step, void, Return>;

} // namespace ropewalk::task
