#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <ropewalk/reactor/call.hpp>

namespace ropewalk::detail {

/// The reactor's timed calls, by the millisecond: a wheel of wheels. To add, remove or move a call takes the
/// same short time however many there are. Calls of one moment come out in the order of their sequence
/// numbers.
///
/// Time is cut into blocks of 1024 ms. Calls of the current block and the next lie in one list a millisecond
/// (`near`), later ones in coarser lists: on level n of `far`, list i holds the blocks whose digit n in base
/// 64 is i, all digits above being those of the last near block. A list is opened (its calls move to finer
/// ones) when its first block becomes near, before any call can be added directly to a place where one of its
/// calls belongs: so order is kept. Only `move` can break it, and that is noted and mended when the list is
/// due.
///
/// A set bit says that a list may have calls in it. Removing the last one leaves the bit to whoever looks
/// next.
class TimerQueue {
public:
    /// What `next` says when there is no call.
    static constexpr std::int64_t never = INT64_MAX;
    /// The last moment that there is: 146 million years.
    static constexpr std::int64_t last = std::int64_t{1} << 62;

    /// `now` is not negative, nor is any moment.
    explicit TimerQueue(std::int64_t now);
    TimerQueue(const TimerQueue&) = delete;
    TimerQueue& operator=(const TimerQueue&) = delete;
    ~TimerQueue();

    /// A new call. A moment that has passed means that it is due at once.
    void add(Call& call, std::int64_t moment) noexcept {
        call.sequence = made_++;
        call.moment = moment;
        ++size_;
        place(call);
    }
    void remove(Call& call) noexcept {
        call.unlink();
        --size_;
    }
    void move(Call& call, std::int64_t moment) noexcept {
        call.unlink();
        call.moment = moment;
        place(call);
    }

    /// All calls that are due at `now` become the current batch, behind what it still holds.
    void startBatch(std::int64_t now) noexcept;
    /// Takes the first call out of the batch. Null when none is left.
    Call* take() noexcept {
        Link* first = batch_.next;
        if (first == &batch_) {
            return nullptr;
        }
        first->unlink();
        __builtin_prefetch(batch_.next->next);
        --size_;
        return static_cast<Call*>(first);
    }

    /// The moment at which a call is due, or may be: for a call beyond the near ones that was removed, that
    /// is too early. At most the moment of the last batch if one is due already.
    std::int64_t next() noexcept;

    std::size_t size() const noexcept { return size_; }
    /// The moment of the last batch.
    std::int64_t now() const noexcept { return now_; }

    /// Calls `visit(Call&)` for every call, in no particular order. It must not change the queue.
    template <class F>
    void forEach(F visit) const;

private:
    static constexpr int blockBits = 10;
    static constexpr std::int64_t nearLists = std::int64_t{2} << blockBits;
    static constexpr std::int64_t nearWords = nearLists / 64;
    static constexpr int digitBits = 6;
    static constexpr int levels = 9;

    struct FarList {
        Link head;
        std::int64_t earliest;
    };
    // Left uninitialised: a list is made when its bit is set.
    struct Lists {
        Link near[nearLists];
        FarList far[levels][64];
    };

    void place(Call& call) noexcept;
    void append(Link& head, Call& call, bool& outOfOrder) noexcept;
    Link& openNear(std::int64_t moment) noexcept;
    std::int64_t firstFarBlock(int& level, int& digit) noexcept;
    void spread(int level, int digit) noexcept;
    void collect(std::int64_t upTo) noexcept;
    std::int64_t nextNear() noexcept;

    std::int64_t now_;
    std::int64_t block_;
    std::uint64_t made_ = 0;
    std::size_t size_ = 0;
    Link due_;
    Link batch_;
    bool dueOutOfOrder_ = false;
    std::unique_ptr<Lists> lists_;
    std::uint64_t nearBits_[nearWords] = {};
    std::uint64_t nearOutOfOrder_[nearWords] = {};
    std::uint64_t farBits_[levels] = {};
};

template <class F>
void TimerQueue::forEach(F visit) const {
    auto visitAll = [&visit](const Link& head) {
        for (Link* at = head.next; at != &head; at = at->next) {
            visit(*static_cast<Call*>(at));
        }
    };
    visitAll(batch_);
    visitAll(due_);
    for (std::int64_t i = 0; i < nearLists; ++i) {
        if ((nearBits_[i / 64] >> (i % 64) & 1) != 0) {
            visitAll(lists_->near[i]);
        }
    }
    for (int level = 0; level < levels; ++level) {
        for (int digit = 0; digit < 64; ++digit) {
            if ((farBits_[level] >> digit & 1) != 0) {
                visitAll(lists_->far[level][digit].head);
            }
        }
    }
}

} // namespace ropewalk::detail
