#include <ropewalk/reactor/start_logging.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <sstream>
#include <stdexcept>
#include <string>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/defer/logged_errors.hpp>
#include <support/memory_driver.hpp>

#include "child_process.hpp"

#include <iostream>

namespace log = ropewalk::log;

namespace {

struct TimeZone {
    explicit TimeZone(const char* name) {
        setenv("TZ", name, 1);
        tzset();
    }
    TimeZone(const TimeZone&) = delete;
    TimeZone& operator=(const TimeZone&) = delete;
    ~TimeZone() {
        unsetenv("TZ");
        tzset();
    }
};

} // namespace

TEST_CASE("startLogging writes what is logged from then on, with the local time of the reactor's driver") {
    const TimeZone zone("XYZ-5:30");
    MemoryReactor made;
    made.driver.wall = 1'700'000'000'900'000'000;
    std::ostringstream out;
    log::LogObserver& observer = log::startLogging(out);
    log::msg("first");
    made.driver.wall += 2'000'000'000;
    log::msg("two\nlines", {{"system", "test"}});
    log::removeObserver(observer);
    log::msg("not any more");
    const std::string text = out.str();
    const std::string expected = "2023-11-15 03:43:20+0530 [-] Log opened.\n"
                                 "2023-11-15 03:43:20+0530 [-] first\n"
                                 "2023-11-15 03:43:22+0530 [test] two\n"
                                 "\tlines\n";
    CHECK_MESSAGE(text.ends_with(expected), text);
}

TEST_CASE("startLogging shows errors with their traceback") {
    const TimeZone zone("UTC");
    MemoryReactor made;
    std::ostringstream out;
    log::LogObserver& observer = log::startLogging(out);
    log::err(ropewalk::Failure(std::runtime_error("lost")));
    log::removeObserver(observer);
    const std::string text = out.str();
    CHECK(text.find("1970-01-01 00:00:00+0000 [-] Unhandled Error\n\t") != std::string::npos);
    CHECK(text.find("lost") != std::string::npos);
    CHECK(ropewalk::defer::flushLoggedErrors<std::runtime_error>().size() == 1);
}

TEST_CASE(
    "the first startLogging of a program begins with its own line, and what was logged before is left out") {
    const Ended ended = inChild([] {
        // The listener of these tests has begun already: so a publisher of the child's own isn't to be had,
        // but a reactor isn't needed either.
        log::msg("before");
        log::startLogging(std::cerr);
        log::msg("after");
        return 0;
    });
    CHECK(ended.exitCode == 0);
    CHECK(ended.errors.find("before") == std::string::npos);
    CHECK(ended.errors.find("[-] Log opened.\n") != std::string::npos);
    CHECK(ended.errors.find("[-] after\n") != std::string::npos);
    CHECK(ended.errors.find("1970-01-01") == std::string::npos);
}
