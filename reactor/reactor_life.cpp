#include <ropewalk/reactor/reactor.hpp>

#include <algorithm>
#include <csignal>
#include <string>

#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/trail.hpp>
#include <ropewalk/reactor/blocked_threads.hpp>
#include <ropewalk/reactor/network.hpp>
#include <ropewalk/reactor/thread_reactor.hpp>

/// How a reactor starts, runs and stops, and the events that it goes through meanwhile.
namespace ropewalk {

using detail::Call;

void Reactor::run(Where where) {
    const defer::detail::Activation caller(where);
    runWith(detail::ThreadReactor::madeFirst(*this) ? Signals::ifPossible : Signals::none, Where::current());
}

void Reactor::run(bool installSignalHandlers, Where where) {
    const defer::detail::Activation caller(where);
    runWith(installSignalHandlers ? Signals::wanted : Signals::none, Where::current());
}

void Reactor::runWith(Signals signals, Where where) {
    checkThread();
    if (looping_ > 0) {
        throw ReactorAlreadyRunning();
    }
    struct Life {
        explicit Life(Reactor& theReactor) noexcept : reactor(theReactor) {
            reactor.started_ = true;
            reactor.stopped_ = false;
            reactor.justStopped_ = false;
            ++reactor.looping_;
        }
        Life(const Life&) = delete;
        Life& operator=(const Life&) = delete;
        ~Life() {
            reactor.blocked_->refuse("the reactor has stopped");
            reactor.events_.forget("startup");
            reactor.events_.forget("shutdown");
            reactor.interrupted_.reset();
            reactor.terminated_.reset();
            reactor.started_ = false;
            reactor.running_ = false;
            reactor.stopped_ = true;
            reactor.beginEvent();
            --reactor.looping_;
        }
        Reactor& reactor;
    } const life(*this);
    const defer::detail::Activation here(where);
    installing_ = signals;
    blocked_->allow();
    if (pool_ != nullptr) {
        armPool();
    }
    fireSystemEvent("startup");
    while (started_) {
        turn();
        if (started_) {
            poll(deadline());
        }
    }
    log::info("Main loop terminated.");
}

void Reactor::stop() {
    checkThread();
    if (stopped_) {
        throw ReactorNotRunning();
    }
    stopped_ = true;
    justStopped_ = true;
}

void Reactor::crash() {
    checkThread();
    started_ = false;
    running_ = false;
    if (waiting_) {
        driver_->wake(); // what isn't the reactor's own called this, and poll may yet wait
    }
}

void Reactor::iterate(Seconds delay) {
    checkThread();
    if (polling_) {
        throw RuntimeError("iterate can't be called by what an event calls");
    }
    if (looping_ == 0) {
        blocked_->allow();
    }
    struct Turn {
        explicit Turn(int& count) noexcept : looping(count) { ++looping; }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        ~Turn() { --looping; }
        int& looping;
    } const mark(looping_);
    turn();
    const std::int64_t next = deadline();
    constexpr double longest = 9e9; // what an int64 holds of nanoseconds
    if (!(delay.count() > 0)) {
        poll(0);
    } else if (delay.count() >= longest) {
        poll(next);
    } else {
        const auto wait = static_cast<std::int64_t>(delay.count() * 1e9);
        const std::int64_t now = nanoseconds();
        poll(wait < Driver::forever - now ? std::min(next, now + wait) : next);
    }
}

SystemEventId Reactor::addTrigger(std::string_view phase, std::string_view type, Call* trigger) {
    const DelayedCall owned(trigger);
    checkThread();
    trigger->retain();
    if (closed_) {
        trigger->orphan();
        return {};
    }
    return events_.add(phase, type, trigger);
}

SystemEventId Reactor::whenRunning(Call* call) {
    if (!running_) {
        return addTrigger("after", "startup", call);
    }
    const DelayedCall owned(call);
    checkThread();
    call->run();
    return {};
}

void Reactor::removeSystemEventTrigger(const SystemEventId& id) {
    checkThread();
    events_.remove(id);
}

void Reactor::fireSystemEvent(std::string_view type) {
    checkThread();
    struct Fire {
        explicit Fire(int& count) noexcept : firing(count) { ++firing; }
        Fire(const Fire&) = delete;
        Fire& operator=(const Fire&) = delete;
        ~Fire() { --firing; }
        int& firing;
    } const mark(firing_);
    events_.fire(type);
}

void Reactor::duringSystemEvent(std::string_view type) {
    if (type == "startup") {
        running_ = true;
        if (installing_ != Signals::none) {
            watchSignals();
        }
    } else if (type == "shutdown") {
        crash();
        blocked_->refuse("the reactor has stopped");
        network_->shutDown();
    }
}

void Reactor::watchSignals() {
    try {
        interrupted_ = driver_->watchSignal(SIGINT, *this, Driver::Takeover::ifUnhandled);
        terminated_ = driver_->watchSignal(SIGTERM, *this, Driver::Takeover::always);
    } catch (const UnsupportedError&) {
        if (installing_ == Signals::wanted) {
            throw;
        }
    }
}

void Reactor::signalReceived(int number) noexcept {
    beginEvent();
    const std::string name = number == SIGINT    ? "SIGINT"
                             : number == SIGTERM ? "SIGTERM"
                                                 : std::to_string(number);
    if (stopped_) {
        log::info("Received " + name + " again, stopping at once.");
        crash();
    } else {
        log::info("Received " + name + ", shutting down.");
        stop();
    }
}

} // namespace ropewalk
