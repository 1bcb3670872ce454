#pragma once

#include <optional>

#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/delayed_call.hpp>
#include <ropewalk/reactor/protocol.hpp>
#include <ropewalk/reactor/reactor_time.hpp>

namespace ropewalk::protocols {

/// For a protocol that closes its connection when nothing happens (`twisted.protocols.policies.TimeoutMixin`):
///
///     struct Quiet : LineReceiver, TimeoutMixin {
///         explicit Quiet(ReactorTime& clock) : TimeoutMixin(*this, clock) {}
///         void connectionMade() override { setTimeout(60s); }
///         void lineReceived(std::string_view line) override { resetTimeout(); … }
///         void connectionLost(const Failure&) override { setTimeout(std::nullopt); }
///     };
///
/// `resetTimeout` reads the clock and nothing else. What is destroyed doesn't time out.
class TimeoutMixin {
public:
    /// `clock` outlives it.
    TimeoutMixin(Protocol& protocol, ReactorTime& clock) noexcept : protocol_(protocol), clock_(clock) {}
    TimeoutMixin(const TimeoutMixin&) = delete;
    TimeoutMixin& operator=(const TimeoutMixin&) = delete;
    virtual ~TimeoutMixin() = default;

    /// The time begins anew, and is that long now; none means no time-out. Gives what was set before. Throws
    /// `AssertionError` for a negative time.
    std::optional<Seconds> setTimeout(std::optional<Seconds> period);
    /// The time begins anew. Nothing happens if none is set, or if it is over.
    void resetTimeout();

    /// The time is over: it closes the connection.
    virtual void timeoutConnection();

    /// What is set.
    std::optional<Seconds> timeOut() const noexcept { return timeOut_; }

private:
    void callAt(Seconds deadline);
    void expired();

    Protocol& protocol_;
    ReactorTime& clock_;
    std::optional<Seconds> timeOut_;
    Seconds deadline_{0};
    ScopedCall call_; // due at the deadline, or before it and then put off
};

} // namespace ropewalk::protocols
