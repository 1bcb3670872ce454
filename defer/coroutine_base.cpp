#include <ropewalk/defer/coroutine_base.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/names.hpp>
#include <ropewalk/defer/report.hpp>

namespace ropewalk::defer::detail {

PromiseBase::PromiseBase(const TypeTag* type, std::source_location where)
    : mine(new Chain(type, where)), began(where) {
    mine->coroutine = true;
    mine->makerFires = true;
    mine->maker.promise = this;
    ThreadState& thread = ThreadState::here;
    next = thread.coroutines;
    if (next != nullptr) {
        next->previous = this;
    }
    thread.coroutines = this;
}

PromiseBase::~PromiseBase() {
    (previous != nullptr ? previous->next : ThreadState::here.coroutines) = next;
    if (next != nullptr) {
        next->previous = previous;
    }
    if (finished) {
        mine->maker.firedAt = began;
        mine->called = true;
        if (!mine->running && mine->hasEntries()) {
            mine->added(began); // it was resumed by somebody else's hand
        }
    } else {
        mine->maker.promise = nullptr;
    }
    mine->release();
}

void PromiseBase::await(Chain& chain, const void* handle, bool held, std::source_location where) {
    if (&chain == mine || (mine->hasWaiters && chain.leadsTo(*mine))) {
        if (held) {
            chain.release();
        }
        throw RuntimeError("co_await at " + placeName(where) +
                           " on a Deferred that waits for this coroutine");
    }
    chain.hasWaiters = true;
    entry = ::new (chain.reserve(sizeof(CoroutineEntry)))
        CoroutineEntry{{nullptr, where, sizeof(CoroutineEntry), Entry::Type::coroutine}, this};
    awaiting = &chain;
    waitingAt = where;
    if (handle != nullptr && chain.references > 1U + (held ? 1U : 0U) &&
        liesInFrame(frame.address(), handle)) {
        localHandle = true;
        --chain.references;
    }
    if (held) {
        chain.release();
    }
}

bool PromiseBase::cancelFirst(Chain& chain, std::source_location where) noexcept {
    try {
        chain.cancelWith(std::exchange(cancellation, nullptr), where);
    } catch (...) {
        log::failure("Exception raised from user supplied canceller", Failure(where));
    }
    return chain.idle();
}

void PromiseBase::abandon() noexcept {
    const std::source_location madeAt = awaiting->madeAt;
    awaited();
    reportAbandoned(began, waitingAt, madeAt);
    Chain& own = *mine;
    own.retain();
    destroyFrame();
    own.coroutineGone();
    own.release();
}

void PromiseBase::destroyFrame() noexcept {
    destroying = true;
    try {
        frame.destroy();
    } catch (...) {
        destructorThrew();
    }
}

void destroyLivingCoroutines() noexcept {
    PromiseBase* promise = ThreadState::here.coroutines;
    while (promise != nullptr) {
        if (promise->awaiting == nullptr) {
            promise = promise->next;
            continue;
        }
        promise->entry->promise = nullptr;
        promise->abandon();
        promise = ThreadState::here.coroutines;
    }
}

} // namespace ropewalk::defer::detail
