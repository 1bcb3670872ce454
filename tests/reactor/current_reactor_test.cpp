// Which reactor a thread has. What has to do with the default one, which stays until the program ends, runs
// in child processes.
#include <ropewalk/reactor/reactor.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include <support/memory_driver.hpp>

#include "child_process.hpp"

using namespace std::chrono_literals;
using ropewalk::NoReactorError;
using ropewalk::Reactor;

namespace {

template <class Error, class Body>
bool throws(Body body) {
    try {
        body();
    } catch (const Error&) {
        return true;
    }
    return false;
}

bool hasNone() {
    return throws<NoReactorError>([] { ropewalk::reactor(); });
}

/// What a child process checks: the number of the first that doesn't hold is its exit code.
class Checks {
public:
    void operator()(bool holds) {
        ++count_;
        if (!holds && failed_ == 0) {
            failed_ = count_;
        }
    }
    int failed() const { return failed_; }

private:
    int count_ = 0;
    int failed_ = 0;
};

} // namespace

TEST_CASE("reactor() is the reactor that was made in this thread") {
    MemoryReactor made;
    CHECK(&ropewalk::reactor() == &made.reactor);
}

TEST_CASE("a thread has one reactor at a time") {
    {
        MemoryReactor made;
        CHECK_THROWS_AS(MemoryReactor(), ropewalk::ReactorAlreadyInstalledError);
        CHECK(&ropewalk::reactor() == &made.reactor);
    }
    MemoryReactor another;
    CHECK(&ropewalk::reactor() == &another.reactor);
}

TEST_CASE("a thread that made none gets NoReactorError while there is one elsewhere") {
    MemoryReactor made;
    bool none = false;
    bool own = false;
    std::thread([&] {
        none = hasNone();
        MemoryReactor second;
        own = &ropewalk::reactor() == &second.reactor;
    }).join();
    CHECK(none);
    CHECK(own);
}

TEST_CASE("the first thread that asks while there is none gets one that stays") {
    const Ended ended = inChild([] {
        Checks check;
        Reactor& reactor = ropewalk::reactor();
        check(&ropewalk::reactor() == &reactor);
        bool other = false;
        std::thread([&] { other = hasNone(); }).join();
        check(other);
        check(throws<ropewalk::ReactorAlreadyInstalledError>([] { Reactor second; }));
        bool ran = false;
        reactor.callLater(1ms, [&] {
            ran = true;
            reactor.stop();
        });
        reactor.run();
        check(ran);
        check(&ropewalk::reactor() == &reactor);
        return check.failed();
    });
    CHECK(ended.exitCode == 0);
    CHECK(ended.errors.empty());
}

TEST_CASE("the default reactor can be made in any thread, and outlives it") {
    const Ended ended = inChild([] {
        Checks check;
        Reactor* made = nullptr;
        std::thread([&] { made = &ropewalk::reactor(); }).join();
        check(made != nullptr);
        check(hasNone());
        made->callFromThread([] {});
        return check.failed();
    });
    CHECK(ended.exitCode == 0);
    CHECK(ended.errors.empty());
}

TEST_CASE("what the default reactor still holds is destroyed when the program ends") {
    const Ended ended = inChild([] {
        const std::shared_ptr<void> tells(nullptr, [](void*) { std::fputs("destroyed", stderr); });
        ropewalk::reactor().callLater(1000s, [tells] {});
        return 0;
    });
    CHECK(ended.exitCode == 0);
    CHECK(ended.errors == "destroyed");
}

TEST_CASE("when the program ends and the default reactor is gone, there is none") {
    const Ended ended = inChild([] {
        struct Late {
            ~Late() { std::fputs(hasNone() ? "none" : "some", stderr); }
        };
        static const Late late;
        ropewalk::reactor();
        return 0;
    });
    CHECK(ended.exitCode == 0);
    CHECK(ended.errors == "none");
}

TEST_CASE("a program may end from within the run of the default reactor") {
    const Ended ended = inChild([] {
        Reactor& reactor = ropewalk::reactor();
        reactor.callWhenRunning([] { std::exit(3); });
        reactor.run();
        return 0;
    });
    CHECK(ended.exitCode == 3);
    CHECK(ended.errors.empty());
}

TEST_CASE("to destroy a reactor from within its own run ends the program with a message") {
    const Ended ended = inChild([] {
        std::signal(SIGABRT, SIG_DFL);
        auto made = std::make_unique<MemoryReactor>();
        made->reactor.callLater(0s, [&] { made.reset(); });
        made->reactor.run();
        return 0;
    });
    CHECK(ended.signal == SIGABRT);
    CHECK(ended.errors == "ropewalk: a Reactor was destroyed from within its own run\n");
}
