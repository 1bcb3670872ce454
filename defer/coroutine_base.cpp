#include <ropewalk/defer/coroutine_base.hpp>

#include <cstdio>
#include <cstdlib>
#include <functional>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/names.hpp>
#include <ropewalk/defer/report.hpp>

namespace ropewalk::defer::detail {

namespace {

struct FrameHeader {
    void* frame;
    std::size_t size;
};
static_assert(sizeof(FrameHeader) == 16);

FrameHeader* headerOf(void* frame) noexcept {
    return static_cast<FrameHeader*>(frame) - 1;
}

bool liesIn(void* frame, const void* address) noexcept {
    const auto* begin = static_cast<const char*>(frame);
    const auto* at = static_cast<const char*>(address);
    return !std::less<>{}(at, begin) && std::less<>{}(at, begin + headerOf(frame)->size);
}

} // namespace

void* PromiseBase::operator new(std::size_t size) {
    auto* header = static_cast<FrameHeader*>(::operator new(sizeof(FrameHeader) + size));
    header->frame = header + 1;
    header->size = size;
    return header + 1;
}

void PromiseBase::operator delete(void* frame, std::size_t) noexcept {
    ::operator delete(headerOf(frame));
}

[[gnu::no_sanitize_address, gnu::noinline]] void checkFrame(void* frame, std::source_location began) {
    if (headerOf(frame)->frame == frame) {
        return;
    }
    std::fprintf(
        stderr,
        "%s:%u: the compiler laid out the frame of the coroutine %s wrongly (a fault of GCC 12: an if, while, switch or do "
        "awaits a temporary directly). Name the result first: if (auto ok = co_await f())\n",
        began.file_name(), static_cast<unsigned>(began.line()), functionName(began).c_str());
    std::abort();
}

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
    if (handle != nullptr && chain.references > 1U + (held ? 1U : 0U) && liesIn(frame.address(), handle)) {
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
