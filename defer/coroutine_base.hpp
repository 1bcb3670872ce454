#pragma once

#include <coroutine>

#include <ropewalk/defer/chain.hpp>
#include <ropewalk/defer/frame.hpp>

/// What every coroutine that returns a Deferred has in its frame, whatever its type.
namespace ropewalk::defer::detail {

/// The chain that a suspended coroutine waits on owns its frame; the promise owns its own chain.
struct PromiseBase : Frame {
    PromiseBase(const TypeTag* type, std::source_location where);
    PromiseBase(const PromiseBase&) = delete;
    PromiseBase& operator=(const PromiseBase&) = delete;
    ~PromiseBase();

    /// Suspended on `chain`. `handle` is the address of the handle that was awaited, or null when `held` (a reference
    /// that came with a temporary) is given up now. The frame may be gone when this returns.
    void await(Chain& chain, const void* handle, bool held, std::source_location where);
    /// Obeys the request to cancel that came while it ran; true if `chain`, which it awaits, has a result by that.
    bool cancelFirst(Chain& chain, std::source_location where) noexcept;
    /// The chain that it waited on has a result, or it is being destroyed: the wait is over.
    void awaited() noexcept {
        if (localHandle) {
            awaiting->retain();
            localHandle = false;
        }
        awaiting = nullptr;
        entry = nullptr;
    }
    /// Nothing can resume it any more: says so in the log, and destroys the frame.
    void abandon() noexcept;
    void destroyFrame() noexcept;

    Chain* mine;
    Chain* awaiting = nullptr;
    CoroutineEntry* entry = nullptr;
    PromiseBase* previous = nullptr;
    PromiseBase* next = nullptr;
    std::coroutine_handle<> frame;
    std::source_location began;
    std::source_location waitingAt;
    Failure given{nullptr};          // the failure that the last co_await raised
    std::exception_ptr cancellation; // asked for while it ran
    bool localHandle = false;        // the awaited handle lies in the frame and is not counted
    bool finished = false;
    bool destroying = false;
};

/// Destroys every suspended coroutine of this thread; each is logged as abandoned.
void destroyLivingCoroutines() noexcept;

} // namespace ropewalk::defer::detail
