// labels: threads
#include <ropewalk/reactor/name_resolver.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <netdb.h>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/reactor/connection_errors.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/reactor/uv_driver.hpp>

using namespace std::chrono_literals;
using ropewalk::Address;
using ropewalk::DNSLookupError;
using ropewalk::Failure;
using ropewalk::IPv4Address;
using ropewalk::IPv6Address;
using ropewalk::Reactor;
using ropewalk::UvDriver;
using ropewalk::defer::Deferred;
using ropewalk::defer::failureResultOf;
using ropewalk::defer::successResultOf;

namespace {

/// Names for tests. "stuck…" is looked up until it is let go, or the world ends.
struct Names {
    std::error_code operator()(const std::string& host, std::vector<Address>& found) {
        ++asked;
        if (host.starts_with("stuck")) {
            stuck.count_down();
            go.wait();
            over.count_down();
            found.emplace_back(IPv4Address{"TCP", "192.0.2.99", 0});
            return {};
        }
        if (host == "two.test") {
            found.emplace_back(IPv6Address{"TCP", "2001:db8::1", 0});
            found.emplace_back(IPv4Address{"TCP", "192.0.2.1", 0});
            return {};
        }
        if (host == "six.test") {
            found.emplace_back(IPv6Address{"TCP", "2001:db8::6", 0});
            return {};
        }
        if (host == "empty.test") {
            return {};
        }
        if (host == "throws.test") {
            throw std::bad_alloc();
        }
        return {EAI_NONAME, ropewalk::lookupCategory()};
    }

    explicit Names(int count = 1) : stuck(count), over(count) {}
    std::atomic<int> asked = 0;
    std::latch stuck;
    std::latch go{1};
    std::latch over;
};

std::unique_ptr<UvDriver> driverWith(const std::shared_ptr<Names>& names) {
    return std::make_unique<UvDriver>(
        [names](const std::string& host, std::vector<Address>& found) { return (*names)(host, found); });
}

/// Turns the reactor until the Deferred has fired.
template <class T>
void await(Reactor& reactor, const Deferred<T>& d) {
    while (!d.called()) {
        reactor.iterate(5ms);
    }
}

std::optional<Failure> failureOf(const Deferred<std::string>& d) {
    std::optional<Failure> found;
    d.addErrback([&](const Failure& failure) {
        found.emplace(failure);
        return std::string();
    });
    return found;
}

} // namespace

TEST_CASE("an IP address passes through, and no name is 0.0.0.0, without a look-up") {
    const auto names = std::make_shared<Names>();
    Reactor reactor(driverWith(names));
    CHECK(successResultOf(reactor.resolve("192.0.2.7")) == "192.0.2.7");
    CHECK(successResultOf(reactor.resolve("2001:db8::7")) == "2001:db8::7");
    CHECK(successResultOf(reactor.resolve("")) == "0.0.0.0");
    CHECK(successResultOf(reactor.nameResolver().resolveHostName("192.0.2.7", 1s)) ==
          std::vector<Address>{IPv4Address{"TCP", "192.0.2.7", 0}});
    CHECK(names->asked == 0);
}

TEST_CASE("a name gives all its addresses, and resolve an IPv4 one of them") {
    const auto names = std::make_shared<Names>();
    Reactor reactor(driverWith(names));
    auto all = reactor.nameResolver().resolveHostName("two.test", 60s);
    auto one = reactor.resolve("two.test");
    auto six = reactor.resolve("six.test");
    CHECK_FALSE(all.called());
    await(reactor, all);
    await(reactor, one);
    await(reactor, six);
    CHECK(successResultOf(all) ==
          std::vector<Address>{IPv6Address{"TCP", "2001:db8::1", 0}, IPv4Address{"TCP", "192.0.2.1", 0}});
    CHECK(successResultOf(one) == "192.0.2.1");
    CHECK(successResultOf(six) == "2001:db8::6");
    CHECK(reactor.getDelayedCalls().empty());
}

TEST_CASE("a name that isn't found fails with DNSLookupError and the system's code") {
    const auto names = std::make_shared<Names>();
    Reactor reactor(driverWith(names));
    const std::map<std::string, int> wanted{
        {"none.test", EAI_NONAME}, {"empty.test", EAI_NONAME}, {"throws.test", EAI_MEMORY}};
    for (const auto& [name, code] : wanted) {
        auto d = reactor.resolve(name);
        await(reactor, d);
        const std::optional<Failure> failure = failureOf(d);
        REQUIRE(failure);
        const auto& error = failure->trap<DNSLookupError>();
        CHECK(error.code() == std::error_code(code, ropewalk::lookupCategory()));
        CHECK(std::string(error.what()).find("address '" + name + "' not found: ") != std::string::npos);
    }
    CHECK(ropewalk::lookupCategory().message(EAI_NONAME) == gai_strerror(EAI_NONAME));
    CHECK(std::error_code(EAI_AGAIN, ropewalk::lookupCategory()) ==
          std::errc::resource_unavailable_try_again);
}

TEST_CASE("a look-up that takes too long fails, and its thread is nobody's business") {
    const auto names = std::make_shared<Names>();
    std::optional<Reactor> reactor(std::in_place, driverWith(names));
    auto slow = reactor->resolve("stuck.test", 1ms);
    names->stuck.wait();
    await(*reactor, slow);
    const std::optional<Failure> failure = failureOf(slow);
    REQUIRE(failure);
    CHECK(failure->check<ropewalk::TimeoutError>() != nullptr);
    auto other = reactor->resolve("two.test");
    await(*reactor, other);
    CHECK(successResultOf(other) == "192.0.2.1");
    reactor.reset();
    names->go.count_down();
    names->over.wait();
}

TEST_CASE("a look-up without a time-out takes the time that it takes") {
    const auto names = std::make_shared<Names>();
    Reactor reactor(driverWith(names));
    const Deferred<std::string> found = reactor.resolve("stuck.test", 0s);
    names->stuck.wait();
    for (int i = 0; i < 5; ++i) {
        reactor.iterate();
    }
    CHECK_FALSE(found.called());
    names->go.count_down();
    await(reactor, found);
    CHECK(successResultOf(found) == "192.0.2.99");
}

TEST_CASE("a cancelled look-up holds up nobody") {
    const auto names = std::make_shared<Names>();
    Reactor reactor(driverWith(names));
    auto stuck = reactor.resolve("stuck.test");
    names->stuck.wait();
    stuck.cancel();
    const std::optional<Failure> failure = failureOf(stuck);
    REQUIRE(failure);
    CHECK(failure->check<ropewalk::defer::CancelledError>() != nullptr);
    CHECK(reactor.getDelayedCalls().empty());
    auto other = reactor.resolve("two.test");
    await(reactor, other);
    CHECK(successResultOf(other) == "192.0.2.1");
    names->go.count_down();
    names->over.wait();
    reactor.iterate();
}

TEST_CASE("sixteen names are looked up at a time; the next one waits, and can be given up") {
    const auto names = std::make_shared<Names>(16);
    Reactor reactor(driverWith(names));
    std::vector<Deferred<std::string>> stuck;
    for (int i = 0; i < 16; ++i) {
        stuck.push_back(reactor.resolve("stuck" + std::to_string(i)));
    }
    names->stuck.wait();
    auto waits = reactor.resolve("two.test");
    auto cancelled = reactor.resolve("six.test");
    auto late = reactor.resolve("none.test", 1ms);
    cancelled.cancel();
    CHECK(failureOf(cancelled)->check<ropewalk::defer::CancelledError>() != nullptr);
    await(reactor, late);
    CHECK(failureOf(late)->check<ropewalk::TimeoutError>() != nullptr);
    CHECK_FALSE(waits.called());
    CHECK(names->asked == 16);
    CHECK(successResultOf(reactor.resolve("192.0.2.7")) == "192.0.2.7");
    names->go.count_down();
    await(reactor, waits);
    CHECK(successResultOf(waits) == "192.0.2.1");
    for (const Deferred<std::string>& each : stuck) {
        await(reactor, each);
        CHECK(successResultOf(each) == "192.0.2.99");
    }
    CHECK(names->asked == 17);
}

TEST_CASE("look-ups and the pool's work don't wait for each other") {
    const auto names = std::make_shared<Names>();
    Reactor reactor(driverWith(names));
    reactor.suggestThreadPoolSize(1);
    std::latch go(1);
    reactor.callInThread([&] { go.wait(); });
    std::string found;
    reactor.callWhenRunning([&] {
        reactor.resolve("two.test").addCallback([&](std::string address) {
            found = std::move(address);
            go.count_down();
            reactor.stop();
        });
    });
    reactor.run();
    CHECK(found == "192.0.2.1");
}

TEST_CASE("a Deferred that nobody keeps, and a callback that cancels others") {
    const auto names = std::make_shared<Names>();
    Reactor reactor(driverWith(names));
    int seen = 0;
    reactor.resolve("two.test");
    auto stuck = reactor.resolve("stuck");
    names->stuck.wait();
    auto d = reactor.resolve("two.test");
    d.addCallback([&](const std::string&) {
        ++seen;
        stuck.cancel();
        stuck.addErrback([&] {
            ++seen;
            return std::string();
        });
    });
    await(reactor, d);
    CHECK(seen == 2);
    names->go.count_down();
    names->over.wait();
}

TEST_CASE("a Deferred that somebody else has fired: the log tells, and other look-ups go on") {
    const auto names = std::make_shared<Names>();
    Reactor reactor(driverWith(names));
    auto mine = reactor.resolve("stuck");
    mine.addErrback([] { return std::string(); });
    mine.errback(ropewalk::ValueError("first"));
    names->go.count_down();
    std::size_t logged = 0;
    while (logged == 0) {
        reactor.iterate(5ms);
        logged = ropewalk::defer::flushLoggedErrors<ropewalk::defer::AlreadyCalledError>().size();
    }
    CHECK(logged == 1);
    auto other = reactor.resolve("two.test");
    await(reactor, other);
    CHECK(successResultOf(other) == "192.0.2.1");
}

TEST_CASE("a name that is found while others are told of theirs waits its turn") {
    const auto names = std::make_shared<Names>(15);
    Reactor reactor(driverWith(names));
    std::vector<Deferred<std::string>> stuck;
    for (int i = 0; i < 15; ++i) {
        stuck.push_back(reactor.resolve("stuck" + std::to_string(i)));
    }
    names->stuck.wait(); // one thread is left
    std::string order;
    Deferred<std::string> second;
    auto first = reactor.resolve("two.test").addCallback([&](const std::string& found) {
        reactor.callLater(0s, [&] { order += "timed "; });
        second = reactor.resolve("two.test").addCallback([&](const std::string& again) {
            order += "found";
            return again;
        });
        reactor.resolve("six.test");
        while (names->asked < 18) {
            std::this_thread::yield();
        }
        return found;
    });
    await(reactor, first);
    await(reactor, second);
    CHECK(order == "timed found");
    names->go.count_down();
    for (const Deferred<std::string>& each : stuck) {
        await(reactor, each);
    }
}

TEST_CASE("a reactor that goes doesn't wait for names, and drops what waits for them") {
    const auto names = std::make_shared<Names>(2);
    auto held = std::make_shared<int>(1);
    std::shared_ptr<ropewalk::NameResolver> resolver;
    Deferred<std::string> kept;
    {
        Reactor reactor(driverWith(names));
        kept = reactor.resolve("stuck0");
        reactor.resolve("stuck1").addBoth([held] { FAIL("fired"); });
        names->stuck.wait();
        reactor.resolve("two.test").addBoth([held] { FAIL("fired"); });
        struct Other final : ropewalk::NameResolver {
            Deferred<std::vector<Address>> resolveHostName(std::string_view, ropewalk::Seconds) override {
                return ropewalk::defer::fail(DNSLookupError());
            }
        };
        resolver = reactor.installNameResolver(std::make_shared<Other>());
    }
    CHECK(held.use_count() == 1);
    CHECK_FALSE(kept.called());
    kept.cancel();
    CHECK(failureOf(kept)->check<ropewalk::defer::CancelledError>() != nullptr);
    auto late = resolver->resolveHostName("two.test", 1s);
    CHECK(late.called());
    late.addErrback([](const Failure& failure) {
        failure.trap<DNSLookupError>();
        return std::vector<Address>();
    });
    names->go.count_down();
    names->over.wait();
}

TEST_CASE("another resolver may be plugged in, and taken out again") {
    struct Fixed final : ropewalk::NameResolver {
        Deferred<std::vector<Address>> resolveHostName(std::string_view name, ropewalk::Seconds) override {
            asked = name;
            return ropewalk::defer::succeed(std::vector<Address>{IPv4Address{"TCP", "192.0.2.55", 0}});
        }
        std::string asked;
    };
    const auto names = std::make_shared<Names>();
    Reactor reactor(driverWith(names));
    const auto fixed = std::make_shared<Fixed>();
    auto before = reactor.installNameResolver(fixed);
    CHECK(&reactor.nameResolver() == fixed.get());
    CHECK(successResultOf(reactor.resolve("any.test")) == "192.0.2.55");
    CHECK(fixed->asked == "any.test");
    CHECK(names->asked == 0);
    CHECK(reactor.installNameResolver(before) == fixed);
    auto d = reactor.resolve("two.test");
    await(reactor, d);
    CHECK(successResultOf(d) == "192.0.2.1");
    CHECK_THROWS_AS(reactor.installNameResolver(nullptr), ropewalk::ValueError);
}

TEST_CASE("the system knows localhost, and no name with a zero byte") {
    Reactor reactor;
    auto local = reactor.resolve("localhost");
    await(reactor, local);
    const std::string address = successResultOf(local);
    CHECK((address == "127.0.0.1" || address == "::1"));
    auto bad = reactor.resolve(std::string_view("local\0host", 10));
    await(reactor, bad);
    CHECK(failureOf(bad)->check<DNSLookupError>() != nullptr);
}

TEST_CASE("reactors don't wait for each other's names") {
    const auto names = std::make_shared<Names>(16);
    Reactor reactor(driverWith(names));
    std::vector<Deferred<std::string>> stuck;
    for (int i = 0; i < 16; ++i) {
        stuck.push_back(reactor.resolve("stuck" + std::to_string(i)));
    }
    names->stuck.wait();
    std::string found;
    std::thread([&] {
        Reactor other(driverWith(names));
        auto d = other.resolve("two.test");
        await(other, d);
        found = successResultOf(d);
    }).join();
    CHECK(found == "192.0.2.1");
    names->go.count_down();
    for (const Deferred<std::string>& each : stuck) {
        await(reactor, each);
    }
}
