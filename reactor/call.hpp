#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <new>
#include <source_location>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/callback.hpp>
#include <ropewalk/defer/slot.hpp>
#include <ropewalk/defer/trail.hpp>

/// A function that is to be called later, with the arguments that were given along: one allocation, whoever
/// keeps it (the timers, the triggers of system events, the calls from other threads).
namespace ropewalk {

class ReactorTime;

namespace detail {

/// Throws `AssertionError`: what should be called is an empty function.
[[noreturn]] void throwNotCallable(std::source_location where);

/// A place in a circular list. Its head is a `Link` too.
struct Link {
    Link* next;
    Link* previous;

    void alone() noexcept { next = previous = this; }
    bool isAlone() const noexcept { return next == this; }
    void unlink() noexcept {
        next->previous = previous;
        previous->next = next;
    }
    /// Puts `link` in front of this: at the end of the list, if this is its head.
    void insert(Link& link) noexcept {
        link.next = this;
        link.previous = previous;
        previous->next = &link;
        previous = &link;
    }
    /// Puts all of `list`, which has to be a head and is empty afterwards, in front of this.
    void insertAll(Link& list) noexcept {
        if (list.isAlone()) {
            return;
        }
        previous->next = list.next;
        list.next->previous = previous;
        list.previous->next = this;
        previous = list.previous;
        list.alone();
    }
};

struct Call : Link {
    enum class State : std::uint8_t { pending, called, cancelled, orphaned };
    enum class Verb : std::uint8_t { run, drop, free };
    using Operation = void (*)(Verb verb, Call& call);

    Call(Operation doIt, std::source_location madeAt, bool hasClosure, bool isOveraligned) noexcept
        : Link{nullptr, nullptr},
          operation(doIt),
          where(madeAt),
          full(hasClosure),
          overaligned(isOveraligned) {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    void retain() noexcept { ++references; }
    void release() noexcept {
        if (--references == 0) {
            bury();
        }
    }
    /// Calls the function; what it throws comes out. The closure is gone afterwards, or goes when the
    /// Deferred that the function returned has fired. The caller holds a reference.
    void run() {
        state = State::called;
        owner = nullptr;
        defer::detail::Activation here(where);
        operation(Verb::run, *this);
    }
    /// Destroys the closure, if there still is one.
    void drop() noexcept {
        if (full) {
            full = false;
            operation(Verb::drop, *this);
        }
    }

    /// For an owner that goes: the call won't be made. Takes a reference away.
    void orphan() noexcept {
        owner = nullptr;
        state = State::orphaned;
        drop();
        release();
    }

    /// When: milliseconds of the reactor's clock, or a Clock's seconds as the bits of a double.
    std::int64_t moment = 0;
    /// The how manieth of its owner's calls it is.
    std::uint64_t sequence = 0;
    /// Whoever will call it. Null when it isn't pending.
    ReactorTime* owner = nullptr;
    Operation operation;
    std::source_location where;
    std::uint32_t references = 1;
    State state = State::pending;
    bool realTime = false;
    bool full;
    bool overaligned;

protected:
    ~Call() = default;

private:
    void bury() noexcept;
};

static_assert(sizeof(Call) <= 64);

/// Destroys a call's closure at its end, which may be long after the call: when the Deferred that it returned
/// fires.
class ClosureKeeper {
public:
    explicit ClosureKeeper(Call& call) noexcept : call_(&call) { call.retain(); }
    ClosureKeeper(ClosureKeeper&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
    ClosureKeeper& operator=(ClosureKeeper&&) = delete;
    ~ClosureKeeper() {
        if (call_ != nullptr) {
            call_->drop();
            call_->release();
        }
    }

private:
    Call* call_;
};

template <class F, class... Args>
    requires std::invocable<F&, Args...> && (!std::is_member_pointer_v<F>)
decltype(auto) callWith(F& function, Args&&... args) {
    return function(std::forward<Args>(args)...);
}
template <class F, class... Args>
    requires requires(F member, Args&&... args) {
        defer::detail::callMember(member, std::forward<Args>(args)...);
    }
decltype(auto) callWith(F& member, Args&&... args) {
    return defer::detail::callMember(member, std::forward<Args>(args)...);
}

template <class F>
struct CallOf final : Call {
    template <class G>
    CallOf(G&& function, std::source_location madeAt)
        : Call(&operate, madeAt, !std::is_trivially_destructible_v<F>,
               alignof(F) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
        ::new (static_cast<void*>(closure)) F(std::forward<G>(function));
    }

    F& function() noexcept { return *std::launder(reinterpret_cast<F*>(closure)); }

    static void operate(Verb verb, Call& call) {
        auto& self = static_cast<CallOf&>(call);
        switch (verb) {
            case Verb::run:
                if constexpr (defer::detail::IsDeferred<decltype(self.function()())>) {
                    ClosureKeeper keeper(self);
                    auto returned = self.function()();
                    if (returned) {
                        returned.addErrback(
                            [kept = std::move(keeper)](const Failure& failure) { return failure; },
                            self.where);
                    }
                } else if constexpr (std::is_trivially_destructible_v<F>) {
                    static_cast<void>(self.function()());
                } else {
                    ClosureKeeper keeper(self);
                    static_cast<void>(self.function()());
                }
                break;
            case Verb::drop:
                defer::detail::destroyQuietly(&self.function());
                break;
            case Verb::free:
                delete &self;
                break;
        }
    }

    alignas(F) unsigned char closure[sizeof(F)];
};

template <class F>
bool isEmptyFunction(const F& function) noexcept {
    if constexpr (std::is_pointer_v<F> || std::is_member_pointer_v<F>) {
        return function == nullptr;
    } else if constexpr (requires { function.operator bool(); }) {
        return !function;
    } else {
        return false;
    }
}

/// The function with its arguments, as something to call without any. Arguments are kept as copies and handed
/// over as rvalues if the function takes them so, else as lvalues. Throws `AssertionError` if the function is
/// empty.
template <class F, class... Args>
auto bindCall(std::source_location where, F&& function, Args&&... args) {
    using Function = std::decay_t<F>;
    if (detail::isEmptyFunction<Function>(function)) [[unlikely]] {
        throwNotCallable(where);
    }
    if constexpr (sizeof...(Args) == 0) {
        static_assert(
            requires(Function& f) { f(); }, "ropewalk: this function can't be called without arguments");
        return Function(std::forward<F>(function));
    } else {
        return [kept = Function(std::forward<F>(function)),
                ... given = std::decay_t<Args>(std::forward<Args>(args))]() mutable -> decltype(auto) {
            if constexpr (requires { detail::callWith(kept, std::move(given)...); }) {
                return detail::callWith(kept, std::move(given)...);
            } else {
                static_assert(
                    requires { detail::callWith(kept, given...); },
                    "ropewalk: this function can't be called with these arguments");
                return detail::callWith(kept, given...);
            }
        };
    }
}

/// A call with one reference, which the caller owns.
template <class F, class... Args>
Call* makeCall(std::source_location where, F&& function, Args&&... args) {
    if constexpr (sizeof...(Args) == 0 && requires(std::decay_t<F>& f) { f(); }) {
        if (detail::isEmptyFunction<std::decay_t<F>>(function)) [[unlikely]] {
            throwNotCallable(where);
        }
        return new CallOf<std::decay_t<F>>(std::forward<F>(function), where);
    } else {
        using Bound =
            decltype(detail::bindCall(where, std::forward<F>(function), std::forward<Args>(args)...));
        return new CallOf<Bound>(
            detail::bindCall(where, std::forward<F>(function), std::forward<Args>(args)...), where);
    }
}

} // namespace detail
} // namespace ropewalk
