// Test cases with what the listener must see: run_probe.sh says which of them must fail.
#include <doctest/doctest.h>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/logged_errors.hpp>

#include <thread>

namespace defer = ropewalk::defer;
namespace log = ropewalk::log;

namespace {

TEST_CASE("passes: nothing is logged") {
    CHECK(true);
}

TEST_CASE("fails: an unhandled error") {
    log::unhandled(ropewalk::ValueError("lost value"));
    CHECK(true);
}

TEST_CASE("passes: the one after it") {
    CHECK(true);
}

TEST_CASE("fails: an unhandled cancellation") {
    log::unhandled(defer::CancelledError("lost cancellation"));
}

TEST_CASE("fails: an abandoned coroutine") {
    log::abandoned("abandoned: poet");
}

TEST_CASE("fails: an error from another thread") {
    std::thread([] { log::err(ropewalk::RuntimeError("lost in a thread")); }).join();
}

TEST_CASE("passes: all of them flushed") {
    log::unhandled(ropewalk::ValueError());
    log::abandoned("abandoned: poet");
    std::thread([] { log::err(ropewalk::RuntimeError()); }).join();
    CHECK(defer::flushLoggedErrors().size() == 3);
}

TEST_CASE("fails: the wrong one flushed") {
    log::err(ropewalk::ValueError("not flushed"));
    log::err(ropewalk::TypeError("flushed"));
    CHECK(defer::flushLoggedErrors<ropewalk::TypeError>().size() == 1);
}

TEST_CASE("fails: in a subcase") {
    SUBCASE("quiet") {}
    SUBCASE("loud") {
        log::err(ropewalk::ValueError("lost in a subcase"));
    }
    SUBCASE("quiet again") {}
}

TEST_CASE("fails: and a failed check beside it") {
    log::err(ropewalk::ValueError("beside a failed check"));
    CHECK(false);
}

TEST_CASE("passes: a failure is wanted" * doctest::should_fail()) {
    log::err(ropewalk::ValueError("wanted"));
}

TEST_CASE("passes: a failure is allowed" * doctest::may_fail()) {
    log::err(ropewalk::ValueError("allowed"));
}

TEST_CASE("passes: what isn't an error") {
    log::msg("a message");
    log::warn("a warning");
    log::critical("a text without a failure");
}

/// Skipped unless asked for: a logged error after the last test case.
struct Stray {
    ~Stray() {
        if (late) log::err(ropewalk::ValueError("logged after the tests"));
    }
    bool late = false;
} stray;

TEST_CASE("late" * doctest::skip()) {
    stray.late = true;
}

} // namespace
