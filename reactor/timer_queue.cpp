#include <ropewalk/reactor/timer_queue.hpp>

#include <algorithm>
#include <bit>

namespace ropewalk::detail {

namespace {

bool comesFirst(const Call& a, const Call& b) noexcept {
    return a.moment != b.moment ? a.moment < b.moment : a.sequence < b.sequence;
}

Call* merge(Call* a, Call* b) noexcept {
    Link head{nullptr, nullptr};
    Link* end = &head;
    while (a != nullptr && b != nullptr) {
        Call*& first = comesFirst(*b, *a) ? b : a;
        end->next = first;
        end = first;
        first = static_cast<Call*>(first->next);
    }
    end->next = a != nullptr ? a : b;
    return static_cast<Call*>(head.next);
}

// Runs[i] is null or sorted and 2^i calls long.
void sort(Link& head) noexcept {
    Call* runs[64] = {};
    Link* at = head.next;
    while (at != &head) {
        auto* run = static_cast<Call*>(at);
        at = at->next;
        run->next = nullptr;
        int i = 0;
        for (; runs[i] != nullptr; ++i) {
            run = merge(runs[i], run);
            runs[i] = nullptr;
        }
        runs[i] = run;
    }
    Call* sorted = nullptr;
    for (Call* run : runs) {
        sorted = merge(run, sorted);
    }
    head.alone();
    while (sorted != nullptr) {
        auto* following = static_cast<Call*>(sorted->next);
        head.insert(*sorted);
        sorted = following;
    }
}

} // namespace

TimerQueue::TimerQueue(std::int64_t now)
    : now_(now), block_((now >> blockBits) + 1), lists_(std::make_unique_for_overwrite<Lists>()) {
    due_.alone();
    batch_.alone();
}

TimerQueue::~TimerQueue() = default;

void TimerQueue::append(Link& head, Call& call, bool& outOfOrder) noexcept {
    Link* before = head.previous;
    outOfOrder = before != &head && comesFirst(call, *static_cast<Call*>(before));
    head.insert(call);
}

Link& TimerQueue::openNear(std::int64_t moment) noexcept {
    const std::int64_t index = moment & (nearLists - 1);
    Link& head = lists_->near[index];
    std::uint64_t& word = nearBits_[index / 64];
    const std::uint64_t bit = std::uint64_t{1} << (index % 64);
    if ((word & bit) == 0) {
        word |= bit;
        nearOutOfOrder_[index / 64] &= ~bit;
        head.alone();
    }
    return head;
}

void TimerQueue::place(Call& call) noexcept {
    bool outOfOrder = false;
    if (call.moment <= now_) {
        append(due_, call, outOfOrder);
        dueOutOfOrder_ |= outOfOrder;
        return;
    }
    const std::int64_t block = call.moment >> blockBits;
    if (block <= block_) {
        append(openNear(call.moment), call, outOfOrder);
        if (outOfOrder) {
            const std::int64_t index = call.moment & (nearLists - 1);
            nearOutOfOrder_[index / 64] |= std::uint64_t{1} << (index % 64);
        }
        return;
    }
    const auto difference = static_cast<std::uint64_t>(block ^ block_);
    const int level = (63 - std::countl_zero(difference)) / digitBits;
    const int digit = static_cast<int>(block >> (level * digitBits) & 63);
    FarList& list = lists_->far[level][digit];
    if ((farBits_[level] >> digit & 1) == 0 || list.head.isAlone()) {
        farBits_[level] |= std::uint64_t{1} << digit;
        list.head.alone();
        list.earliest = call.moment;
    }
    list.earliest = std::min(list.earliest, call.moment);
    list.head.insert(call);
}

// The first block that a call beyond the near ones may be in, and which list that is.
std::int64_t TimerQueue::firstFarBlock(int& level, int& digit) noexcept {
    for (level = 0; level < levels; ++level) {
        while (farBits_[level] != 0) {
            digit = std::countr_zero(farBits_[level]);
            if (!lists_->far[level][digit].head.isAlone()) {
                const int shift = level * digitBits;
                return ((block_ >> shift >> digitBits << digitBits) | digit) << shift;
            }
            farBits_[level] &= farBits_[level] - 1;
        }
    }
    return never;
}

void TimerQueue::spread(int level, int digit) noexcept {
    farBits_[level] &= ~(std::uint64_t{1} << digit);
    Link& head = lists_->far[level][digit].head;
    for (Link* at = head.next; at != &head;) {
        auto* call = static_cast<Call*>(at);
        at = at->next;
        __builtin_prefetch(at->next);
        place(*call);
    }
}

void TimerQueue::collect(std::int64_t upTo) noexcept {
    const std::int64_t end = std::min(upTo, ((block_ + 1) << blockBits) - 1);
    for (std::int64_t moment = now_ + 1; moment <= end;) {
        const std::int64_t index = moment & (nearLists - 1);
        const std::uint64_t rest = nearBits_[index / 64] >> (index % 64);
        if (rest == 0) {
            moment += 64 - index % 64;
            continue;
        }
        moment += std::countr_zero(rest);
        if (moment > end) {
            break;
        }
        const std::int64_t found = moment & (nearLists - 1);
        const std::uint64_t bit = std::uint64_t{1} << (found % 64);
        nearBits_[found / 64] &= ~bit;
        if ((nearOutOfOrder_[found / 64] & bit) != 0) {
            sort(lists_->near[found]);
        }
        due_.insertAll(lists_->near[found]);
        ++moment;
    }
    now_ = std::max(now_, upTo);
}

void TimerQueue::startBatch(std::int64_t now) noexcept {
    if (now > now_) {
        const std::int64_t lastBlock = (now >> blockBits) + 1;
        int level = 0;
        int digit = 0;
        for (;;) {
            const std::int64_t block = firstFarBlock(level, digit);
            if (block > lastBlock) {
                break;
            }
            collect(((block - 1) << blockBits) - 1);
            block_ = block;
            spread(level, digit);
        }
        collect(now);
        block_ = lastBlock;
    }
    if (dueOutOfOrder_) {
        sort(due_);
        dueOutOfOrder_ = false;
    }
    batch_.insertAll(due_);
}

std::int64_t TimerQueue::nextNear() noexcept {
    const std::int64_t end = (block_ + 1) << blockBits;
    for (std::int64_t moment = now_ + 1; moment < end;) {
        const std::int64_t index = moment & (nearLists - 1);
        const std::uint64_t rest = nearBits_[index / 64] >> (index % 64);
        if (rest == 0) {
            moment += 64 - index % 64;
            continue;
        }
        moment += std::countr_zero(rest);
        const std::int64_t found = moment & (nearLists - 1);
        if (!lists_->near[found].isAlone()) {
            return moment;
        }
        nearBits_[found / 64] &= ~(std::uint64_t{1} << (found % 64));
    }
    return never;
}

std::int64_t TimerQueue::next() noexcept {
    if (size_ == 0) {
        return never;
    }
    if (!due_.isAlone() || !batch_.isAlone()) {
        return now_;
    }
    if (const std::int64_t moment = nextNear(); moment != never) {
        return moment;
    }
    int level = 0;
    int digit = 0;
    firstFarBlock(level, digit);
    return lists_->far[level][digit].earliest;
}

} // namespace ropewalk::detail
