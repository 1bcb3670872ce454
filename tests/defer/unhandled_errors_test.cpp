#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/log_text.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <ostream>
#include <string>

#include "probes.hpp"

namespace defer = ropewalk::defer;
namespace log = ropewalk::log;

using defer::Deferred;
using defer::flushLoggedErrors;
using probes::Events;
using ropewalk::Failure;
using ropewalk::ValueError;

namespace {

TEST_CASE("32.1: when a failed Deferred goes, exactly two critical events come: a heading, and the failure") {
    const Failure sent(ValueError("unseen"));
    Events events;
    Deferred<int> d;
    d.errback(sent);
    d = nullptr;
    REQUIRE(events.all.size() == 2);
    CHECK(events.all[0].level == log::LogLevel::critical);
    CHECK(events.all[0].text == "Unhandled error in Deferred:");
    CHECK(events.all[0].failure.empty());
    CHECK(events.all[1].level == log::LogLevel::critical);
    REQUIRE_FALSE(events.all[1].failure.empty());
    CHECK(events.all[1].failure == sent);
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("32.2: the second one prints as `Unhandled Error` and the traceback") {
    std::string text;
    log::ScopedObserver watch([&](const log::LogEvent& event) { text += log::formatLine({}, event); });
    { const Deferred<int> d = defer::fail(ValueError("unseen")); }
    CHECK(probes::contains(text, "Unhandled error in Deferred:\n"));
    CHECK(probes::contains(text, "Unhandled Error\n\tTraceback (most recent call last):\n"));
    CHECK(probes::contains(text, "ropewalk::ValueError: unseen\n"));
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("32.3: it is the last handle that counts, and its end is the moment") {
    Deferred<int> d;
    const auto second = std::make_unique<Deferred<int>>(d);
    Deferred<std::string> third = d.addCallback([](int n) { return std::to_string(n); });
    d.errback(ValueError("unseen"));
    d = nullptr;
    third = nullptr;
    CHECK(flushLoggedErrors().empty());
    *second = nullptr;
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("32.1: a Deferred that is paused, and one whose callback threw, report too") {
    {
        Deferred<int> paused;
        paused.pause();
        paused.errback(ValueError("paused"));
    }
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
    {
        defer::succeed().addCallback([] { throw ValueError("thrown"); });
    }
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

struct Node {
    Deferred<int> d;
};

TEST_CASE("33.1: a callback that holds its own Deferred keeps no report back") {
    {
        Deferred<int> d;
        d.addCallback([d](int n) { return n; });
        d.errback(ValueError("unseen"));
    }
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("33.1: nor does an object that holds the Deferred, and is held by the callback") {
    {
        const auto node = std::make_shared<Node>();
        node->d.addCallback([node](int) -> int { throw ValueError("unseen"); });
        node->d.addCallback([node](int n) { return n; });
        node->d.callback(1);
    }
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("34.1: an errback that handled the failure leaves nothing to report") {
    {
        Deferred<int> d;
        d.addErrback([](const Failure&) { return 1; });
        d.errback(ValueError("x"));
        Deferred<int> e = defer::fail(ValueError("x"));
        e.addErrback([] {});
        Deferred<int> f = defer::fail(ValueError("x"));
        f.addBoth([] {});
    }
    CHECK(flushLoggedErrors().empty());
}

TEST_CASE("34.2: nor does one that returned another Deferred") {
    {
        Deferred<int> unfired;
        Deferred<int> d = defer::fail(ValueError("x"));
        d.addErrback([&] { return unfired; });
        Deferred<int> e = defer::fail(ValueError("x"));
        e.addErrback([] { return defer::succeed(1); });
    }
    CHECK(flushLoggedErrors().empty());
}

TEST_CASE("34.3: a later callback that fails is reported again") {
    {
        Deferred<int> d = defer::fail(ValueError("handled"));
        d.addErrback([](const Failure&) { return 1; });
        d.addCallback([](int) -> int { throw ropewalk::KeyError("later"); });
    }
    const auto errors = flushLoggedErrors();
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].getErrorMessage() == "later");
}

TEST_CASE("35.1: the report shows, without being asked, where the error came in and what it passed") {
    std::string fired;
    std::string passed;
    {
        Deferred<int> d;
        d.addCallback([](int n) { return n; });
        passed = probes::here(1);
        d.errback(ValueError("unseen"));
        fired = probes::here(1);
    }
    const auto errors = flushLoggedErrors<ValueError>();
    REQUIRE(errors.size() == 1);
    const std::string trail = errors[0].trail().str();
    CHECK(probes::contains(trail, fired + ':'));
    CHECK(probes::contains(trail, passed + ':'));
    CHECK(trail.find(fired) < trail.find(passed));
}

TEST_CASE("36.1, 36.2: logError logs the failure and returns it, so that its end is reported as well") {
    const Failure sent(ValueError("logged"));
    {
        Deferred<int> d;
        d.addErrback(defer::logError);
        d.errback(sent);
        const auto first = flushLoggedErrors<ValueError>();
        REQUIRE(first.size() == 1);
        CHECK(first[0] == sent);
    }
    const auto second = flushLoggedErrors<ValueError>();
    REQUIRE(second.size() == 1);
    CHECK(second[0] == sent);
}

TEST_CASE("36.1: logError takes nothing away from an errback behind it") {
    Deferred<int> d;
    d.addErrback(defer::logError).addErrback([](const Failure& f) {
        return f.check<ValueError>() != nullptr ? 1 : 2;
    });
    d.errback(ValueError("logged"));
    CHECK(defer::successResultOf(d) == 1);
    CHECK(flushLoggedErrors<ValueError>().size() == 1);
}

TEST_CASE("an unhandled cancellation is reported at a level of its own") {
    Events events;
    {
        Deferred<int> d;
        d.cancel("nobody waits");
    }
    REQUIRE(events.all.size() == 2);
    CHECK(events.all[0].level == log::LogLevel::cancelled);
    CHECK(events.all[1].level == log::LogLevel::cancelled);
    CHECK(events.all[1].failure.getErrorMessage() == "nobody waits");
    CHECK(flushLoggedErrors<defer::CancelledError>().size() == 1);
}

TEST_CASE("an error whose text can't be had is reported all the same") {
    struct Mute {};
    { const Deferred<int> d = defer::fail(Failure::of(Mute{})); }
    const auto errors = flushLoggedErrors<Mute>();
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].getErrorMessage().empty());
}

} // namespace
