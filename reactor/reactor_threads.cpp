#include <ropewalk/reactor/reactor.hpp>

#include <string>

#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/reactor/blocked_threads.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/thread_pool.hpp>
#include <ropewalk/reactor/threaded_resolver.hpp>

/// What a reactor has threads for: its pool, and the names that are looked up.
namespace ropewalk {

using detail::Call;

namespace {

constexpr int mostThreads = 10;
constexpr Seconds idleTime{10};

/// The best of a host's addresses for somebody who wants one only.
std::string oneOf(const std::vector<Address>& addresses) {
    if (addresses.empty()) {
        throw DNSLookupError();
    }
    for (const Address& address : addresses) {
        if (address.as<IPv4Address>() != nullptr) {
            return address.host();
        }
    }
    return addresses.front().host();
}

} // namespace

ThreadPool& Reactor::getThreadPool() {
    checkThread();
    if (pool_ == nullptr) {
        pool_ = std::make_unique<ThreadPool>(*this, 0, mostThreads, "reactor", idleTime);
    }
    armPool();
    return *pool_;
}

void Reactor::armPool() {
    if (poolArmed_ || closed_) {
        return;
    }
    poolArmed_ = true;
    addSystemEventTrigger("during", "shutdown", [this] {
        poolArmed_ = false;
        pool_->stop();
    });
    callWhenRunning([this] { pool_->start(); });
}

void Reactor::suggestThreadPoolSize(int size) {
    if (size < 0) {
        throw ValueError("a thread pool can't have " + std::to_string(size) + " threads");
    }
    getThreadPool().adjustPoolsize({}, size);
}

void Reactor::inThread(Call* call) {
    if (closed_) {
        call->orphan();
        return;
    }
    getThreadPool().add(call);
}

std::shared_ptr<NameResolver> Reactor::installNameResolver(std::shared_ptr<NameResolver> resolver) {
    checkThread();
    if (resolver == nullptr) {
        throw ValueError("no resolver");
    }
    return std::exchange(resolver_, std::move(resolver));
}

NameResolver& Reactor::nameResolver() {
    checkThread();
    return *resolver_;
}

defer::Deferred<std::string> Reactor::resolve(std::string_view name, Seconds timeout) {
    checkThread();
    return resolver_->resolveHostName(name, timeout).addCallback(oneOf);
}

} // namespace ropewalk
