#pragma once

#include <source_location>
#include <utility>

#include <ropewalk/defer/coroutine.hpp>
#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/helpers.hpp>

namespace ropewalk::defer {

/// A `Deferred<void>` that isn't made until somebody wants it, if it would have fired already: what a function gives that hardly
/// ever has to wait. To await it when there is nothing to wait for costs nothing; otherwise it is a Deferred. An error in one that
/// nobody asks isn't reported, so it is for errors that show elsewhere too. Twisted has nothing like it.
class DeferredIfPending {
public:
    using Where = std::source_location;

    /// Nothing to wait for.
    DeferredIfPending() noexcept = default;
    explicit DeferredIfPending(Deferred<void> pending) noexcept : pending_(std::move(pending)) {}
    /// An error.
    explicit DeferredIfPending(Failure failure) noexcept : failure_(std::move(failure)) {}

    /// Whether there is something to wait for, or an error.
    explicit operator bool() const noexcept { return pending_ || !failure_.empty(); }
    /// The Deferred, which is made now if it wasn't.
    operator Deferred<void>() && { return deferred(); }
    Deferred<void> deferred(Where where = Where::current()) {
        if (!failure_.empty()) {
            return fail<void>(std::move(failure_), where);
        }
        return pending_ ? std::move(pending_) : succeed(where);
    }
    template <class... Args>
    auto addCallback(Args&&... args) {
        return deferred().addCallback(std::forward<Args>(args)...);
    }
    template <class... Args>
    auto addErrback(Args&&... args) {
        return deferred().addErrback(std::forward<Args>(args)...);
    }
    template <class... Args>
    auto addBoth(Args&&... args) {
        return deferred().addBoth(std::forward<Args>(args)...);
    }
    /// To be awaited for a `Result<void>`, which doesn't throw.
    auto result(Where where = Where::current()) { return deferred(where).result(); }

private:
    Deferred<void> pending_ = nullptr;
    Failure failure_{nullptr};
};

} // namespace ropewalk::defer
