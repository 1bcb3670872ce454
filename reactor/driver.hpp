#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

#include <ropewalk/reactor/address.hpp>
#include <ropewalk/reactor/stream.hpp>

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

/// Is told what a name look-up has found, from within `poll`: IP addresses with port 0, or why there are none.
class LookupListener {
public:
    virtual void lookedUp(std::vector<Address> addresses, std::error_code error) noexcept = 0;

protected:
    LookupListener() = default;
    LookupListener(const LookupListener&) = default;
    LookupListener& operator=(const LookupListener&) = default;
    ~LookupListener() = default;
};

/// What a worker does, in a thread of its own.
class Work {
public:
    Work() = default;
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;
    virtual ~Work() = default;
    virtual void run() noexcept = 0;
};

/// A worker that was started. Any thread but its own may wait for its end; destroyed before that, it runs on
/// by itself.
class Worker {
public:
    Worker() = default;
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    virtual ~Worker() = default;
    virtual void join() noexcept = 0;
};

/// The world outside, as a `Reactor` needs it: time, waiting, signals, chance, connections, names, threads.
/// Nothing above it calls the system. `UvDriver` is the real one; a test or a simulation brings its own.
///
/// A driver is used by one thread, but for `wake` and `startWorker`. All moments are nanoseconds of its own
/// monotonic clock, which starts at zero or later. What a driver can't do throws `UnsupportedError`; the
/// functions that have a body here do that.
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
    /// Listens on an IP address; on port 0, on any free one. Throws `IOError`.
    virtual std::unique_ptr<ListeningSocket> listen(const Address& address, int backlog, bool reusePort,
                                                    AcceptListener& listener);
    /// The same for a stream socket that somebody else made, bound and set to listen. It makes a descriptor of
    /// its own. Throws `UnsupportedAddressFamily`, `UnsupportedSocketType` or `IOError`.
    virtual std::unique_ptr<ListeningSocket> adoptListener(int descriptor, int family,
                                                           AcceptListener& listener);
    /// Connects to an IP address, from another if that isn't none; the listener is told how it went. Throws
    /// `ConnectBindError`, or another `ConnectError` when there is no use in trying.
    virtual StreamHandle connect(const Address& address, const Address& from, StreamListener& listener);
    /// The same for a socket that somebody else connected; it makes a descriptor of its own. The listener is
    /// set before anything else is done with it. Throws as `adoptListener`.
    virtual StreamHandle adoptStream(int descriptor, int family, Address& peer);
    /// Looks up the addresses of a host, in no particular order. Destroying the watch gives it up, and keeps
    /// nobody waiting.
    virtual std::unique_ptr<Watch> resolve(std::string_view host, LookupListener& listener);
    /// Runs `work` in a thread of its own, named so for debuggers, and destroys it there. Any thread may call
    /// this. Throws `IOError` when there can be no more threads.
    virtual std::unique_ptr<Worker> startWorker(const char* name, std::unique_ptr<Work> work);

    /// Fills `size` bytes with chance.
    virtual void random(void* bytes, std::size_t size);
};

} // namespace ropewalk
