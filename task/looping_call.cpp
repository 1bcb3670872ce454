#include <ropewalk/task/looping_call.hpp>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cmath>
#include <ostream>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/names.hpp>
#include <ropewalk/reactor/reactor.hpp>

namespace ropewalk::task {
namespace detail {

using ropewalk::detail::Call;

/// The timed call: the same one for every turn, unless somebody else has a handle on it.
struct Looping::Tick final : Call {
    explicit Tick(Looping& theLooping)
        : Call(&operate, theLooping.where_, false, false), looping(&theLooping) {}

    static void operate(Verb verb, Call& call) {
        if (verb == Verb::run) {
            auto& self = static_cast<Tick&>(call);
            self.looping->tick(self);
        }
    }

    bool mineAlone() const noexcept { return references == 1 + running; }

    Looping* looping;
    std::uint32_t running = 0; // how many of its runs are on the stack; each has a reference
};

namespace {

// A reactor makes a call that is due in less than half a millisecond at its next turn, which may be too early.
constexpr Seconds neverEarly{0.0005};
// What a moment of a reactor's may be wrong by, as a double.
constexpr Seconds reactorSlack{1e-6};

double pythonModulo(double a, double b) {
    const double rest = std::fmod(a, b);
    return rest < 0 ? rest + b : rest;
}

void requireInterval(Seconds interval) {
    if (!(interval.count() >= 0)) {
        throw ValueError("the interval of a LoopingCall must be >= 0");
    }
}

std::string numberText(double number) {
    char digits[64];
    return std::string(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void logLeftOver(const Failure& failure) {
    log::err(failure, {}, {{"during", "a looping call that nobody waits for any more"}});
}

} // namespace

Looping::Turn::~Turn() {
    if (looping_ != nullptr) {
        looping_->turnAbandoned(start_);
        looping_->release();
    }
}

void Looping::Turn::done() {
    Looping* looping = std::exchange(looping_, nullptr);
    looping->turnDone(start_);
    looping->release();
}

void Looping::Turn::failed(const Failure& failure) {
    Looping* looping = std::exchange(looping_, nullptr);
    looping->turnFailed(start_, failure);
    looping->release();
}

void Looping::Turn::waitFor(defer::detail::Chain& chain) {
    using defer::detail::Chain;
    const Where where = looping_->where_;
    defer::detail::addTap(
        chain,
        [turn = std::move(*this)](Chain& passing, const defer::detail::Entry& entry,
                                  defer::detail::Loop&) mutable {
            if (passing.kind != Chain::Kind::failure) {
                passing.setNone("a LoopingCall", entry.where);
                turn.done();
            } else if (turn.looping_->wants(turn.start_)) {
                const Failure failure = passing.failure;
                passing.setNone("a LoopingCall", entry.where);
                turn.failed(failure);
            }
        },
        where);
}

Looping::~Looping() = default;

void Looping::leave() noexcept {
    owner_ = nullptr;
    running_ = false;
    unschedule();
    const defer::Deferred<LoopingCall*> deferred = std::exchange(deferred_, nullptr);
    const std::vector<Stopped> stopped = std::exchange(stopped_, {});
    release();
}

defer::Deferred<LoopingCall*> Looping::start(LoopingCall& owner, Seconds interval, bool now, Where where) {
    if (running_) {
        throw AssertionError("Tried to start an already running LoopingCall.");
    }
    requireInterval(interval);
    ReactorTime& clock = owner.clock != nullptr ? *owner.clock : reactor();
    const Seconds startTime = clock.seconds();
    defer::Deferred<LoopingCall*> deferred(where);
    if (deferred_) {
        stopped_.push_back({start_, std::exchange(deferred_, nullptr)});
    }
    owner_ = &owner;
    clock_ = &clock;
    onReactor_ = dynamic_cast<Reactor*>(&clock) != nullptr;
    deferred_ = deferred;
    interval_ = interval;
    startTime_ = startTime;
    runAtStart_ = now;
    lastCounted_.reset();
    running_ = true;
    ++start_;
    const defer::detail::Activation here(where);
    if (now) {
        begin();
        return deferred;
    }
    try {
        schedule(startTime);
    } catch (...) {
        running_ = false;
        deferred_ = nullptr;
        throw;
    }
    return deferred;
}

void Looping::stop(Where where) {
    if (!running_) {
        throw AssertionError("Tried to stop a LoopingCall that was not running.");
    }
    running_ = false;
    if (scheduled_) {
        unschedule();
        std::exchange(deferred_, nullptr).callback(owner_, where);
    }
}

void Looping::reset() {
    if (!running_) {
        throw AssertionError("Tried to reset a LoopingCall that was not running.");
    }
    if (ReactorTime* clock = clock_.get(); clock != nullptr && scheduled_) {
        unschedule();
        startTime_ = clock->seconds();
        schedule(startTime_);
    }
}

void Looping::setInterval(Seconds interval) {
    requireInterval(interval);
    interval_ = interval;
}

// Calling.

void Looping::tick(Tick& tick) {
    struct Run {
        Run(Looping& theLooping, Tick& theTick) : looping(theLooping), tick(theTick) {
            looping.retain();
            ++tick.running;
        }
        Run(const Run&) = delete;
        Run& operator=(const Run&) = delete;
        ~Run() {
            --tick.running;
            looping.release();
        }
        Looping& looping;
        Tick& tick;
    } const run(*this, tick);
    scheduled_ = false;
    begin();
}

void Looping::begin() {
    Turn turn(*this, start_);
    const ReactorTime* clock = clock_.get();
    const int count = counted_ && clock != nullptr ? slotsSinceLast(clock->seconds()) : 1;
    if (count == 0) {
        turn.done();
    } else {
        call(std::move(turn), count);
    }
}

/// By how much less than a multiple of the interval counts as one. A Clock's times are what they are, a reactor's aren't.
Seconds Looping::slack() const {
    return onReactor_ ? std::min(reactorSlack, interval_ / 1000) : Seconds(0);
}

// In which interval since the start it lies. Truncated as Python's `int` does: towards zero.
double Looping::slotOf(Seconds time) const {
    return std::trunc((time - startTime_ + slack()) / interval_);
}

int Looping::slotsSinceLast(Seconds now) {
    if (interval_.count() == 0) {
        lastCounted_ = now;
        return 1;
    }
    const double last = lastCounted_ ? slotOf(*lastCounted_) : runAtStart_ ? -1 : 0;
    const double slots = slotOf(now) - last;
    if (!(slots > 0)) {
        return 0;
    }
    lastCounted_ = now;
    return slots < INT_MAX ? static_cast<int>(slots) : INT_MAX;
}

// The time from `when` to the next multiple of the interval. If that is so short that it vanishes beside `when`, that
// multiple is taken for the present one.
Seconds Looping::untilNext(Seconds when) const {
    if (interval_.count() == 0) {
        return Seconds(0);
    }
    const Seconds into(pythonModulo((when - startTime_).count(), interval_.count()));
    const Seconds rest = interval_ - into;
    if (when + rest == when) {
        return interval_;
    }
    if (onReactor_) {
        return std::max(rest < slack() ? rest + interval_ : rest, neverEarly);
    }
    return rest;
}

void Looping::schedule(Seconds when) {
    if (!tick_ || !static_cast<Tick*>(tick_.call())->mineAlone()) {
        tick_ = DelayedCall(new Tick(*this));
    }
    clock_.schedule(*tick_.call(), untilNext(when));
    scheduled_ = true;
}

void Looping::unschedule() noexcept {
    scheduled_ = false;
    if (tick_.active()) {
        tick_.cancel();
    }
}

// How a call ended.

bool Looping::wants(std::uint64_t start) const noexcept {
    return owner_ != nullptr &&
           (start == start_ ? bool(deferred_)
                            : std::ranges::find(stopped_, start, &Stopped::start) != stopped_.end());
}

/// The Deferred of that start, if it still waits; it is then over.
defer::Deferred<LoopingCall*> Looping::finish(std::uint64_t start) {
    if (start == start_) {
        running_ = false;
        return std::exchange(deferred_, nullptr);
    }
    const auto found = std::ranges::find(stopped_, start, &Stopped::start);
    if (found == stopped_.end()) {
        return nullptr;
    }
    defer::Deferred<LoopingCall*> deferred = std::move(found->deferred);
    stopped_.erase(found);
    return deferred;
}

void Looping::turnDone(std::uint64_t start) {
    if (owner_ == nullptr) {
        return;
    }
    if (start == start_ && running_) {
        try {
            const ReactorTime* clock = clock_.get();
            if (clock != nullptr) {
                schedule(clock->seconds());
            } else {
                scheduled_ = true; // for ever
            }
        } catch (...) {
            turnFailed(start, Failure(where_));
        }
        return;
    }
    if (const auto deferred = finish(start)) {
        try {
            deferred.callback(owner_, where_);
        } catch (...) {
            logLeftOver(Failure(where_));
        }
    }
}

void Looping::turnFailed(std::uint64_t start, const Failure& failure) {
    const auto deferred = owner_ != nullptr ? finish(start) : nullptr;
    if (deferred && !deferred.called()) {
        deferred.errback(failure, where_);
    } else {
        logLeftOver(failure);
    }
}

void Looping::turnAbandoned(std::uint64_t start) noexcept {
    if (owner_ != nullptr) {
        finish(start);
    }
}

std::string Looping::str() const {
    std::string text = "LoopingCall<" + (start_ != 0 ? numberText(interval_.count()) : "None") +
                       ">(made at " + placeName(where_);
    if (arguments_ != 0) {
        text += ", " + std::to_string(arguments_) + (arguments_ == 1 ? " argument" : " arguments");
    }
    return text + ')';
}

} // namespace detail

std::ostream& operator<<(std::ostream& out, const LoopingCall& loop) {
    return out << loop.str();
}

} // namespace ropewalk::task
