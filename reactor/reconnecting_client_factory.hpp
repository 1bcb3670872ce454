#pragma once

#include <memory>
#include <optional>

#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/delayed_call.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/reactor_time.hpp>

namespace ropewalk {

/// Connects again, after a delay that grows with every failure, whenever a connection is lost or none came
/// about (`protocol.ReconnectingClientFactory`). Call `resetDelay` when a connection has proved good. Derive
/// one's factory from `FactoryOf<P, ReconnectingClientFactory>`.
class ReconnectingClientFactory : public ClientFactory {
public:
    void clientConnectionFailed(Connector& connector, const Failure& reason) override;
    void clientConnectionLost(Connector& connector, const Failure& reason) override;

    /// Connects again after the next delay; by the connector that failed last, if none is given. Nothing
    /// happens after `stopTrying`, or when `maxRetries` have been made. Throws `ValueError` when there is no
    /// connector.
    void retry(Connector* connector = nullptr);
    /// Connects no more, and gives up what is under way.
    void stopTrying();
    /// Begins anew with the shortest delay, and tries again if it was stopped.
    void resetDelay();

    Seconds maxDelay{3600};
    Seconds initialDelay{1};
    /// By how much each delay is longer than the one before.
    double factor = 2.7182818284590451;
    /// How far, as a part of it, a delay strays: the standard deviation. 0 for none.
    double jitter = 0.119626565582;
    /// How often it may fail in a row; no value: for ever.
    std::optional<int> maxRetries;

    Seconds delay = initialDelay;
    int retries = 0;
    bool continueTrying = true;
    /// Null for the thread's reactor.
    ReactorTime* clock = nullptr;

protected:
    /// A number by chance, of the normal distribution with the given mean and deviation.
    virtual double normalvariate(double mean, double deviation);

private:
    void beginsToConnect(Connector& connector) noexcept final;
    void mayRetry(Connector& connector);

    std::weak_ptr<Connector> connector_;
    DelayedCall pending_;
};

} // namespace ropewalk
