#include <ropewalk/reactor/name_resolver.hpp>

#include <memory>
#include <string>
#include <utility>

#include <netdb.h>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/reactor_access.hpp>
#include <ropewalk/reactor/threaded_resolver.hpp>

namespace ropewalk {

using Addresses = std::vector<Address>;

namespace {

class LookupCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "getaddrinfo"; }
    std::string message(int number) const override { return gai_strerror(number); }
    std::error_condition default_error_condition(int number) const noexcept override {
        switch (number) {
            case EAI_AGAIN:
                return std::errc::resource_unavailable_try_again;
            case EAI_MEMORY:
                return std::errc::not_enough_memory;
            default:
                return {number, *this};
        }
    }
};

DNSLookupError notFound(std::string_view name, std::error_code error) {
    return DNSLookupError(error, "address '" + std::string(name) + "' not found: " + error.message());
}

} // namespace

const std::error_category& lookupCategory() noexcept {
    static const auto& category = *new LookupCategory;
    return category;
}

namespace detail {

/// Kept by its resolver while it lasts, and by the Deferred's canceller.
class ThreadedResolver::Lookup final : public LookupListener,
                                       public Link,
                                       public std::enable_shared_from_this<Lookup> {
public:
    explicit Lookup(std::string_view name) : Link{nullptr, nullptr}, name_(name) { alone(); }

    defer::Deferred<Addresses> start(Reactor& reactor, Link& lookups, Seconds timeout) {
        defer::Deferred<Addresses> d([weak = weak_from_this()] {
            if (const auto self = weak.lock()) {
                self->end();
            }
        });
        reactor_ = &reactor;
        watch_ = reactor.driver().resolve(name_, *this);
        if (timeout > Seconds(0)) {
            timeout_ = reactor.callLater(timeout, [this] {
                const auto self = shared_from_this();
                const auto result = end();
                result.errback(TimeoutError({}, "address '" + name_ + "' wasn't found in time"));
            });
        }
        deferred_ = d;
        lookups.insert(*this);
        self_ = shared_from_this();
        return d;
    }

    /// Gives it up. What the caller makes of the Deferred is his business. It may be gone when that is.
    defer::Deferred<Addresses> end() noexcept {
        const auto self = std::move(self_);
        unlink();
        alone();
        watch_.reset();
        timeout_.cancel();
        return std::exchange(deferred_, nullptr);
    }

    void lookedUp(Addresses addresses, std::error_code error) noexcept override {
        const auto self = shared_from_this();
        const EventScope event(*reactor_);
        const auto result = end();
        try {
            if (error || addresses.empty()) {
                result.errback(
                    notFound(name_, error ? error : std::error_code(EAI_NONAME, lookupCategory())));
            } else {
                result.callback(std::move(addresses));
            }
        } catch (...) { // somebody else has fired it
            log::err(Failure(), {}, {{"during", "a name look-up"}});
        }
    }

private:
    std::string name_;
    Reactor* reactor_ = nullptr;
    std::unique_ptr<Watch> watch_;
    ScopedCall timeout_;
    defer::Deferred<Addresses> deferred_ = nullptr;
    std::shared_ptr<Lookup> self_;
};

defer::Deferred<Addresses> ThreadedResolver::resolveHostName(std::string_view name, Seconds timeout) {
    if (name.empty()) {
        return defer::succeed(Addresses{IPv4Address{"TCP", "0.0.0.0", 0}});
    }
    if (Address address = parseIPAddress(name, 0)) {
        return defer::succeed(Addresses{std::move(address)});
    }
    if (reactor_ == nullptr) {
        return defer::fail(notFound(name, std::make_error_code(std::errc::operation_canceled)));
    }
    try {
        return std::make_shared<Lookup>(name)->start(*reactor_, lookups_, timeout);
    } catch (const IOError& error) {
        return defer::fail(notFound(name, error.code()));
    }
}

void ThreadedResolver::close() noexcept {
    reactor_ = nullptr;
    while (!lookups_.isAlone()) {
        static_cast<Lookup&>(*lookups_.next).end();
    }
}

} // namespace detail
} // namespace ropewalk
