#include <ropewalk/reactor/reconnecting_client_factory.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>

#include <ropewalk/defer/log.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/driver.hpp>
#include <ropewalk/reactor/reactor.hpp>

namespace ropewalk {

void ReconnectingClientFactory::beginsToConnect(Connector& connector) noexcept {
    connector_ = connector.weak_from_this();
}

void ReconnectingClientFactory::clientConnectionFailed(Connector& connector, const Failure&) {
    mayRetry(connector);
}

void ReconnectingClientFactory::clientConnectionLost(Connector& connector, const Failure&) {
    mayRetry(connector);
}

void ReconnectingClientFactory::mayRetry(Connector& connector) {
    if (continueTrying) {
        connector_ = connector.weak_from_this();
        retry();
    }
}

void ReconnectingClientFactory::retry(Connector* connector) {
    if (!continueTrying) {
        return;
    }
    const auto again = connector != nullptr ? connector->shared_from_this() : connector_.lock();
    if (again == nullptr) {
        throw ValueError("no connector to retry");
    }
    ++retries;
    if (maxRetries && retries > *maxRetries) {
        if (noisy) {
            log::info("Abandoning " + str(again->getDestination()) + " after " + std::to_string(retries) +
                      " retries.");
        }
        return;
    }
    delay = std::min(delay * factor, maxDelay);
    if (jitter != 0) {
        delay = Seconds(std::max(normalvariate(delay.count(), delay.count() * jitter), 0.0));
    }
    if (noisy) {
        log::info(str(again->getDestination()) + " will retry in " +
                  std::to_string(std::lround(delay.count())) + " seconds");
    }
    ReactorTime& time = clock != nullptr ? *clock : reactor();
    pending_ = time.callLater(delay, [again] { again->connect(); });
}

void ReconnectingClientFactory::stopTrying() {
    if (pending_.active()) {
        pending_.cancel();
    }
    continueTrying = false;
    const auto connector = connector_.lock();
    if (connector != nullptr && connector->state() == Connector::State::connecting) {
        connector->stopConnecting();
    }
}

void ReconnectingClientFactory::resetDelay() {
    delay = initialDelay;
    retries = 0;
    continueTrying = true;
}

double ReconnectingClientFactory::normalvariate(double mean, double deviation) {
    std::uint32_t chance[2];
    reactor().driver().random(chance, sizeof chance);
    const double a = (chance[0] + 1.0) / 4294967296.0; // never 0
    const double b = chance[1] / 4294967296.0;
    return mean + deviation * std::sqrt(-2 * std::log(a)) * std::cos(2 * std::numbers::pi * b);
}

} // namespace ropewalk
