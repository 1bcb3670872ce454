#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/thread_queue.hpp>

namespace ropewalk {

class Reactor;

namespace detail {

template <class T>
struct FireCallOf final : FireCall {
    FireCallOf(defer::detail::Chain* theChain, std::source_location madeAt) noexcept
        : FireCall(&operate, theChain, madeAt) {}

    static void operate(Verb verb, Call& call) {
        auto& self = static_cast<FireCallOf&>(call);
        switch (verb) {
            case Verb::run: {
                ClosureKeeper keeper(self);
                auto deferred = defer::detail::Access::adopt<T>(std::exchange(self.chain, nullptr));
                if (!*self.result) {
                    deferred.errback(std::move(*self.result).error(), self.where);
                } else if constexpr (std::is_void_v<T>) {
                    deferred.callback(self.where);
                } else {
                    deferred.callback(std::move(**self.result), self.where);
                }
                break;
            }
            case Verb::drop:
                if (self.chain != nullptr) {
                    std::exchange(self.chain, nullptr)->release();
                }
                self.result.reset();
                break;
            case Verb::free:
                delete &self;
                break;
        }
    }

    std::optional<Result<T>> result;
};

/// Throws `defer::AlreadyCalledError`.
[[noreturn]] void throwFiredTwice(std::source_location madeAt, std::source_location now);
/// An `AbandonedError` for a firer that was made there.
Failure abandonedFirer(std::source_location madeAt);

} // namespace detail

/// Fires a Deferred of a reactor from any thread, once: what `Reactor::firer` makes. It can be moved, not
/// copied. The Deferred fires in the reactor's thread, in the order of `callFromThread`. Dropped uncalled, it
/// fails the Deferred with `AbandonedError`; when the reactor is gone, it does nothing. Twisted has
/// `reactor.callFromThread(d.callback, value)` for this.
template <class T>
class Firer {
public:
    using Where = std::source_location;

    Firer(Firer&& other) noexcept
        : queue_(std::move(other.queue_)),
          call_(std::exchange(other.call_, nullptr)),
          madeAt_(other.madeAt_) {}
    Firer& operator=(Firer&& other) noexcept {
        Firer old(std::move(*this));
        queue_ = std::move(other.queue_);
        call_ = std::exchange(other.call_, nullptr);
        madeAt_ = other.madeAt_;
        return *this;
    }
    ~Firer() {
        if (call_ != nullptr) {
            push(std::unexpected(detail::abandonedFirer(madeAt_)), madeAt_);
        }
    }

    /// With a value. The second call, of any of these, throws `defer::AlreadyCalledError`.
    template <class U = T>
        requires(!std::is_void_v<T>) && std::constructible_from<T, U&&>
    void operator()(U&& value, Where where = Where::current()) {
        push(Result<T>(std::in_place, std::forward<U>(value)), where);
    }
    void operator()(Where where = Where::current())
        requires std::is_void_v<T>
    {
        push(Result<T>(), where);
    }
    /// With an error: a Failure or any exception object.
    void errback(Failure failure, Where where = Where::current()) {
        push(std::unexpected(std::move(failure)), where);
    }
    /// With either.
    void fire(Result<T> result, Where where = Where::current()) { push(std::move(result), where); }

    /// Whether it was neither called nor moved from.
    explicit operator bool() const noexcept { return call_ != nullptr; }

private:
    friend class Reactor;

    Firer(std::shared_ptr<detail::ThreadQueue> queue, defer::Deferred<T> deferred, Where where)
        : queue_(std::move(queue)),
          call_(new detail::FireCallOf<T>(defer::detail::Access::chainOf(deferred), where)),
          madeAt_(where) {
        defer::detail::Access::steal(deferred);
        queue_->expect(*call_);
    }

    void push(Result<T> result, Where where) {
        if (call_ == nullptr) {
            detail::throwFiredTwice(madeAt_, where);
        }
        detail::FireCallOf<T>* call = std::exchange(call_, nullptr);
        call->result.emplace(std::move(result));
        call->where = where;
        if (!queue_->pushExpected(*call)) {
            call->release();
        }
    }

    std::shared_ptr<detail::ThreadQueue> queue_;
    detail::FireCallOf<T>* call_;
    Where madeAt_;
};

} // namespace ropewalk
