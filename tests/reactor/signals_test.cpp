#include <ropewalk/reactor/reactor.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <vector>

#include <ropewalk/defer/log.hpp>
#include <support/memory_driver.hpp>

using namespace std::chrono_literals;
using ropewalk::Reactor;
using ropewalk::defer::Deferred;

namespace {

constexpr std::int64_t ms = MemoryDriver::millisecond;

using Calls = std::vector<std::string>;

/// What the program does with a signal, for the time of a test: doctest has handlers of its own.
class Disposition {
public:
    Disposition(int number, void (*handler)(int)) : number_(number), before_(std::signal(number, handler)) {}
    Disposition(const Disposition&) = delete;
    Disposition& operator=(const Disposition&) = delete;
    ~Disposition() { std::signal(number_, before_); }

private:
    int number_;
    void (*before_)(int);
};

int handled = 0;
void handle(int) {
    ++handled;
}

struct Fixture : MemoryReactor {
    Fixture() {
        reactor.addSystemEventTrigger("during", "shutdown", [this] { calls.push_back("shutdown"); });
    }
    Calls calls;
};

} // namespace

TEST_CASE("SIGINT and SIGTERM stop a reactor cleanly") {
    for (const int number : {SIGINT, SIGTERM}) {
        Fixture f;
        f.driver.signalAt(5 * ms, number);
        f.reactor.run();
        CHECK(f.calls == Calls{"shutdown"});
        CHECK(f.driver.time == 5 * ms);
        CHECK(f.driver.watched.empty());
    }
}

TEST_CASE("a second signal stops the reactor at once") {
    Fixture f;
    Deferred<void> never;
    f.reactor.addSystemEventTrigger("before", "shutdown", [&] { return never; });
    f.driver.signalAt(5 * ms, SIGINT);
    f.driver.signalAt(7 * ms, SIGTERM);
    f.reactor.run();
    CHECK(f.calls.empty());
    CHECK(f.driver.time == 7 * ms);
}

TEST_CASE("signals are watched from the middle phase of the start on") {
    Fixture f;
    f.reactor.addSystemEventTrigger("before", "startup", [&] { CHECK(f.driver.watched.empty()); });
    f.reactor.addSystemEventTrigger("during", "startup", [&] { CHECK(f.driver.watched.size() == 2); });
    f.reactor.callLater(1s, [&] { f.reactor.stop(); });
    f.reactor.run();
}

TEST_CASE("a SIGINT that the program handles itself is left alone, a SIGTERM is not") {
    Fixture f;
    f.driver.handledByProgram = SIGINT;
    f.reactor.callWhenRunning([&] {
        CHECK(f.driver.watched.count(SIGINT) == 0);
        CHECK(f.driver.watched.count(SIGTERM) == 1);
        f.reactor.stop();
    });
    f.reactor.run(true);
    f.driver.handledByProgram = SIGTERM;
    f.reactor.callWhenRunning([&] {
        CHECK(f.driver.watched.count(SIGTERM) == 1);
        f.reactor.stop();
    });
    f.reactor.run(true);
}

TEST_CASE("run(false) leaves all signals alone") {
    Fixture f;
    f.reactor.callWhenRunning([&] {
        CHECK(f.driver.watched.empty());
        f.reactor.stop();
    });
    f.reactor.run(false);
}

TEST_CASE("what a signal does is logged") {
    Calls texts;
    const ropewalk::log::ScopedObserver observer(
        [&](const ropewalk::log::LogEvent& event) { texts.emplace_back(event.text); });
    Fixture f;
    f.driver.signalAt(1 * ms, SIGINT);
    f.reactor.run();
    CHECK(texts == Calls{"Received SIGINT, shutting down.", "Main loop terminated."});
}

TEST_CASE("real signals stop a real reactor, and what the program did with them is restored") {
    const Disposition interrupt(SIGINT, SIG_DFL);
    const Disposition terminate(SIGTERM, handle);
    handled = 0;
    {
        Reactor reactor;
        for (const int number : {SIGINT, SIGTERM}) {
            bool shutdown = false;
            reactor.addSystemEventTrigger("before", "shutdown", [&] { shutdown = true; });
            reactor.callLater(1ms, [number] { std::raise(number); });
            reactor.run();
            CHECK(shutdown);
        }
        CHECK(handled == 0);
        struct sigaction now = {};
        sigaction(SIGINT, nullptr, &now);
        const bool isDefault = now.sa_handler == SIG_DFL;
        CHECK(isDefault);
    }
    std::raise(SIGTERM);
    CHECK(handled == 1);
}

TEST_CASE("a real SIGINT that the program ignores or handles is left alone") {
    Reactor reactor;
    handled = 0;
    {
        const Disposition interrupt(SIGINT, handle);
        reactor.callWhenRunning([] { std::raise(SIGINT); });
        reactor.callLater(5ms, [&] { reactor.stop(); });
        reactor.run();
        CHECK(handled == 1);
    }
    const Disposition interrupt(SIGINT, SIG_IGN);
    reactor.callWhenRunning([] { std::raise(SIGINT); });
    reactor.callLater(5ms, [&] { reactor.stop(); });
    reactor.run();
    CHECK(handled == 1);
}
