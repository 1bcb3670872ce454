// timeout: 180
#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child_process.hpp"
#include <ropewalk/defer/log.hpp>
#include <support/memory_network.hpp>

using namespace std::chrono_literals;
using ropewalk::log::LogEvent;
using ropewalk::log::LogLevel;
using tcp::Peer;
using tcp::World;

// There in a program with the address sanitizer. The undefined sanitizer, its companion, needs descriptors to
// look at a virtual call.
extern "C" [[gnu::weak]] void __asan_init();

namespace {

bool needsDescriptors() {
    if (__asan_init != nullptr) {
        MESSAGE("SKIPPED: the sanitizers can't do without descriptors");
        return true;
    }
    return false;
}

int blockingConnect(int port) {
    const int made = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(made, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ? made : -1;
}

/// Counts the warnings that are logged.
struct Warnings {
    int count = 0;
    ropewalk::log::ScopedObserver<std::function<void(const LogEvent&)>> watch{
        [this](const LogEvent& event) { count += event.level == LogLevel::warn ? 1 : 0; }};
};

/// No descriptor may have that number, or a greater one.
struct DescriptorLimit {
    explicit DescriptorLimit(int number) {
        getrlimit(RLIMIT_NOFILE, &before);
        const rlimit lower{static_cast<rlim_t>(number), before.rlim_max};
        setrlimit(RLIMIT_NOFILE, &lower);
    }
    ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before); }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;
    rlimit before = {};
};

} // namespace

TEST_CASE("when descriptors run out, a connection waits, the log tells it once, and then it is accepted") {
    if (needsDescriptors()) {
        return;
    }
    const Ended ended = inChild([] {
        Warnings warnings;
        World world;
        world.endsExpected = 99;
        world.listen();
        const int client = blockingConnect(world.port->getHost().port());
        const DescriptorLimit limit(client + 1);
        int filler = -1;
        for (int taken = 0; taken >= 0; filler = taken >= 0 ? taken : filler) {
            taken = open("/dev/null", O_RDONLY);
        }
        int waited = 0;
        std::function<void()> check = [&] {
            if (++waited == 3 && filler >= 0) {
                close(filler);
            }
            if (waited == 3 && filler < 0) {
                close(0);
            }
            world.reactor().callLater(500ms, [&] { check(); });
        };
        check();
        world.server.made = [&](Peer&) { world.reactor().stop(); };
        world.run();
        // The only connection was accepted, not thrown away.
        const bool accepted = world.server.peers.size() == 1 && waited >= 3 && waited < 20;
        return accepted && warnings.count == 1 ? 7 : accepted ? 8 : 9;
    });
    CAPTURE(ended.errors);
    CHECK(ended.exitCode == 7);
}

TEST_CASE("an accept that fails pauses the port for a second of the reactor's clock") {
    Warnings warnings;
    World world(std::make_unique<MemoryNetwork>());
    auto& network = static_cast<MemoryNetwork&>(world.reactor().driver());
    world.port = world.reactor().listenTCP(80, world.serverFactory(), {.interface = "192.0.2.1"});
    const auto fail = [&] {
        network.soon(
            [&] { network.acceptor->acceptFailed(std::make_error_code(std::errc::too_many_files_open)); });
        world.reactor().iterate();
    };
    const auto advance = [&](std::int64_t milliseconds) {
        network.time += milliseconds * MemoryDriver::millisecond;
        world.reactor().iterate();
    };
    fail();
    CHECK(warnings.count == 1);
    CHECK_FALSE(network.accepting);
    advance(999);
    CHECK_FALSE(network.accepting);
    advance(2);
    CHECK(network.accepting);
    SUBCASE("again and again, with one report") {
        for (int i = 0; i < 3; ++i) {
            fail();
            advance(1001);
        }
        CHECK(warnings.count == 1);
        CHECK(network.accepting);
        network.soon([&] { network.accept(); });
        world.reactor().iterate();
        CHECK(world.server.peers.size() == 1);
        fail();
        CHECK(warnings.count == 2);
    }
    SUBCASE("resumeProducing doesn't resume it before") {
        fail();
        world.port->pauseProducing();
        world.port->resumeProducing();
        CHECK_FALSE(network.accepting);
        advance(1001);
        CHECK(network.accepting);
    }
    SUBCASE("nor the time, while it is paused") {
        fail();
        world.port->pauseProducing();
        advance(1001);
        CHECK_FALSE(network.accepting);
        world.port->resumeProducing();
        CHECK(network.accepting);
    }
    SUBCASE("nor while it stops, nor afterwards") {
        fail();
        world.port->stopListening();
        world.port->resumeProducing();
        CHECK_FALSE(network.accepting);
        advance(1);
        CHECK(network.acceptor == nullptr);
        CHECK(world.reactor().getDelayedCalls().empty());
    }
    SUBCASE("the reactor goes meanwhile") {
        fail();
        world.owned.reset();
        world.port->resumeProducing();
    }
}

TEST_CASE("a listening socket that somebody else shuts down is told of, and not asked all the time") {
    Warnings warnings;
    World world;
    const int own = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(listen(own, 5) == 0);
    world.port = world.reactor().adoptStreamPort(own, AF_INET, world.serverFactory());
    world.reactor().callWhenRunning([&] {
        shutdown(own, SHUT_RDWR);
        world.reactor().callLater(20ms, [&] { world.reactor().stop(); });
    });
    world.reactor().run();
    close(own);
    CHECK(warnings.count == 1);
}

TEST_CASE("what a connect fails with when descriptors have run out") {
    if (needsDescriptors()) {
        return;
    }
    const Ended ended = inChild([] {
        World world;
        world.listen();
        const DescriptorLimit limit(3);
        world.client.failed = [&](auto&&...) { world.reactor().stop(); };
        world.connect();
        world.run();
        const auto* error = world.client.reason->check<ropewalk::ConnectError>();
        return error != nullptr && error->code() == std::errc::too_many_files_open ? 7 : 8;
    });
    CAPTURE(ended.errors);
    CHECK(ended.exitCode == 7);
}
