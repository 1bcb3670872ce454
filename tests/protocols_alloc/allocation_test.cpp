#include <ropewalk/protocols/line_receiver.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <ropewalk/protocols/int_n_string_receiver.hpp>
#include <ropewalk/protocols/line_only_receiver.hpp>
#include <ropewalk/protocols/netstring_receiver.hpp>
#include <ropewalk/protocols/stateful_protocol.hpp>
#include <ropewalk/protocols/string_transport.hpp>
#include <ropewalk/protocols/timeout_mixin.hpp>
#include <ropewalk/task/clock.hpp>
#include <support/allocations/allocations.hpp>

namespace {

using namespace std::chrono_literals;
using namespace ropewalk::protocols;

template <class Base>
struct Lines final : Base {
    void lineReceived(std::string_view line) override {
        ++count;
        inPlace += line.data() >= read.data() && line.data() < read.data() + read.size() ? 1 : 0;
    }
    std::string_view read;
    int count = 0;
    int inPlace = 0; // those that lie where the read does
};

template <class Base>
struct Texts final : Base {
    void stringReceived(std::string_view string) override {
        ++count;
        inPlace += string.data() >= read.data() && string.data() <= read.data() + read.size() ? 1 : 0;
    }
    std::string_view read;
    int count = 0;
    int inPlace = 0;
};

struct Fours final : StatefulProtocol {
    State getInitialState() override { return {&Fours::four, 4}; }
    State four(std::string_view data) {
        ++count;
        inPlace += data.data() >= read.data() && data.data() < read.data() + read.size() ? 1 : 0;
        return {&Fours::four, 4};
    }
    std::string_view read;
    int count = 0;
    int inPlace = 0;
};

std::string many(std::string_view message) {
    std::string data;
    for (int i = 0; i < 1000; ++i) data += message;
    return data;
}

template <class Receiver>
void checkWhole(std::string_view message) {
    const std::string data = many(message);
    Receiver receiver;
    receiver.makeConnection(std::make_shared<StringTransport>());
    receiver.read = data;
    const long before = allocations().count;
    receiver.dataReceived(data);
    CHECK(allocations().count == before);
    CHECK(receiver.count == 1000);
    CHECK(receiver.inPlace == 1000);
}

// Reads that end in the middle of a message: only that message is put together elsewhere.
template <class Receiver>
void checkCut(std::string_view message) {
    const std::string data = many(message);
    const std::string_view all = data;
    const std::size_t cut = data.size() / 2 - message.size() / 2;
    Receiver receiver;
    receiver.makeConnection(std::make_shared<StringTransport>());
    receiver.read = data;
    for (int round = 0; round < 10; ++round) {
        const long before = allocations().count;
        receiver.dataReceived(all.substr(0, cut));
        receiver.dataReceived(all.substr(cut));
        CHECK(allocations().count - before <= (round == 0 ? 2 : 0));
        CHECK(receiver.count == 1000 * (round + 1));
        CHECK(receiver.inPlace == 999 * (round + 1));
    }
}

template <class Receiver>
void check(std::string_view message) {
    checkWhole<Receiver>(message);
    checkCut<Receiver>(message);
}

TEST_CASE(
    "messages that arrive whole are neither copied nor allocated; what is kept of them reuses its memory") {
    const std::string_view line = "a line of some forty bytes, or a few more\r\n";
    check<Lines<LineReceiver>>(line);
    check<Lines<LineOnlyReceiver>>(line);
    check<Texts<NetstringReceiver>>("40:0123456789012345678901234567890123456789,");
    const std::string text(40, 'x');
    check<Texts<Int8StringReceiver>>("\x28" + text);
    check<Texts<Int16StringReceiver>>(std::string(1, '\0') + "\x28" + text);
    check<Texts<Int32StringReceiver>>(std::string(3, '\0') + "\x28" + text);
    checkWhole<Fours>("four");
}

TEST_CASE("a line that comes byte by byte takes few allocations, and gives its memory back") {
    Lines<LineReceiver> lines;
    lines.makeConnection(std::make_shared<StringTransport>());
    long before = allocations().count;
    for (int i = 0; i < 16384; ++i) lines.dataReceived("x");
    CHECK(allocations().count - before <= 20);
    lines.dataReceived("\r\n");
    CHECK(lines.count == 1);
    before = allocations().count;
    lines.dataReceived("a short one");
    CHECK(allocations().count - before <= 1);
}

TEST_CASE("a length that lies allocates nothing") {
    Texts<Int32StringReceiver> strings;
    strings.MAX_LENGTH = 0xFFFFFFFF;
    strings.makeConnection(std::make_shared<StringTransport>());
    const std::size_t before = allocations().bytes;
    strings.dataReceived(std::string_view("\xff\xff\xff\xff", 4));
    CHECK(allocations().bytes == before);
    Texts<NetstringReceiver> netstrings;
    netstrings.makeConnection(std::make_shared<StringTransport>());
    const std::size_t then = allocations().bytes;
    netstrings.dataReceived("99999:");
    CHECK(allocations().bytes == then);
}

TEST_CASE("an ignored line without end holds no memory") {
    struct Ignoring final : LineOnlyReceiver {
        void lineReceived(std::string_view) override {}
        void lineLengthExceeded(std::string_view) override {}
    } lines;
    lines.makeConnection(std::make_shared<StringTransport>());
    const std::string data(10000, 'x');
    lines.dataReceived(data);
    lines.dataReceived(data);
    const std::size_t before = allocations().bytes;
    for (int i = 0; i < 100; ++i) lines.dataReceived(data);
    CHECK(allocations().bytes - before <= 100 * 2 * data.size());
}

TEST_CASE("resetTimeout allocates nothing") {
    ropewalk::task::Clock clock;
    Fours protocol;
    TimeoutMixin timeout(protocol, clock);
    timeout.setTimeout(10s);
    const long before = allocations().count;
    for (int i = 0; i < 1000; ++i) {
        clock.advance(1ms);
        timeout.resetTimeout();
    }
    CHECK(allocations().count == before);
}

} // namespace
