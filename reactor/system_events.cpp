#include <ropewalk/reactor/system_events.hpp>

#include <cstdint>
#include <map>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/log.hpp>

namespace ropewalk::detail {

namespace {

struct Event {
    Event() noexcept {
        for (Link* phase : {&before, &during, &after}) {
            phase->alone();
        }
    }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    Link* phase(std::string_view name) noexcept {
        return name == "before" ? &before : name == "during" ? &during : name == "after" ? &after : nullptr;
    }

    Link before;
    Link during;
    Link after;
};

thread_local Firing* firingNow = nullptr;

/// Makes a firing the current one for a while.
class CurrentFiring {
public:
    explicit CurrentFiring(Firing* firing) noexcept : outer_(std::exchange(firingNow, firing)) {}
    CurrentFiring(const CurrentFiring&) = delete;
    CurrentFiring& operator=(const CurrentFiring&) = delete;
    ~CurrentFiring() { firingNow = outer_; }

private:
    Firing* outer_;
};

} // namespace

struct SystemEvents::State {
    explicit State(SystemEventWatcher& theWatcher) noexcept : watcher(theWatcher) {}

    SystemEventWatcher& watcher;
    std::map<std::string, Event, std::less<>> events;
    // Of firings whose first phase isn't over: a list through Firing::next.
    Firing* firings = nullptr;
};

/// An event on its way. It lives while something holds it in its first phase.
struct Firing {
    std::uint32_t holds;
    SystemEvents::State* state; // null when the events are gone
    const std::string* type;
    Firing* next;
    Firing** link;

    static void call(SystemEvents::State& state, Link& phase);
    void leave() noexcept;
    void goOn();
};

namespace {

void runTrigger(Call& call) noexcept {
    try {
        call.run();
    } catch (...) {
        log::err(Failure(call.where), {}, {{"during", "a trigger of a system event"}});
    }
    call.release();
}

void discard(Link& phase) noexcept {
    while (!phase.isAlone()) {
        auto& call = *static_cast<Call*>(phase.next);
        call.unlink();
        call.orphan();
    }
}

} // namespace

void Firing::call(SystemEvents::State& state, Link& phase) {
    while (!phase.isAlone()) {
        auto& trigger = *static_cast<Call*>(phase.next);
        trigger.unlink();
        state.watcher.beforeTrigger();
        runTrigger(trigger);
    }
}

void Firing::leave() noexcept {
    state = nullptr;
    *link = next;
    if (next != nullptr) {
        next->link = link;
    }
}

void Firing::goOn() {
    if (state == nullptr) {
        return;
    }
    SystemEvents::State& events = *state;
    leave();
    Event& event = events.events.find(*type)->second;
    const CurrentFiring current(nullptr);
    events.watcher.duringSystemEvent(*type);
    call(events, event.during);
    call(events, event.after);
}

PhaseHold::PhaseHold(Firing& firing) noexcept : firing_(&firing) {
    ++firing.holds;
}

PhaseHold::~PhaseHold() {
    try {
        letGo();
    } catch (...) {
        logTriggerFailure(Failure());
    }
}

void PhaseHold::letGo() {
    Firing* firing = std::exchange(firing_, nullptr);
    if (firing != nullptr && --firing->holds == 0) {
        const std::unique_ptr<Firing> done(firing);
        firing->goOn();
    }
}

SystemEvents::SystemEvents(SystemEventWatcher& watcher) : state_(std::make_unique<State>(watcher)) {}

SystemEvents::~SystemEvents() {
    clear();
}

void SystemEvents::clear() noexcept {
    while (state_->firings != nullptr) {
        state_->firings->leave();
    }
    for (auto& [type, event] : state_->events) {
        discard(event.before);
        discard(event.during);
        discard(event.after);
    }
}

void SystemEvents::forget(std::string_view type) noexcept {
    for (Firing* firing = state_->firings; firing != nullptr;) {
        Firing& each = *firing;
        firing = firing->next;
        if (*each.type == type) {
            each.leave();
        }
    }
}

SystemEventId SystemEvents::add(std::string_view phase, std::string_view type, Call* trigger) {
    DelayedCall handle(trigger);
    if (Event().phase(phase) == nullptr) {
        throw KeyError("invalid phase: '" + std::string(phase) + "'");
    }
    auto at = state_->events.find(type);
    if (at == state_->events.end()) {
        at = state_->events.try_emplace(std::string(type)).first;
    }
    trigger->retain();
    at->second.phase(phase)->insert(*trigger);
    return {std::move(handle), this};
}

void SystemEvents::remove(const SystemEventId& id) {
    if (!id) {
        throw TypeError("an empty trigger id");
    }
    Call& call = *id.call_.call();
    if (id.events_ != this) {
        throw ValueError("this trigger isn't one of this reactor's");
    }
    if (call.state != Call::State::pending) {
        throw ValueError("this trigger was called or removed already");
    }
    call.unlink();
    call.state = Call::State::cancelled;
    call.drop();
    call.release();
}

void SystemEvents::fire(std::string_view type) {
    const auto at = state_->events.find(type);
    if (at == state_->events.end()) {
        state_->watcher.duringSystemEvent(type);
        return;
    }
    auto* firing = new Firing{0, state_.get(), &at->first, state_->firings, &state_->firings};
    if (firing->next != nullptr) {
        firing->next->link = &firing->next;
    }
    state_->firings = firing;
    PhaseHold hold(*firing);
    {
        const CurrentFiring current(firing);
        Firing::call(*state_, at->second.before);
    }
    hold.letGo();
}

Firing* SystemEvents::current() noexcept {
    return firingNow;
}

void logTriggerFailure(const Failure& failure) noexcept {
    log::err(failure, {}, {{"during", "a trigger of a system event"}});
}

} // namespace ropewalk::detail
