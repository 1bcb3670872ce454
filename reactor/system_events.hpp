#pragma once

#include <concepts>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/delayed_call.hpp>

namespace ropewalk {

namespace detail {
class SystemEvents;
}

/// The name of a phase, and who gives it: any string converts to it where `addSystemEventTrigger` is called.
struct Phase {
    template <std::convertible_to<std::string_view> S>
    Phase(const S& phase, std::source_location caller = std::source_location::current()) noexcept
        : name(phase), where(caller) {}

    std::string_view name;
    std::source_location where;
};

/// Names a trigger: what `addSystemEventTrigger` returns. May be copied, and may outlive its reactor. An
/// empty one says that there was nothing to add.
class SystemEventId {
public:
    SystemEventId() noexcept = default;
    explicit operator bool() const noexcept { return static_cast<bool>(call_); }
    friend bool operator==(const SystemEventId& a, const SystemEventId& b) noexcept = default;

private:
    friend class detail::SystemEvents;
    SystemEventId(DelayedCall call, const detail::SystemEvents* events) noexcept
        : call_(std::move(call)), events_(events) {}

    DelayedCall call_;
    const detail::SystemEvents* events_ = nullptr;
};

namespace detail {

/// Is told when a trigger is about to be called, and when an event reaches its middle phase, before the
/// triggers of that.
class SystemEventWatcher {
public:
    virtual void beforeTrigger() noexcept = 0;
    virtual void duringSystemEvent(std::string_view type) = 0;

protected:
    SystemEventWatcher() = default;
    SystemEventWatcher(const SystemEventWatcher&) = default;
    SystemEventWatcher& operator=(const SystemEventWatcher&) = default;
    ~SystemEventWatcher() = default;
};

struct Firing;

/// Keeps an event from going on to its middle phase while it exists.
class PhaseHold {
public:
    explicit PhaseHold(Firing& firing) noexcept;
    PhaseHold(PhaseHold&& other) noexcept : firing_(std::exchange(other.firing_, nullptr)) {}
    PhaseHold& operator=(PhaseHold&&) = delete;
    /// As `letGo`, but logs what goes wrong: the Deferred that was waited for is gone, unfired.
    ~PhaseHold();

    void letGo();

private:
    Firing* firing_;
};

/// The events that a reactor goes through, each in three phases, and the triggers for them. A trigger is
/// called once.
class SystemEvents {
public:
    explicit SystemEvents(SystemEventWatcher& watcher);
    SystemEvents(const SystemEvents&) = delete;
    SystemEvents& operator=(const SystemEvents&) = delete;
    ~SystemEvents();

    /// Takes over the reference that `trigger` comes with, also when it throws.
    SystemEventId add(std::string_view phase, std::string_view type, Call* trigger);
    void remove(const SystemEventId& id);
    void fire(std::string_view type);
    /// Those of its firings that are still delayed go no further.
    void forget(std::string_view type) noexcept;
    /// Destroys all triggers, and forgets all firings.
    void clear() noexcept;

    /// The firing whose first phase is being run just now, or null.
    static Firing* current() noexcept;

private:
    friend class PhaseHold;
    friend struct Firing;
    struct State;

    std::unique_ptr<State> state_;
};

/// What a trigger of the first phase returned that failed.
void logTriggerFailure(const Failure& failure) noexcept;

/// A trigger for `SystemEvents::add`: a call which sees to it that an event waits for the Deferred that its
/// function returns.
template <class F, class... Args>
Call* makeTrigger(std::source_location where, F&& function, Args&&... args) {
    auto trigger = bindCall(where, std::forward<F>(function), std::forward<Args>(args)...);
    if constexpr (defer::detail::IsDeferred<decltype(trigger())>) {
        return makeCall(where, [kept = std::move(trigger), where]() mutable {
            auto returned = kept();
            if (Firing* firing = SystemEvents::current(); firing != nullptr && returned) {
                returned.addErrback([](const Failure& failure) { logTriggerFailure(failure); }, where)
                    .addBoth([hold = PhaseHold(*firing)]() mutable { hold.letGo(); }, where);
            }
            return returned;
        });
    } else {
        return makeCall(where, std::move(trigger));
    }
}

} // namespace detail
} // namespace ropewalk
