#include <ropewalk/reactor/reactor.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <ropewalk/defer/coroutine_base.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/reactor/blocked_threads.hpp>
#include <ropewalk/reactor/network.hpp>
#include <ropewalk/reactor/thread_reactor.hpp>
#include <ropewalk/reactor/threaded_resolver.hpp>
#include <ropewalk/reactor/uv_driver.hpp>

namespace ropewalk {

using detail::Call;
using detail::Link;
using detail::TimerQueue;

namespace {

constexpr std::int64_t nanosecondsPerMillisecond = 1'000'000;
// Beyond it, sums of nanoseconds might not fit.
constexpr double manyNanoseconds = 4e18;

std::int64_t roundedUp(std::int64_t nanoseconds) noexcept {
    return nanoseconds / nanosecondsPerMillisecond + (nanoseconds % nanosecondsPerMillisecond > 0 ? 1 : 0);
}

/// `moment` and so many milliseconds, which may be any number.
std::int64_t momentPlus(std::int64_t moment, double milliseconds) noexcept {
    const double sum = static_cast<double>(moment) + milliseconds;
    return sum >= static_cast<double>(TimerQueue::last) ? TimerQueue::last
           : sum <= 0                                   ? 0
                                                        : static_cast<std::int64_t>(std::ceil(sum));
}

void refuseNaN(Seconds time) {
    if (std::isnan(time.count())) {
        throw ValueError("not a number of seconds");
    }
}

} // namespace

Reactor::Reactor() : Reactor(std::make_unique<UvDriver>()) {}

Reactor::Reactor(std::unique_ptr<Driver> driver)
    : driver_(std::move(driver)),
      threads_(std::make_shared<detail::ThreadQueue>(*driver_)),
      blocked_(std::make_shared<detail::BlockedThreads>()),
      ownResolver_(std::make_shared<detail::ThreadedResolver>(*this)),
      resolver_(ownResolver_),
      network_(std::make_unique<detail::Network>(*this)),
      home_(detail::threadMark()),
      timers_(driver_->now() / nanosecondsPerMillisecond),
      events_(*this) {
    detail::ThreadReactor::enter(*this);
}

Reactor::~Reactor() {
    if (looping_ > 0 || firing_ > 0) {
        std::fputs("ropewalk: a Reactor was destroyed from within its own run\n", stderr);
        std::abort();
    }
    closed_ = true;
    leave();
    interrupted_.reset();
    terminated_.reset();
    blocked_->refuse("the reactor is gone");
    Link fromThreads;
    fromThreads.alone();
    std::vector<defer::Deferred<void>> unfired = threads_->close(fromThreads);
    detach(); // threads may wait for what goes here
    pool_.reset();
    while (!fromThreads.isAlone()) {
        auto& call = *static_cast<Call*>(fromThreads.next);
        call.unlink();
        call.orphan();
    }
    events_.clear();
    detach();
    timers_.startBatch(TimerQueue::last);
    while (Call* call = timers_.take()) {
        call->orphan();
    }
    ownResolver_->close();
    resolver_ = ownResolver_;
    network_->orphan();
    unfired.clear();
    defer::detail::destroyLivingCoroutines();
    network_->orphan(); // what their destructors have opened
    detach();
    detail::ThreadReactor::leave(*this);
}

detail::Attachment* Reactor::attachment(const std::type_info& type) const noexcept {
    for (const auto& [itsType, attachment] : attachments_) {
        if (*itsType == type) {
            return attachment.get();
        }
    }
    return nullptr;
}

// What goes may ask for what is gone already, which is made anew then.
void Reactor::detach() noexcept {
    while (!attachments_.empty()) {
        const auto last = std::move(attachments_.back());
        attachments_.pop_back();
    }
}

#if ROPEWALK_CHECKS
void Reactor::checkThread() const {
    if (home_ != detail::threadMark()) {
        throw AssertionError("a reactor was used in a thread that isn't its own");
    }
}
#endif

std::int64_t Reactor::readClock() const {
    now_ = driver_->now();
    timeKnown_ = looping_ > 0 && !waiting_;
    return now_;
}

std::int64_t Reactor::momentAfter(Seconds delay) const {
    const std::int64_t now = nanoseconds();
    const double wanted = delay.count() * 1e9;
    if (wanted < 0.5 * nanosecondsPerMillisecond) {
        const std::int64_t thisMoment = now / nanosecondsPerMillisecond;
        return wanted >= 0 ? thisMoment : momentPlus(thisMoment, wanted / nanosecondsPerMillisecond);
    }
    if (wanted < manyNanoseconds) [[likely]] {
        return roundedUp(now + static_cast<std::int64_t>(wanted + 0.5));
    }
    return momentPlus(roundedUp(now), delay.count() * 1e3);
}

void Reactor::add(Call& call, Seconds delay) {
    checkThread();
    if (!(delay.count() >= 0)) [[unlikely]] {
        throw AssertionError(std::to_string(delay.count()) + " is not greater than or equal to 0 seconds");
    }
    const std::int64_t moment = momentAfter(delay);
    call.retain();
    if (closed_) [[unlikely]] {
        call.orphan();
        return;
    }
    call.owner = this;
    timers_.add(call, moment);
}

void Reactor::schedule(Call& call, Seconds delay) {
    add(call, delay);
}

void Reactor::unschedule(Call& call) {
    checkThread();
    timers_.remove(call);
}

void Reactor::reschedule(Call& call, Seconds delay) {
    checkThread();
    refuseNaN(delay);
    timers_.move(call, momentAfter(delay));
}

void Reactor::postpone(Call& call, Seconds longer) {
    checkThread();
    refuseNaN(longer);
    const double wanted = longer.count() * 1e9;
    if (std::abs(wanted) >= manyNanoseconds || call.moment >= TimerQueue::last / 2) {
        timers_.move(call, momentPlus(call.moment, longer.count() * 1e3));
    } else {
        timers_.move(call, std::max<std::int64_t>(call.moment + roundedUp(std::llround(wanted)), 0));
    }
}

std::vector<DelayedCall> Reactor::getDelayedCalls() const {
    checkThread();
    std::vector<DelayedCall> calls;
    calls.reserve(timers_.size());
    timers_.forEach([&calls](Call& call) {
        call.retain();
        calls.emplace_back(&call);
    });
    std::ranges::sort(calls, {}, [](const DelayedCall& handle) {
        return std::pair(handle.call()->moment, handle.call()->sequence);
    });
    return calls;
}

void Reactor::fromThread(Call& call) {
    if (!threads_->push(call)) {
        call.orphan();
    }
}

void Reactor::runCall(Call& call, const char* what) noexcept {
    beginEvent();
    try {
        call.run();
    } catch (...) {
        log::err(Failure(call.where), {}, {{"during", what}});
    }
    call.release();
}

void Reactor::runFromThreads() {
    if (!threads_->pending()) {
        return;
    }
    Link calls;
    calls.alone();
    threads_->takeAll(calls);
    while (!calls.isAlone()) {
        auto& call = *static_cast<Call*>(calls.next);
        call.unlink();
        runCall(call, "a call from a thread");
    }
}

void Reactor::runTimed() {
    if (timers_.size() == 0) {
        return;
    }
    timers_.startBatch(driver_->now() / nanosecondsPerMillisecond);
    while (Call* call = timers_.take()) {
        runCall(*call, "a timed call");
    }
}

void Reactor::turn() {
    runFromThreads();
    runTimed();
    if (network_->hasUnsettled()) {
        network_->settle();
    }
    if (std::exchange(justStopped_, false)) {
        fireSystemEvent("shutdown");
    }
    beginEvent();
}

std::int64_t Reactor::deadline() {
    if (threads_->pending() || network_->hasUnsettled() || justStopped_) {
        return 0;
    }
    const std::int64_t moment = timers_.next();
    if (moment <= timers_.now()) {
        return 0;
    }
    return moment > Driver::forever / nanosecondsPerMillisecond ? Driver::forever
                                                                : moment * nanosecondsPerMillisecond;
}

void Reactor::poll(std::int64_t until) {
    struct Polling {
        explicit Polling(Reactor& theReactor) noexcept : reactor(theReactor) {
            reactor.polling_ = reactor.waiting_ = true;
        }
        Polling(const Polling&) = delete;
        Polling& operator=(const Polling&) = delete;
        ~Polling() { reactor.polling_ = reactor.waiting_ = false; }
        Reactor& reactor;
    } const mark(*this);
    beginEvent();
    driver_->poll(until);
    beginEvent();
}

} // namespace ropewalk
