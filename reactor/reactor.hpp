#pragma once

#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include <ropewalk/defer/config.hpp>
#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/driver.hpp>
#include <ropewalk/reactor/errors.hpp>
#include <ropewalk/reactor/firer.hpp>
#include <ropewalk/reactor/name_resolver.hpp>
#include <ropewalk/reactor/reactor_time.hpp>
#include <ropewalk/reactor/system_events.hpp>
#include <ropewalk/reactor/tcp_options.hpp>
#include <ropewalk/reactor/thread_pool.hpp>
#include <ropewalk/reactor/timer_queue.hpp>

namespace ropewalk {

class ClientFactory;
class Connector;
class Factory;
class Port;
class Protocol;
class Reactor;
class Transport;

namespace detail {
struct Network;
struct ReactorAccess;
class BlockedThreads;
class ThreadedResolver;

/// Something that belongs to a reactor, of a type that it doesn't know.
struct Attachment {
    Attachment() = default;
    Attachment(const Attachment&) = delete;
    Attachment& operator=(const Attachment&) = delete;
    virtual ~Attachment() = default;
};
template <class T>
struct AttachmentOf final : Attachment {
    explicit AttachmentOf(Reactor& reactor) : value(reactor) {}
    T value;
};
} // namespace detail

/// The loop that waits for events and calls what they are for (`twisted.internet.reactor`). It belongs to the
/// thread that made it, one to a thread; only `callFromThread`, and a `firer` once made, are for all threads.
///
/// A turn: calls from other threads, then timed calls that are due, then, after a `stop`, the shutdown; then
/// it waits for events. An exception that escapes any of them is logged, and the loop goes on.
///
/// When it is destroyed, calls and triggers that it still holds are destroyed uncalled, and with them the
/// thread's suspended coroutines. Handles on any of them may live on, and do nothing. Destroying it from
/// within its own `run` ends the program.
class Reactor final : public ReactorTime, private detail::SystemEventWatcher, private SignalListener {
public:
    using Where = std::source_location;

    /// On libuv. Throws `ReactorAlreadyInstalledError` when the thread has a reactor.
    Reactor();
    /// On a driver of one's own.
    explicit Reactor(std::unique_ptr<Driver> driver);
    ~Reactor();

    // Life: IReactorCore.

    /// Runs until `stop` or `crash`; may be called again afterwards. SIGINT and SIGTERM stop it cleanly, a
    /// second one at once, if it is the reactor that was made first of those there are. Throws
    /// `ReactorAlreadyRunning` inside itself.
    void run(Where where = Where::current());
    /// The same, but says whether signals stop it; throws `UnsupportedError` if they can't. A SIGINT that the
    /// program handles or ignores is left alone.
    void run(bool installSignalHandlers, Where where = Where::current());
    /// Ends the run when the timed calls that are due now have been called: the triggers for "shutdown" are
    /// called, and when they are done `run` returns. Throws `ReactorNotRunning` when it doesn't run, or was
    /// stopped before.
    void stop();
    /// Ends the run after the current turn, without the shutdown.
    void crash();
    /// One turn, and then what events there are, waiting for the first of them (or for a timed call to become
    /// due) for `delay` at most. For loops of one's own; not for use inside a callback of an event.
    void iterate(Seconds delay = Seconds(0));
    /// Whether it runs: from the middle phase of "startup" on, to that of "shutdown".
    bool running() const noexcept { return running_; }

    // Triggers. Phases are "before", "during" and "after"; the reactor's own events are "startup" and
    // "shutdown", others are named as one likes. The triggers of a phase are called in the order in which
    // they were added, each once.

    /// Calls the function once the reactor runs: at once if it does, else at its start, after what was given
    /// before. Exceptions: those of a call at once come out here. What it returns names the trigger, and is
    /// empty after a call at once.
    template <class F>
    SystemEventId callWhenRunning(F&& function, Where where = Where::current()) {
        return whenRunning(detail::makeCall(where, std::forward<F>(function)));
    }
    template <class F, class A>
    SystemEventId callWhenRunning(F&& function, A&& a, Where where = Where::current()) {
        return whenRunning(detail::makeCall(where, std::forward<F>(function), std::forward<A>(a)));
    }
    template <class F, class A, class B>
    SystemEventId callWhenRunning(F&& function, A&& a, B&& b, Where where = Where::current()) {
        return whenRunning(
            detail::makeCall(where, std::forward<F>(function), std::forward<A>(a), std::forward<B>(b)));
    }
    template <class F, class A, class B, class C>
    SystemEventId callWhenRunning(F&& function, A&& a, B&& b, C&& c, Where where = Where::current()) {
        return whenRunning(detail::makeCall(where, std::forward<F>(function), std::forward<A>(a),
                                            std::forward<B>(b), std::forward<C>(c)));
    }
    template <class F, class A, class B, class C, class D>
    SystemEventId callWhenRunning(F&& function, A&& a, B&& b, C&& c, D&& d, Where where = Where::current()) {
        return whenRunning(detail::makeCall(where, std::forward<F>(function), std::forward<A>(a),
                                            std::forward<B>(b), std::forward<C>(c), std::forward<D>(d)));
    }

    /// Calls the function in that phase of the event. When one of the phase "before" returns a Deferred, the
    /// other phases wait until it has fired. Throws `KeyError` for any other phase, `AssertionError` for an
    /// empty function.
    template <class F, class... Args>
    SystemEventId addSystemEventTrigger(Phase phase, std::string_view type, F&& function, Args&&... args) {
        return addTrigger(
            phase.name, type,
            detail::makeTrigger(phase.where, std::forward<F>(function), std::forward<Args>(args)...));
    }
    /// Throws `ValueError` when the trigger was called or removed already or is another reactor's,
    /// `TypeError` for an empty id.
    void removeSystemEventTrigger(const SystemEventId& id);
    /// Takes an event through its phases. One that has no triggers is nothing.
    void fireSystemEvent(std::string_view type);

    // Time: IReactorTime.

    /// The time now, in seconds of the driver's monotonic clock. It is read at most once in each call from
    /// the loop.
    Seconds seconds() const override { return Seconds(static_cast<double>(nanoseconds()) / 1e9); }
    /// Reads the clock; `seconds` gives that time from now on.
    Seconds readTime() const override { return Seconds(static_cast<double>(readClock()) / 1e9); }

    /// As `ReactorTime::callLater`. Throws `AssertionError` for a negative delay. Delays count in
    /// milliseconds: a call is never early and less than one late, but one with less than half a millisecond
    /// is made in the next turn. Those due at the same millisecond are made in the order in which they were
    /// asked for.
    template <class F, class... Args>
    DelayedCall callLater(Delay delay, F&& function, Args&&... args) {
        DelayedCall handle(
            detail::makeCall(delay.where, std::forward<F>(function), std::forward<Args>(args)...));
        add(*handle.call(), delay.time);
        return handle;
    }
    std::vector<DelayedCall> getDelayedCalls() const override;

    // Threads: IReactorFromThreads.

    /// Any thread: calls the function in the reactor's thread, at its next turn. Calls from one thread keep
    /// their order. Nothing may call it when the reactor is being destroyed; a `firer` may be used even then.
    template <class F>
    void callFromThread(F&& function, Where where = Where::current()) {
        fromThread(*detail::makeCall(where, std::forward<F>(function)));
    }
    template <class F, class A>
    void callFromThread(F&& function, A&& a, Where where = Where::current()) {
        fromThread(*detail::makeCall(where, std::forward<F>(function), std::forward<A>(a)));
    }
    template <class F, class A, class B>
    void callFromThread(F&& function, A&& a, B&& b, Where where = Where::current()) {
        fromThread(
            *detail::makeCall(where, std::forward<F>(function), std::forward<A>(a), std::forward<B>(b)));
    }
    template <class F, class A, class B, class C>
    void callFromThread(F&& function, A&& a, B&& b, C&& c, Where where = Where::current()) {
        fromThread(*detail::makeCall(where, std::forward<F>(function), std::forward<A>(a), std::forward<B>(b),
                                     std::forward<C>(c)));
    }
    template <class F, class A, class B, class C, class D>
    void callFromThread(F&& function, A&& a, B&& b, C&& c, D&& d, Where where = Where::current()) {
        fromThread(*detail::makeCall(where, std::forward<F>(function), std::forward<A>(a), std::forward<B>(b),
                                     std::forward<C>(c), std::forward<D>(d)));
    }

    /// An object with which any thread may fire `deferred`.
    template <class T>
    Firer<T> firer(defer::Deferred<T> deferred, Where where = Where::current()) {
        if (!deferred) {
            defer::detail::throwEmpty("firer", where);
        }
        checkThread();
        return Firer<T>(threads_, std::move(deferred), where);
    }

    // Threads: IReactorInThreads, IReactorThreads. `threads.hpp` has `deferToThread` and its like.

    /// Calls the function with copies of the arguments in a thread of the pool, where `reactor()` gives this
    /// reactor. Before the reactor runs, it waits until it does. What the function throws is logged.
    template <class F>
    void callInThread(F&& function, Where where = Where::current()) {
        inThread(ThreadPool::makeWork(where, std::forward<F>(function)));
    }
    template <class F, class A>
    void callInThread(F&& function, A&& a, Where where = Where::current()) {
        inThread(ThreadPool::makeWork(where, std::forward<F>(function), std::forward<A>(a)));
    }
    template <class F, class A, class B>
    void callInThread(F&& function, A&& a, B&& b, Where where = Where::current()) {
        inThread(
            ThreadPool::makeWork(where, std::forward<F>(function), std::forward<A>(a), std::forward<B>(b)));
    }
    template <class F, class A, class B, class C>
    void callInThread(F&& function, A&& a, B&& b, C&& c, Where where = Where::current()) {
        inThread(ThreadPool::makeWork(where, std::forward<F>(function), std::forward<A>(a),
                                      std::forward<B>(b), std::forward<C>(c)));
    }
    template <class F, class A, class B, class C, class D>
    void callInThread(F&& function, A&& a, B&& b, C&& c, D&& d, Where where = Where::current()) {
        inThread(ThreadPool::makeWork(where, std::forward<F>(function), std::forward<A>(a),
                                      std::forward<B>(b), std::forward<C>(c), std::forward<D>(d)));
    }
    /// The pool of this reactor: no thread at first, ten at most. It is started when the reactor runs, and at
    /// "shutdown", in its middle phase, what it was given is waited for; another `run` starts it again.
    ThreadPool& getThreadPool();
    /// How many threads the pool may have. Throws `ValueError` if that is negative.
    void suggestThreadPoolSize(int size);

    // Names: IReactorCore, IReactorPluggableNameResolver.

    /// The address of a host, an IPv4 one if there is any. An IP address is its own, that of no name 0.0.0.0.
    /// Fails with `DNSLookupError` or `ropewalk::TimeoutError`; a timeout of 0 never ends. It may be cancelled.
    defer::Deferred<std::string> resolve(std::string_view name, Seconds timeout = Seconds(60));
    /// What names are looked up with from now on; returns what it was before. Throws `ValueError` for null.
    std::shared_ptr<NameResolver> installNameResolver(std::shared_ptr<NameResolver> resolver);
    NameResolver& nameResolver();

    // TCP: IReactorTCP, IReactorSocket. Ports, connectors and connections that are still there at "shutdown"
    // are closed, by `ConnectionLost`.

    /// Listens on a port, 0 for any free one, and lets `factory` make a protocol for each connection that comes
    /// in. Throws `CannotListenError`.
    std::shared_ptr<Port> listenTCP(int port, std::shared_ptr<Factory> factory, ListenOptions options = {},
                                    Where where = Where::current());
    /// Connects to a host, an IP address or a name, and lets `factory` make the protocol. Of a name's
    /// addresses the IPv4 ones are tried first, one after another until there is a connection. What goes wrong
    /// is told to the factory. Throws `ValueError` for a port that there can't be.
    std::shared_ptr<Connector> connectTCP(std::string_view host, int port,
                                          std::shared_ptr<ClientFactory> factory, ConnectOptions options = {},
                                          Where where = Where::current());
    /// The same for a socket that listens already, of the given family (AF_INET, AF_INET6). It stays the
    /// caller's: the port has a descriptor of its own. Throws `UnsupportedAddressFamily`,
    /// `UnsupportedSocketType`, `IOError`.
    std::shared_ptr<Port> adoptStreamPort(int descriptor, int family, std::shared_ptr<Factory> factory,
                                          Where where = Where::current());
    /// The same for a socket that is connected already; `factory` makes its protocol at once. Null when it
    /// makes none: the connection is closed, the caller's descriptor isn't.
    std::shared_ptr<Transport> adoptStreamConnection(int descriptor, int family,
                                                     std::shared_ptr<Factory> factory,
                                                     Where where = Where::current());

    /// What is below: owned by the reactor.
    Driver& driver() noexcept { return *driver_; }
    /// For what is above: the one T of this reactor, made as `T(reactor)` when it is first asked for. It goes with the
    /// reactor, before the timed calls.
    template <class T>
    T& attached() {
        checkThread();
        if (detail::Attachment* found = attachment(typeid(T))) {
            return static_cast<detail::AttachmentOf<T>*>(found)->value;
        }
        auto made = std::make_unique<detail::AttachmentOf<T>>(*this);
        T& value = made->value;
        attachments_.emplace_back(&typeid(T), std::move(made));
        return value;
    }

private:
    friend struct detail::ReactorAccess;
    enum class Signals : std::uint8_t { none, ifPossible, wanted };

    // A call from the loop begins: the time that was read for the last one is over.
    void beginEvent() noexcept { timeKnown_ = false; }
    std::int64_t nanoseconds() const { return timeKnown_ ? now_ : readClock(); }
    std::int64_t readClock() const;

    detail::Attachment* attachment(const std::type_info& type) const noexcept;
    void detach() noexcept;

    void add(detail::Call& call, Seconds delay);
    std::int64_t momentAfter(Seconds delay) const;
    void schedule(detail::Call& call, Seconds delay) override;
    void unschedule(detail::Call& call) override;
    void reschedule(detail::Call& call, Seconds delay) override;
    void postpone(detail::Call& call, Seconds longer) override;

    void runWith(Signals signals, Where where);
    void turn();
    void runFromThreads();
    void runTimed();
    std::int64_t deadline();
    void poll(std::int64_t until);
    void runCall(detail::Call& call, const char* what) noexcept;

    SystemEventId whenRunning(detail::Call* call);
    SystemEventId addTrigger(std::string_view phase, std::string_view type, detail::Call* trigger);
    void fromThread(detail::Call& call);
    void inThread(detail::Call* call);
    void armPool();
    void beforeTrigger() noexcept override { beginEvent(); }
    void duringSystemEvent(std::string_view type) override;
    void signalReceived(int number) noexcept override;
    void watchSignals();

#if ROPEWALK_CHECKS
    void checkThread() const;
#else
    void checkThread() const noexcept {}
#endif

    std::unique_ptr<Driver> driver_;
    std::shared_ptr<detail::ThreadQueue> threads_;
    std::shared_ptr<detail::BlockedThreads> blocked_;
    std::shared_ptr<detail::ThreadedResolver> ownResolver_;
    std::shared_ptr<NameResolver> resolver_;
    std::unique_ptr<ThreadPool> pool_;
    std::unique_ptr<detail::Network> network_;
    std::vector<std::pair<const std::type_info*, std::unique_ptr<detail::Attachment>>> attachments_;
    mutable std::int64_t now_ = 0;
    mutable bool timeKnown_ = false;
    Signals installing_ = Signals::none;
    bool started_ = false;
    bool running_ = false;
    bool stopped_ = true;
    bool justStopped_ = false;
    bool polling_ = false;
    bool waiting_ = false; // within poll, and outside what events call
    bool closed_ = false;
    bool poolArmed_ = false; // triggers will start and stop it
    int looping_ = 0;        // how many of run and iterate are on the stack
    int firing_ = 0;
    const void* home_; // which thread
    detail::TimerQueue timers_;
    detail::SystemEvents events_;
    std::unique_ptr<Watch> interrupted_;
    std::unique_ptr<Watch> terminated_;
};

/// The reactor of the calling thread: the one that was made in it. In the first thread that asks while there
/// is none anywhere, one is made, and kept until the program ends. Any other thread gets `NoReactorError`.
Reactor& reactor();

} // namespace ropewalk
