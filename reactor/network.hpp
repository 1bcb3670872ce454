#pragma once

#include <memory>
#include <optional>
#include <source_location>
#include <typeinfo>
#include <utility>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/reactor/call.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/reactor/reactor_access.hpp>
#include <ropewalk/reactor/write_queue.hpp>

/// What a reactor has open to the outside.
namespace ropewalk::detail {

struct Network;

/// Something that its reactor keeps while it is open: a connection, a port, a connector that connects.
class Kept : private Link {
public:
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;

    /// The reactor shuts down: closes it, by `ConnectionLost`.
    virtual void shutDown() noexcept = 0;
    /// The reactor is being destroyed: closes it, and nobody is told.
    virtual void orphan() noexcept = 0;

protected:
    explicit Kept(Network& network) noexcept;
    ~Kept() { unlink(); }

    /// Keeps `self`, which owns this, from now on.
    void keep(std::shared_ptr<void> self) noexcept { self_ = std::move(self); }
    /// No more; gives back what was kept.
    [[nodiscard]] std::shared_ptr<void> letGo() noexcept { return std::exchange(self_, nullptr); }

    Network* network_; // null when the reactor is gone

private:
    friend struct Network;

    std::shared_ptr<void> self_;
};

/// A connection that has something to send, or to be told, before the loop waits again.
class Unsettled : private Link {
public:
    Unsettled(const Unsettled&) = delete;
    Unsettled& operator=(const Unsettled&) = delete;

    virtual void settle() noexcept = 0;

protected:
    Unsettled() noexcept { alone(); }
    ~Unsettled() { unlink(); }

    bool isSettled() const noexcept { return isAlone(); }
    void markUnsettled(Network& network) noexcept;
    void markSettled() noexcept {
        unlink();
        alone();
    }

private:
    friend struct Network;
};

struct Network {
    explicit Network(Reactor& theReactor) noexcept : reactor(theReactor) {
        all.alone();
        unsettled.alone();
    }
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    Driver& driver() noexcept { return reactor.driver(); }

    /// Settles what is unsettled now; there may be more afterwards.
    void settle() noexcept;
    bool hasUnsettled() const noexcept { return !unsettled.isAlone(); }
    /// At the reactor's shutdown.
    void shutDown() noexcept;
    /// At the reactor's end.
    void orphan() noexcept;

    /// The usual end of connections that were made at `where`.
    Failure connectionDone(std::source_location where);

    Reactor& reactor;
    WriteBlocks blocks;
    Link all; // Kept, whether they are kept just now or not
    Link unsettled;
    /// A protocol's class that is known not to go on when one direction is closed.
    const std::type_info* notHalfCloseable = nullptr;

private:
    std::optional<Failure> done_; // the last that was asked for
    std::source_location doneWhere_;
};

inline Kept::Kept(Network& network) noexcept : network_(&network) {
    network.all.insert(*this);
}

inline void Unsettled::markUnsettled(Network& network) noexcept {
    if (isAlone()) {
        network.unsettled.insert(*this);
    }
}

} // namespace ropewalk::detail
