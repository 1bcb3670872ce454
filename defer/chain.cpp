#include <ropewalk/defer/chain.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include <ropewalk/defer/coroutine_base.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/names.hpp>
#include <ropewalk/defer/report.hpp>

namespace ropewalk::defer::detail {

thread_local constinit ThreadState ThreadState::here{};

namespace {

#if ROPEWALK_CHECKS || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool seesEveryAllocation = true;
#elif defined(__has_feature)
constexpr bool seesEveryAllocation = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool seesEveryAllocation = false;
#endif

struct ThreadEnd {
    ThreadEnd() {
        ThreadState::here.watched = true;
        ThreadState::here.mostSpares = seesEveryAllocation ? 0 : 1024;
    }
    ThreadEnd(const ThreadEnd&) = delete;
    ThreadEnd& operator=(const ThreadEnd&) = delete;
    ~ThreadEnd() { ThreadState::here.end(); }
};

} // namespace

void ThreadState::watchEnd() {
    static thread_local ThreadEnd end;
    (void)end;
}

void ThreadState::end() noexcept {
    destroyLivingCoroutines();
#if ROPEWALK_CHECKS
    while (chains != nullptr) {
        Chain* chain = std::exchange(chains, chains->nextLiving);
        chain->previousLiving = chain->nextLiving = nullptr;
        chain->home = nullptr;
    }
#endif
    ended = true;
    mostSpares = 0;
    spares = 0;
    while (spare != nullptr) {
        ::operator delete(std::exchange(spare, *static_cast<void**>(spare)));
    }
}

#if ROPEWALK_CHECKS
void Chain::link() noexcept {
    ThreadState& here = ThreadState::here;
    if (here.ended) {
        return;
    }
    home = &here;
    nextLiving = here.chains;
    if (nextLiving != nullptr) {
        nextLiving->previousLiving = this;
    }
    here.chains = this;
}

void Chain::unlink() noexcept {
    if (home == nullptr) {
        return;
    }
    (previousLiving != nullptr ? previousLiving->nextLiving : ThreadState::here.chains) = nextLiving;
    if (nextLiving != nullptr) {
        nextLiving->previousLiving = previousLiving;
    }
}
#else
void Chain::unlink() noexcept {}
#endif

void Chain::usedElsewhere() const noexcept {
    std::fprintf(stderr,
                 "a Deferred made at %s:%u was used in a thread that isn't its own: see Reactor::firer\n",
                 madeAt.file_name(), static_cast<unsigned>(madeAt.line()));
    std::abort();
}

// Result.

void Chain::setFailure(Failure error) noexcept {
    clearResult();
    failure = std::move(error);
    kind = Kind::failure;
}

void Chain::setException(std::exception_ptr error, std::source_location where) {
    if (kind == Kind::failure && failure.value() == error) {
        failure.passed(where);
        return;
    }
    setFailure(Failure(std::move(error), where));
}

Taker Chain::taker() const noexcept {
    Taker taker;
    std::memcpy(static_cast<void*>(&taker), slot, sizeof taker);
    return taker;
}

std::exception_ptr Chain::noResult(std::source_location where) const {
    const Taker who = taker();
    return detail::noResult(who.who, who.where, where);
}

// Firing.

bool Chain::mayFire(std::source_location where) {
    if (makerFires) {
        throw RuntimeError("this Deferred, made at " + placeName(madeAt) + ", is fired by its maker alone");
    }
    if (called) {
        if (suppressed) {
            suppressed = false;
            return false;
        }
        throwAlreadyCalled(maker.firedAt, where, madeAt);
    }
    return !dying;
}

void Chain::settle(std::source_location where) {
    Canceller* canceller = coroutine ? nullptr : maker.canceller;
    maker.firedAt = where;
    called = true;
    if (canceller != nullptr) {
        running = true;
        canceller->destroy(canceller);
        running = false;
    }
}

// The canceller's destructor may drop the handle that was used.
void Chain::firedWithCanceller(std::source_location where) {
    retain();
    settle(where);
    if (paused != 0 || !hasEntries()) {
        release();
        return;
    }
    Loop loop(where);
    loop.push(*this);
    loop.run();
}

void Chain::errback(Failure error, std::source_location where) {
    if (mayFire(where)) {
        error.fired(where);
        setFailure(std::move(error));
        fired(where);
    }
}

void Chain::pause() {
    if (paused == std::numeric_limits<decltype(paused)>::max()) {
        throw RuntimeError("pause() nested too deeply");
    }
    ++paused;
}

void Chain::unpause(std::source_location where) {
    if (paused == 0) {
        throw RuntimeError("unpause() without a pause()");
    }
    if (--paused == 0 && idle() && peek() != nullptr) {
        runIdle(where);
    }
}

// Entries.

void Chain::grow(std::uint32_t bytes) {
    const std::uint32_t size = std::max(2 * writeLimit, bytes);
    auto* block = ::new (::operator new(sizeof(Block) + size)) Block{nullptr, size, 0};
    if (writeBase == room) {
        block->next = block;
    } else {
        Block* last = Block::of(writeBase);
        last->used = writeAt;
        block->next = std::exchange(last->next, block);
    }
    if (readBase == writeBase) {
        readEnd = writeAt;
    }
    writeBase = block->bytes();
    writeAt = 0;
    writeLimit = size;
}

// The next entry may be one to skip, or lie in the next block.
Entry* Chain::peekFurther() noexcept {
    for (;;) {
        const bool last = readBase == writeBase;
        if (readAt != (last ? writeAt : readEnd)) {
            auto* entry = std::launder(reinterpret_cast<Entry*>(readBase + readAt));
            if (entry->type != Entry::Type::skipped) {
                return entry;
            }
            consume(*entry);
        } else if (last) {
            return nullptr;
        } else {
            Block* newest = Block::of(writeBase);
            Block* following = newest->next;
            if (readBase != room) {
                Block* done = std::exchange(following, following->next);
                newest->next = following;
                ::operator delete(done);
            }
            readBase = following->bytes();
            readEnd = following->used;
            readAt = 0;
        }
    }
}

void Chain::freeBlocks() noexcept {
    if (writeBase != room) {
        Block* block = std::exchange(Block::of(writeBase)->next, nullptr);
        while (block != nullptr) {
            ::operator delete(std::exchange(block, block->next));
        }
    }
    readBase = writeBase = room;
    writeLimit = roomSize;
}

void Chain::checkEnd(const TypeTag* wanted, std::source_location where) const {
    if (!sameType(end, wanted)) {
        throwWrongType(*wanted->info, *end->info, madeAt, where);
    }
}

// Waiting.

bool Chain::leadsTo(const Chain& chain) const noexcept {
    const Chain* at = this;
    while (at != nullptr && at != &chain) {
        at = at->waitsOn();
    }
    return at != nullptr;
}

namespace {

// Whether the entry's closure holds a handle on the chain, as far as its own bytes tell.
bool mentions(const Entry& entry, const Chain& chain) noexcept {
    const auto* bytes = reinterpret_cast<const unsigned char*>(&entry);
    for (std::size_t at = sizeof(Entry); at + sizeof(void*) <= entry.size; at += sizeof(void*)) {
        const void* word = nullptr;
        std::memcpy(&word, bytes + at, sizeof word);
        if (word == &chain) {
            return true;
        }
    }
    return false;
}

} // namespace

void Chain::waitFor(Chain& inner, Entry& entry) {
    if (&inner == this) {
        std::rethrow_exception(returnedItself(entry.where));
    }
    if (inner.dying) {
        std::rethrow_exception(abandoned("a callback returned a Deferred that is being destroyed"));
    }
    if (inner.idle()) {
        receive(inner, entry);
        return;
    }
    if (hasWaiters && inner.leadsTo(*this)) {
        throw RuntimeError("the callback added at " + placeName(entry.where) +
                           " returned a Deferred that waits for this one");
    }
    void* waiter = inner.reserve(sizeof(ChainEntry));
    ::new (waiter) ChainEntry{{nullptr, entry.where, sizeof(ChainEntry), Entry::Type::waiter}, this};
    retain();
    inner.hasWaiters = true;
    waiting = true;
    waitingOn = &inner;
}

// A closure that holds the handle it returned would keep what keeps it.
void Chain::dropHolder(Entry& entry, Chain& inner) noexcept {
    if (entry.has(Entry::hasDrop) && mentions(entry, inner)) {
        inner.retain();
        entry.traits &= static_cast<std::uint8_t>(~Entry::hasDrop);
        entry.operation(Verb::drop, entry, *this, nullptr);
        inner.release();
    }
}

void Chain::leave(Entry& entry) noexcept {
    // While its coroutine may run in the closure, that stays.
    Chain* inner = waiting ? waitingOn : nullptr;
    if (inner != nullptr && (inner->called || !inner->coroutine || inner->maker.promise == nullptr)) {
        dropHolder(entry, *inner);
    }
    concluded = false;
}

void Chain::coroutineGone() noexcept {
    if (!hasWaiters) {
        return;
    }
    ++paused; // a destructor may cancel this chain, and its entries must stay
    unsigned char* base = readBase;
    for (std::uint32_t at = readAt;;) {
        const bool last = base == writeBase;
        if (at != (last ? writeAt : base == readBase ? readEnd : Block::of(base)->used)) {
            auto* entry = std::launder(reinterpret_cast<Entry*>(base + at));
            at += entry->size;
            if (entry->type == Entry::Type::waiter) {
                Chain& outer = *static_cast<ChainEntry*>(entry)->chain;
                if (outer.waiting && outer.waitingOn == this && !outer.running) {
                    outer.dropHolder(*outer.peek(), *this);
                }
            }
        } else if (last) {
            break;
        } else {
            Block* newest = Block::of(writeBase);
            base = (base == room ? newest->next : Block::of(base)->next)->bytes();
            at = 0;
        }
    }
    if (--paused == 0 && idle() && peek() != nullptr) {
        runIdle(madeAt);
    }
}

void Chain::receive(Chain& inner, const Entry& entry) {
    waiting = false;
    waitingOn = nullptr;
    clearResult();
    switch (inner.kind) {
        case Kind::value:
            type = inner.type;
            if (type->relocate != nullptr) {
                type->relocate(slot, inner.slot);
            } else {
                std::memcpy(slot, inner.slot, slotSize);
            }
            inner.kind = Kind::unfired;
            kind = Kind::value;
            break;
        case Kind::failure:
            failure = std::move(inner.failure);
            failure.passed(entry.where);
            kind = Kind::failure;
            break;
        case Kind::none:
        case Kind::unfired: {
            const Taker who = inner.taker();
            setNone(who.who, who.where);
            break;
        }
    }
    if (inner.kind != Kind::none) {
        inner.setNone("a chain that waited for it", entry.where);
    }
}

void Chain::chainTo(Chain& target, std::source_location where) {
    if (dying) {
        return;
    }
    if (&target == this) {
        throw RuntimeError("chainDeferred: a Deferred can't be chained to itself");
    }
    if (target.hasWaiters && leadsTo(target)) {
        throw RuntimeError("chainDeferred: the target, made at " + placeName(target.madeAt) +
                           ", leads to this Deferred");
    }
    ::new (reserve(sizeof(ChainEntry)))
        ChainEntry{{nullptr, where, sizeof(ChainEntry), Entry::Type::target}, &target};
    target.retain();
    hasWaiters = true;
    if (!target.called) {
        target.waitingOn = this;
    }
    added(where);
}

bool isCancelled(const Failure& failure) noexcept {
    return failure.check<CancelledError>() != nullptr;
}

// The end.

void Chain::bury() noexcept {
    if (isPlain()) [[likely]] {
        unlink();
        delete this;
    } else {
        buryDeep();
    }
}

// Chains that die of this one's death wait for their turn: a million of them need no more stack than one.
void Chain::buryDeep() noexcept {
    if (dying) {
        delete this;
        return;
    }
    dying = true;
    references = 1;
    ThreadState& thread = ThreadState::here;
    next = nullptr;
    if (thread.graves == nullptr) {
        thread.graves = this;
    } else {
        thread.lastGrave->next = this;
    }
    thread.lastGrave = this;
    if (thread.digging) {
        return;
    }
    thread.digging = true;
    while (Chain* dead = thread.graves) {
        thread.graves = dead->next;
        dead->tearDown();
        if (--dead->references == 0) {
            delete dead;
        }
    }
    thread.digging = false;
}

// Runs whatever destructors closures and frames have; a handle that escapes from them keeps an empty chain.
void Chain::tearDown() noexcept {
    if (kind == Kind::failure && called && !waiting) {
        reportUnhandled(failure);
    }
    while (Entry* entry = peek()) {
        switch (entry->type) {
            case Entry::Type::callback:
                if (entry->has(Entry::hasDrop)) {
                    entry->operation(Verb::drop, *entry, *this, nullptr);
                }
                break;
            case Entry::Type::waiter:
            case Entry::Type::target: {
                Chain* other = static_cast<ChainEntry*>(entry)->chain;
                if (other->waitingOn == this) {
                    other->waitingOn = nullptr;
                }
                other->release();
                break;
            }
            case Entry::Type::coroutine:
                if (PromiseBase* promise = static_cast<CoroutineEntry*>(entry)->promise) {
                    promise->abandon();
                }
                break;
            case Entry::Type::skipped:
                break;
        }
        consume(*entry);
    }
    clearResult();
    if (!called && !coroutine && maker.canceller != nullptr) {
        Canceller* canceller = std::exchange(maker.canceller, nullptr);
        canceller->destroy(canceller);
    }
    freeBlocks();
    unlink();
}

// The loop.

inline void Loop::runCallback(Chain& chain, Entry& entry) {
    if (entry.has(chain.kind == Chain::Kind::failure ? Entry::onFailure : Entry::onValue)) {
        try {
            entry.operation(Verb::run, entry, chain, this);
        } catch (...) {
            chain.setException(std::current_exception(), entry.where);
        }
        if (chain.waiting || chain.concluded) {
            chain.leave(entry);
            return;
        }
    } else if (chain.kind == Chain::Kind::failure) {
        chain.failure.passed(entry.where);
    }
    if (entry.has(Entry::hasDrop)) {
        entry.operation(Verb::drop, entry, chain, this);
    }
    chain.consume(entry);
}

inline void Loop::resume(Chain& chain, CoroutineEntry& entry) {
    PromiseBase* promise = entry.promise;
    chain.consume(entry);
    if (promise == nullptr) {
        return;
    }
    Chain& own = *promise->mine;
    own.retain();
    promise->awaited();
    own.running = true;
    try {
        promise->frame.resume();
    } catch (...) {
        destructorThrew();
    }
    own.running = false;
    pushIfRunnable(own);
}

void Loop::run() {
    while (Chain* chain = top_) {
        Entry* entry = chain->ready();
        if (entry == nullptr) {
            top_ = chain->next;
            chain->stop();
        } else {
            inner = entry->where;
            if (entry->type == Entry::Type::callback) {
                runCallback(*chain, *entry);
            } else {
                runEntry(*chain, *entry);
            }
        }
    }
}

// A chain that sets nothing else free is done without a look at the stack.
void Chain::runIdle(std::source_location where) {
    Loop loop(where);
    retain();
    loop.push(*this);
    while (readBase == writeBase) {
        if (readAt == writeAt) {
            running = false;
            rewind();
            release();
            return;
        }
        auto* entry = std::launder(reinterpret_cast<Entry*>(readBase + readAt));
        loop.inner = entry->where;
        if (entry->type == Entry::Type::callback) {
            loop.runCallback(*this, *entry);
        } else if (entry->type == Entry::Type::coroutine) {
            loop.resume(*this, static_cast<CoroutineEntry&>(*entry));
        } else {
            break;
        }
        if (loop.top_ != this || waiting || paused != 0) {
            break;
        }
    }
    loop.run();
}

void Loop::runEntry(Chain& chain, Entry& entry) {
    switch (entry.type) {
        case Entry::Type::waiter:
            deliver(chain, static_cast<ChainEntry&>(entry));
            return;
        case Entry::Type::target:
            fireTarget(chain, static_cast<ChainEntry&>(entry));
            return;
        case Entry::Type::coroutine:
            resume(chain, static_cast<CoroutineEntry&>(entry));
            return;
        case Entry::Type::callback:
        case Entry::Type::skipped:
            return;
    }
}

template <class Settle>
void Loop::conclude(Chain& chain, Settle settle) {
    const bool onStack = chain.running;
    chain.running = true;
    Entry& entry = *chain.peek();
    settle(entry);
    if (entry.has(Entry::hasDrop)) {
        entry.operation(Verb::drop, entry, chain, this);
    }
    chain.consume(entry);
    if (onStack) {
        chain.concluded = true;
        chain.release();
    } else {
        push(chain);
    }
}

void Loop::deliver(Chain& chain, ChainEntry& waiter) {
    Chain& outer = *waiter.chain;
    chain.consume(waiter);
    conclude(outer, [&](Entry& entry) {
        outer.receive(chain, entry);
        if (entry.converts && outer.kind == Chain::Kind::value) {
            try {
                entry.operation(Verb::convert, entry, outer, this);
            } catch (...) {
                outer.setException(std::current_exception(), entry.where);
            }
        }
    });
}

void Loop::fireTarget(Chain& chain, ChainEntry& entry) {
    Chain& target = *entry.chain;
    chain.consume(entry);
    if (!target.called) {
        target.waitingOn = nullptr;
    }
    bool fires = false;
    try {
        fires = target.mayFire(entry.where);
    } catch (...) {
        chain.setException(std::current_exception(), entry.where);
        target.release();
        return;
    }
    if (fires) {
        target.receive(chain, entry);
        target.settle(entry.where);
        pushIfRunnable(target);
    } else {
        chain.setNone("chainDeferred", entry.where);
        target.release();
    }
}

// Cancellation.

Chain* Chain::waitsOn() const noexcept {
    if (!called && coroutine) {
        return maker.promise != nullptr ? maker.promise->awaiting : nullptr;
    }
    return called && !waiting ? nullptr : waitingOn;
}

void Chain::cancel(std::string_view reason, std::source_location where) {
    if (!called || waiting) {
        cancelWith(detail::cancelled(reason), where);
    }
}

void Chain::cancelWith(std::exception_ptr error, std::source_location where) {
    Chain* chain = this;
    while (!chain->dying && (chain->called ? chain->waiting : chain->coroutine)) {
        Chain* inner = chain->waitsOn();
        if (inner != nullptr && !inner->dying) {
            chain = inner;
            continue;
        }
        if (chain->called) {
            // What it waited on is gone, or going, unfired: nobody else can go on with it.
            Loop loop(where);
            chain->retain();
            loop.conclude(*chain, [&](const Entry&) {
                chain->waiting = false;
                chain->waitingOn = nullptr;
                chain->setFailure(Failure(std::move(error), where));
            });
            loop.run();
            return;
        }
        if (chain->maker.promise != nullptr) {
            chain->maker.promise->cancellation = std::move(error);
            return;
        }
        break;
    }
    if (chain->called || chain->cancelling || chain->dying) {
        return;
    }
    Canceller* canceller = chain->coroutine ? nullptr : std::exchange(chain->maker.canceller, nullptr);
    if (canceller == nullptr) {
        chain->suppressed = true;
    } else {
        struct Calling {
            Calling(Chain& cancelled, Canceller* called) : chain(cancelled), canceller(called) {
                chain.retain();
                chain.cancelling = true;
            }
            Calling(const Calling&) = delete;
            Calling& operator=(const Calling&) = delete;
            ~Calling() {
                chain.cancelling = false;
                if (chain.called) {
                    canceller->destroy(canceller);
                } else {
                    chain.maker.canceller = canceller;
                }
                chain.release();
            }
            Chain& chain;
            Canceller* canceller;
        } calling(*chain, canceller);
        const bool fails = canceller->call(*canceller, *chain, error, where);
        if (!chain->called && fails) {
            chain->setFailure(Failure(std::move(error), where));
            chain->fired(where);
        }
        return;
    }
    chain->setFailure(Failure(std::move(error), where));
    chain->fired(where);
}

} // namespace ropewalk::defer::detail
