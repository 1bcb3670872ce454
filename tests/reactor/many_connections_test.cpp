// labels: long
// timeout: 300
#include <support/tcp_world.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>

#include <sys/resource.h>

using namespace std::chrono_literals;
using tcp::Peer;
using tcp::World;

namespace {

std::ptrdiff_t openDescriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
}

} // namespace

TEST_CASE("10,000 connections held at once and closed leave no descriptor behind") {
    constexpr rlim_t wanted = 10000;
    rlimit limit = {};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const rlimit before = limit;
    limit.rlim_cur = limit.rlim_max;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    const int count = static_cast<int>(std::min<rlim_t>(wanted, (limit.rlim_cur - 100) / 2));
    if (static_cast<rlim_t>(count) < wanted) {
        MESSAGE("only " << count << " connections: no more than " << limit.rlim_cur
                        << " descriptors are allowed");
    }
    { const World first; } // libuv keeps a pipe for signals from then on
    const std::ptrdiff_t open = openDescriptors();
    {
        World world;
        world.endsExpected = 2 * count;
        bool abrupt = false;
        SUBCASE("closed one by one") {}
        SUBCASE("aborted") {
            abrupt = true;
        }
        int echoed = 0;
        int started = 0;
        const auto connectMore = [&] {
            for (int i = 0; i < 50 && started < count; ++i, ++started) {
                world.connect();
            }
        };
        world.client.made = [&](Peer& self) {
            self.transport->write("hello");
            if (world.client.peers.size() == static_cast<std::size_t>(started)) {
                connectMore();
            }
        };
        world.server.writesBack = true;
        world.client.data = [&](Peer&, std::string_view) {
            if (++echoed == count) {
                CHECK(openDescriptors() >= open + 2 * count);
                for (const auto& peer : world.client.peers) {
                    if (abrupt) {
                        peer->transport->abortConnection();
                    } else {
                        peer->transport->loseConnection();
                    }
                }
            }
        };
        world.port =
            world.reactor().listenTCP(0, world.serverFactory(), {.backlog = 1000, .interface = "127.0.0.1"});
        connectMore();
        world.run(120s);
        CHECK(echoed == count);
        CHECK(world.server.losses == count);
        CHECK(world.client.losses == count);
        CHECK(openDescriptors() < open + 20);
    }
    CHECK(openDescriptors() == open);
    setrlimit(RLIMIT_NOFILE, &before);
}
