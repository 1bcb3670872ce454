#include <ropewalk/task/clock.hpp>

#include <bit>
#include <cmath>
#include <utility>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk::task {

using ropewalk::detail::Call;

namespace {

Seconds momentOf(const Call& call) noexcept {
    return Seconds(std::bit_cast<double>(call.moment));
}

void refuseNaN(Seconds time) {
    if (std::isnan(time.count())) {
        throw ValueError("not a number of seconds");
    }
}

} // namespace

bool Clock::Earlier::operator()(const Call* a, const Call* b) const noexcept {
    const Seconds first = momentOf(*a);
    const Seconds second = momentOf(*b);
    return first != second ? first < second : a->sequence < b->sequence;
}

Clock::Clock() = default;

Clock::~Clock() {
    closed_ = true;
    leave();
    while (!calls_.empty()) {
        Call& call = **calls_.begin();
        calls_.erase(calls_.begin());
        call.orphan();
    }
    if (destroyed_ != nullptr) {
        *destroyed_ = true;
    }
}

void Clock::schedule(Call& call, Seconds delay) {
    refuseNaN(delay);
    call.realTime = true;
    call.moment = std::bit_cast<std::int64_t>((now_ + delay).count());
    call.sequence = made_++;
    if (closed_) {
        call.retain();
        call.orphan();
        return;
    }
    if (spare_) {
        spare_.value() = &call;
        calls_.insert(std::move(spare_));
    } else {
        calls_.insert(&call);
    }
    call.retain();
    call.owner = this;
}

void Clock::unschedule(Call& call) {
    calls_.erase(&call);
}

void Clock::reschedule(Call& call, Seconds delay) {
    move(call, now_ + delay);
}

void Clock::postpone(Call& call, Seconds longer) {
    move(call, momentOf(call) + longer);
}

void Clock::move(Call& call, Seconds moment) {
    refuseNaN(moment);
    auto node = calls_.extract(&call);
    call.moment = std::bit_cast<std::int64_t>(moment.count());
    calls_.insert(std::move(node));
}

std::vector<DelayedCall> Clock::getDelayedCalls() const {
    std::vector<DelayedCall> calls;
    calls.reserve(calls_.size());
    for (Call* call : calls_) {
        call->retain();
        calls.emplace_back(call);
    }
    return calls;
}

void Clock::advance(Seconds amount) {
    refuseNaN(amount);
    struct Watch {
        explicit Watch(Clock& theClock) noexcept
            : clock(theClock), outer(std::exchange(theClock.destroyed_, &destroyed)) {}
        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;
        ~Watch() {
            if (!destroyed) {
                clock.destroyed_ = outer;
            } else if (outer != nullptr) {
                *outer = true;
            }
        }
        Clock& clock;
        bool destroyed = false;
        bool* outer;
    } const watch(*this);
    now_ += amount;
    while (!watch.destroyed && !calls_.empty() && momentOf(**calls_.begin()) <= now_) {
        Call& call = **calls_.begin();
        spare_ = calls_.extract(calls_.begin());
        const DelayedCall owned(&call);
        call.run();
    }
}

} // namespace ropewalk::task
