#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace ropewalk {

/// What is being watched for, until this is destroyed. It belongs to its driver's thread, and goes before the
/// driver does.
class Watch {
public:
    Watch() = default;
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    virtual ~Watch() = default;
};

/// Is told of signals, from within `poll`.
class SignalListener {
public:
    virtual void signalReceived(int number) noexcept = 0;

protected:
    SignalListener() = default;
    SignalListener(const SignalListener&) = default;
    SignalListener& operator=(const SignalListener&) = default;
    ~SignalListener() = default;
};

/// The world outside, as a `Reactor` needs it: time, waiting, signals, chance; sockets, processes and threads
/// to come. Nothing above it calls the system. `UvDriver` is the real one; a test or a simulation brings its
/// own.
///
/// A driver is used by one thread, but for `wake`. All moments are nanoseconds of its own monotonic clock,
/// which starts at zero or later. What a driver can't do throws `UnsupportedError`; the functions that have a
/// body here do that.
class Driver {
public:
    /// A moment that never comes.
    static constexpr std::int64_t forever = INT64_MAX;

    Driver() = default;
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;
    virtual ~Driver() = default;

    /// The time now. It never goes back.
    virtual std::int64_t now() = 0;
    /// The time that a clock on the wall shows: nanoseconds since 1970, UTC. It may be set, and so jump.
    virtual std::int64_t wallTime() = 0;
    /// Waits until something happens, and tells whoever waits for it; returns at the moment `until` at the
    /// latest, and without waiting if that has passed. It may also return early, with nothing done. Not
    /// reentrant.
    virtual void poll(std::int64_t until) = 0;
    /// Makes `poll` return, now or the next time that it is called. Any thread may call this.
    virtual void wake() noexcept = 0;

    /// Whether to leave a signal alone that the program already handles or ignores.
    enum class Takeover : bool { ifUnhandled, always };
    /// Tells `listener` of each signal of that number. Null when `takeover` says that it is to be left alone.
    /// What the program did with the signal before is restored when the watch goes.
    virtual std::unique_ptr<Watch> watchSignal(int number, SignalListener& listener, Takeover takeover);
    /// Fills `size` bytes with chance.
    virtual void random(void* bytes, std::size_t size);
};

} // namespace ropewalk
