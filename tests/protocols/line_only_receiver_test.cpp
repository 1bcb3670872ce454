#include <ropewalk/protocols/line_only_receiver.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include <ropewalk/defer/errors.hpp>

#include "probes.hpp"

using probes::Strings;
using ropewalk::protocols::LineOnlyReceiver;

namespace {

using Receiver = probes::Lines<LineOnlyReceiver>;

struct StaysOpen : Receiver {
    void lineLengthExceeded(std::string_view line) override { tooLong.emplace_back(line); }
    Strings tooLong;
};

} // namespace

TEST_CASE("LineOnlyReceiver: lines come, and what isn't complete waits") {
    Receiver lines;
    lines.feed({"one\r\n\r\nt", "wo\r", "\nthree"});
    CHECK(lines.received == Strings{"one", "", "two"});
    CHECK(lines.delimiter == "\r\n");
    CHECK(lines.MAX_LENGTH == 16384);
}

TEST_CASE("LineOnlyReceiver: an empty delimiter is refused") {
    Receiver lines;
    lines.delimiter = "";
    CHECK_THROWS_AS(lines.feed({"a"}), ropewalk::ValueError);
}

TEST_CASE("LineOnlyReceiver: sendLine sends the line and the delimiter") {
    Receiver lines;
    lines.sendLine("hello");
    CHECK(lines.wire->value() == "hello\r\n");
}

TEST_CASE("LineOnlyReceiver: a line of MAX_LENGTH passes, however it comes; a longer one closes") {
    for (const bool bytewise : {false, true}) {
        Receiver lines;
        lines.MAX_LENGTH = 6;
        const auto feed = [&](std::string_view data) {
            bytewise ? lines.feedBytes(data) : lines.feed({data});
        };
        feed("123456\r\n");
        CHECK(lines.received == Strings{"123456"});
        CHECK_FALSE(lines.wire->disconnecting());
        feed("1234567\r\nafter\r\n");
        CHECK(lines.wire->disconnecting());
        CHECK(lines.received.size() == 1);
    }
}

TEST_CASE("LineOnlyReceiver: a line without end is refused with its first byte too many") {
    Receiver lines;
    lines.MAX_LENGTH = 6;
    lines.feed({"123456"});
    CHECK_FALSE(lines.wire->disconnecting());
    lines.feed({"7"});
    CHECK(lines.wire->disconnecting());
}

TEST_CASE("LineOnlyReceiver: a byte that may begin the delimiter isn't one too many") {
    Receiver lines;
    lines.MAX_LENGTH = 6;
    lines.feed({"123456\r"});
    CHECK_FALSE(lines.wire->disconnecting());
    lines.feed({"\r"});
    CHECK(lines.wire->disconnecting());
}

TEST_CASE("LineOnlyReceiver: if the connection stays, a line that is too long is left out, and no other") {
    StaysOpen lines;
    lines.MAX_LENGTH = 4;
    lines.delimiter = "\n";
    lines.feed({"a\n12345678\nb\n1234567", "8", "9\nc\n"});
    CHECK(lines.received == Strings{"a", "b", "c"});
    CHECK(lines.tooLong == Strings{"12345678", "1234567"});
}

TEST_CASE("LineOnlyReceiver: a line without end is told of once, and isn't kept") {
    StaysOpen lines;
    lines.MAX_LENGTH = 4;
    for (int i = 0; i < 100; ++i) lines.feed({"xxxxxxxxxxxxxxxxxxxxxxxxx\r"});
    lines.feed({"\nok\r\n"});
    CHECK(lines.tooLong.size() == 1);
    CHECK(lines.received == Strings{"ok"});
}

TEST_CASE("LineOnlyReceiver: nothing is delivered once the connection closes") {
    Receiver lines;
    lines.onLine = [&](std::string_view line) {
        if (line == "quit") lines.transport->loseConnection();
    };
    lines.feed({"a\r\nquit\r\nb\r\n", "c\r\n"});
    CHECK(lines.received == Strings{"a", "quit"});
}

TEST_CASE("LineOnlyReceiver: data that is received in the middle of a delivery comes last") {
    Receiver lines;
    lines.onLine = [&](std::string_view line) {
        if (line == "a") lines.dataReceived("d\r\n");
    };
    lines.feed({"a\r\nb\r\nc"});
    CHECK(lines.received == Strings{"a", "b", "cd"});
}

TEST_CASE("LineOnlyReceiver: an exception comes out, and the next delivery goes on behind its line") {
    Receiver lines;
    lines.onLine = [&](std::string_view line) {
        if (line == "bad") throw std::runtime_error("bad line");
    };
    CHECK_THROWS_AS(lines.feed({"bad\r\nb\r\nc"}), std::runtime_error);
    lines.feed({"c\r\n"});
    CHECK(lines.received == Strings{"bad", "b", "cc"});
}
