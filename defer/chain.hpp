#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <utility>

#include <ropewalk/defer/config.hpp>
#include <ropewalk/defer/failure.hpp>
#include <ropewalk/defer/slot.hpp>
#include <ropewalk/defer/throw.hpp>
#include <ropewalk/defer/trail.hpp>

/// The engine under `Deferred`: a result, and what is to be done with it. One allocation of 256 bytes, which counts the
/// handles on it; everything that needs no knowledge of types is done here, out of line.
namespace ropewalk::defer::detail {

/// Whether it is a CancelledError.
bool isCancelled(const Failure& failure) noexcept;

struct PromiseBase;

// Programs built with and without the checks must not link: the chain's own name differs.
#if ROPEWALK_CHECKS
inline namespace checked {
#else
inline namespace unchecked {
#endif

struct Chain;
class Loop;

/// What an entry is asked to do: call its callback; turn the result that a returned Deferred gave into the end's type;
/// or destroy its closure.
enum class Verb : std::uint8_t { run, convert, drop };

/// A step of the chain, with its closure behind it.
struct Entry {
    enum class Type : std::uint8_t { skipped, callback, waiter, target, coroutine };
    using Operation = void (*)(Verb verb, Entry& entry, Chain& chain, Loop* loop);

    Operation operation = nullptr;
    std::source_location where;
    std::uint32_t size = 0;
    Type type = Type::skipped;
    // Bits rather than bit-fields: an entry is written with one store.
    static constexpr std::uint8_t onValue = 1;
    static constexpr std::uint8_t onFailure = 2;
    static constexpr std::uint8_t hasDrop = 4;
    std::uint8_t traits = 0;
    bool converts = false;

    bool has(std::uint8_t trait) const noexcept { return (traits & trait) != 0; }
};

/// A chain whose callback returned this one's Deferred (`waiter`), or one that `chainDeferred` named (`target`). Owned.
struct ChainEntry : Entry {
    Chain* chain = nullptr;
};

/// A suspended coroutine. Owned, until it is destroyed from elsewhere: then null.
struct CoroutineEntry : Entry {
    PromiseBase* promise = nullptr;
};

struct Canceller {
    /// Says whether the chain is to fail with this CancelledError if it is still unfired.
    bool (*call)(Canceller& canceller, Chain& chain, const std::exception_ptr& error,
                 std::source_location where) = nullptr;
    void (*destroy)(Canceller* canceller) noexcept = nullptr;
};

/// Who took the result of a chain that holds None. It lies in the slot.
struct Taker {
    const char* who = "";
    std::source_location where;
};

/// More room for entries, on the heap. The blocks make a ring: the last one knows the first.
struct Block {
    Block* next = nullptr;
    std::uint32_t size = 0;
    std::uint32_t used = 0;

    unsigned char* bytes() noexcept { return reinterpret_cast<unsigned char*>(this + 1); }
    static Block* of(unsigned char* bytes) noexcept { return reinterpret_cast<Block*>(bytes) - 1; }
};

/// What a thread keeps. Trivial, so that objects may still be destroyed when the thread's other variables are gone.
struct ThreadState {
    Chain* graves = nullptr;
    Chain* lastGrave = nullptr;
    bool digging = false;
    bool watched = false;
    bool ended = false;
    PromiseBase* coroutines = nullptr;
    Chain* chains = nullptr;
    void* spare = nullptr; // memory of chains that are gone, linked by its first word
    std::uint32_t spares = 0;
    std::uint32_t mostSpares = 0;

    /// The thread's end will destroy its coroutines, let go of its chains and give back its spare memory.
    void watchEnd();
    void end() noexcept;

    [[gnu::tls_model("initial-exec")]] static thread_local constinit ThreadState here;
};

/// The life of a chain: unfired → called → (running ⇄ waiting on another) → … → torn down when no handle is left.
/// `running` says that a loop has it on its stack. While it waits, the entry that returned the Deferred and the value
/// that it was given stay where they are: a coroutine may refer to both.
struct Chain {
    enum class Kind : std::uint8_t { unfired, value, failure, none };

    static constexpr std::uint32_t roomSize = 120;

    Chain(const TypeTag* firedWith, std::source_location where) noexcept
        : type(firedWith), end(firedWith), madeAt(where) {
#if ROPEWALK_CHECKS
        link();
#endif
    }
    Chain(const Chain&) = delete;
    Chain& operator=(const Chain&) = delete;

    static void* operator new(std::size_t size);
    static void operator delete(void* chain) noexcept;

    void retain() noexcept {
        checkThread();
        ++references;
    }
    void release() noexcept {
        checkThread();
        if (--references == 0) {
            bury();
        }
    }

    bool idle() const noexcept { return called && !running && !waiting && paused == 0; }

    // Result.
    template <class T, class... A>
    void emplace(A&&... args) {
        Held<T>::make(slot, std::forward<A>(args)...);
        type = &tagOf<T>;
        kind = Kind::value;
    }
    void setVoid() noexcept {
        type = &tagOf<void>;
        kind = Kind::value;
    }
    void setNone(const char* who, std::source_location where) noexcept {
        clearResult();
        ::new (static_cast<void*>(slot)) Taker{who, where};
        kind = Kind::none;
    }
    void setFailure(Failure error) noexcept;
    /// What a callback or coroutine threw; if it is the failure that it was given, that one's trail goes on.
    void setException(std::exception_ptr error, std::source_location where);
    void clearResult() noexcept {
        if (kind == Kind::value) {
            if (type->destroy != nullptr) {
                type->destroy(slot);
            }
        } else if (kind == Kind::failure) {
            failure = Failure(nullptr);
        }
        kind = Kind::unfired;
    }
    template <class T>
    T& value() noexcept {
        return Held<T>::in(slot);
    }
    Taker taker() const noexcept;
    std::exception_ptr noResult(std::source_location where) const;

    // Firing. `mayFire` says whether to go on: it throws, or swallows the one fire that a cancellation allows.
    bool mayFire(std::source_location where);
    bool mayFireWith(const TypeTag* fired, std::source_location where) {
        if (called || makerFires) [[unlikely]] {
            return mayFire(where);
        }
        if (!sameType(fired, type)) [[unlikely]] {
            throwWrongType(*type->info, *fired->info, madeAt, where);
        }
        return !dying;
    }
    /// The result is in place: it counts as called, and the canceller goes.
    void settle(std::source_location where);
    /// And what waits for it runs.
    void fired(std::source_location where) {
        if (!coroutine && maker.canceller == nullptr) [[likely]] {
            maker.firedAt = where;
            called = true;
            if (paused == 0 && hasEntries()) {
                runIdle(where);
            }
        } else {
            firedWithCanceller(where);
        }
    }
    void errback(Failure error, std::source_location where);
    /// Cancels what this chain waits for in the end, or itself. The error is made when it is needed.
    void cancel(std::string_view reason, std::source_location where);
    void cancelWith(std::exception_ptr error, std::source_location where);
    void pause();
    void unpause(std::source_location where);

    // Entries.
    static constexpr std::uint32_t rounded(std::size_t size) noexcept {
        return static_cast<std::uint32_t>((size + 7) & ~std::size_t{7});
    }
    /// Room for an entry of `bytes`, a multiple of 8, which the caller constructs.
    void* reserve(std::uint32_t bytes) {
        if (bytes > writeLimit - writeAt) [[unlikely]] {
            grow(bytes);
        }
        void* place = writeBase + writeAt;
        writeAt += bytes;
        return place;
    }
    bool hasEntries() const noexcept { return readAt != writeAt || readBase != writeBase; }
    /// The next entry, or null.
    Entry* peek() noexcept {
        if (!hasEntries()) {
            return nullptr;
        }
        if (readAt != readEnd || readBase == writeBase) [[likely]] {
            auto* entry = std::launder(reinterpret_cast<Entry*>(readBase + readAt));
            if (entry->type != Entry::Type::skipped) [[likely]] {
                return entry;
            }
        }
        return peekFurther();
    }
    /// The next entry that may run now.
    Entry* ready() noexcept { return waiting || paused != 0 ? nullptr : peek(); }
    /// A loop takes it off its stack, and gives back its reference.
    void stop() noexcept {
        running = false;
        if (!waiting && paused == 0) {
            rewind();
        }
        release();
    }
    void consume(const Entry& entry) noexcept { readAt += entry.size; }
    /// With no entry left, the first one may have the room again.
    void rewind() noexcept {
        if (writeBase != room) [[unlikely]] {
            freeBlocks();
        }
        readAt = writeAt = 0;
    }
    /// Whether nothing follows this entry, the one that runs.
    bool isLast(const Entry& entry) const noexcept {
        return readBase == writeBase && readAt + entry.size == writeAt;
    }
    /// Runs an idle chain's entries, and all that follows from them.
    void runIdle(std::source_location where);
    /// An entry was added: run it if a result is there.
    void added(std::source_location where) {
        if (idle()) {
            runIdle(where);
        }
    }
    void requireEnd(const TypeTag* wanted, std::source_location where) const {
        if (end != wanted) [[unlikely]] {
            checkEnd(wanted, where);
        }
    }
    void requireFiredWith(const TypeTag* fired, std::source_location where) const {
        if (!called && !sameType(fired, type)) [[unlikely]] {
            throwWrongType(*type->info, *fired->info, madeAt, where);
        }
    }
    void checkEnd(const TypeTag* wanted, std::source_location where) const;

    /// The callback of `entry` returned `inner`: take its result, or wait for it.
    void waitFor(Chain& inner, Entry& entry);
    void receive(Chain& inner, const Entry& entry);
    /// The loop leaves `entry`, which waits, or waited and was concluded.
    void leave(Entry& entry) noexcept;
    /// Its coroutine was destroyed unfinished: whoever waits for it needs no closures for it any more.
    void coroutineGone() noexcept;
    void chainTo(Chain& target, std::source_location where);
    /// What this chain waits on just now: a chain, or what its coroutine awaits.
    Chain* waitsOn() const noexcept;
    bool leadsTo(const Chain& chain) const noexcept;

    std::uint32_t references = 1;
    std::uint32_t readAt = 0;
    std::uint32_t readEnd = 0; // while the entries go on in another block
    std::uint32_t writeAt = 0;
    std::uint32_t writeLimit = roomSize;
    std::uint16_t paused = 0;
    Kind kind = Kind::unfired;
    bool called = false;
    bool running = false;
    bool waiting = false;
    bool dying = false;
    bool concluded = false; // its entry waited, and had its result before it came back to the loop
    bool coroutine = false;
    bool makerFires : 1 = false;
    bool suppressed : 1 = false;
    bool cancelling : 1 = false;
    bool hasWaiters : 1 = false;
    unsigned char* readBase = room;
    unsigned char* writeBase = room;
    /// Before the fire, the type that it is fired with; afterwards, the type in the slot.
    const TypeTag* type;
    const TypeTag* end;
    Failure failure{nullptr};
    std::source_location madeAt;
    union Maker {
        constexpr Maker() noexcept : canceller(nullptr) {}
        Canceller* canceller;         // until it is fired
        PromiseBase* promise;         // until it is fired, if it is a coroutine's
        std::source_location firedAt; // afterwards
    } maker;
    Chain* waitingOn = nullptr;
    alignas(slotAlignment) unsigned char slot[slotSize];
    Chain* next = nullptr; // on a loop's stack, or among the dead
    alignas(8) unsigned char room[roomSize];
#if ROPEWALK_CHECKS
    Chain* previousLiving = nullptr;
    Chain* nextLiving = nullptr;
    const ThreadState* home = nullptr; // none: its thread has ended
#endif

    /// Ends the program if the chain belongs to another thread that lives.
    void checkThread() const noexcept {
#if ROPEWALK_CHECKS
        if (home != nullptr && home != &ThreadState::here) [[unlikely]] {
            usedElsewhere();
        }
#endif
    }

private:
    ~Chain() = default;

    [[noreturn]] void usedElsewhere() const noexcept;

    void firedWithCanceller(std::source_location where);
    void dropHolder(Entry& entry, Chain& inner) noexcept;
    void grow(std::uint32_t bytes);
    Entry* peekFurther() noexcept;
    /// Nothing is left that needs a destructor, or a word in the log.
    bool isPlain() const noexcept {
        return called && (kind == Kind::none || (kind == Kind::value && type->destroy == nullptr)) &&
               writeBase == room && readAt == writeAt;
    }
    void link() noexcept;
    void unlink() noexcept;
    void bury() noexcept;
    [[gnu::noinline]] void buryDeep() noexcept;
    void tearDown() noexcept;
    void freeBlocks() noexcept;
};

// glibc keeps seven blocks of this size at hand; with more chains alive than that, its slow path would cost more than all
// the rest of a chain's life. Builds with checks and sanitizers see every allocation as it is: `mostSpares` stays zero.
inline void* Chain::operator new(std::size_t size) {
    ThreadState& thread = ThreadState::here;
    if (thread.spare != nullptr) [[likely]] {
        --thread.spares;
        return std::exchange(thread.spare, *static_cast<void**>(thread.spare));
    }
    if (!thread.watched) [[unlikely]] {
        thread.watchEnd();
    }
    return ::operator new(size);
}

inline void Chain::operator delete(void* chain) noexcept {
    ThreadState& thread = ThreadState::here;
    if (thread.spares < thread.mostSpares) [[likely]] {
        ++thread.spares;
        *static_cast<void**>(chain) = std::exchange(thread.spare, chain);
    } else {
        ::operator delete(chain);
    }
}

#if !ROPEWALK_CHECKS
static_assert(sizeof(Chain) == 256);
#endif

/// Runs chains, one after another, never one inside another: what a result sets free goes on a list through `next`.
/// A chain that waited runs before the rest of the chain that it waited on, as in Twisted.
class Loop : public Activation {
public:
    explicit Loop(std::source_location fired) noexcept : Activation(fired) {}

    /// Takes over a reference.
    void push(Chain& chain) noexcept {
        chain.running = true;
        chain.next = top_;
        top_ = &chain;
    }
    /// Like `push`, for a chain that may be on a stack already, paused or waiting. Takes over a reference.
    void pushIfRunnable(Chain& chain) noexcept {
        if (chain.idle()) {
            push(chain);
        } else {
            chain.release();
        }
    }
    void run();
    /// A chain that waited gets its result from `settle`, then goes on. Takes over a reference.
    template <class Settle>
    void conclude(Chain& chain, Settle settle);

private:
    friend Chain;

    void runEntry(Chain& chain, Entry& entry);
    void runCallback(Chain& chain, Entry& entry);
    void deliver(Chain& chain, ChainEntry& entry);
    void fireTarget(Chain& chain, ChainEntry& entry);
    void resume(Chain& chain, CoroutineEntry& entry);

    Chain* top_ = nullptr;
};

} // namespace checked/unchecked
} // namespace ropewalk::defer::detail
