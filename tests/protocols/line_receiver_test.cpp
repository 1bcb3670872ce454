#include <ropewalk/protocols/line_receiver.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include <ropewalk/defer/errors.hpp>

#include "probes.hpp"

using probes::Strings;
using ropewalk::protocols::LineReceiver;

namespace {

struct Receiver : probes::Lines<LineReceiver> {
    void rawDataReceived(std::string_view data) override {
        raw.emplace_back(data);
        if (onRaw) {
            onRaw(data);
        }
    }
    Strings raw;
    std::function<void(std::string_view)> onRaw;
};

struct KeepsLong : Receiver {
    void lineLengthExceeded(std::string_view data) override {
        tooLong.emplace_back(data);
        if (onLong) {
            onLong(data);
        }
    }
    Strings tooLong;
    std::function<void(std::string_view)> onLong;
};

std::string xs(std::size_t count) {
    return std::string(count, 'x');
}

} // namespace

TEST_CASE("lines come without their delimiter, empty ones too, and what isn't complete waits") {
    Receiver lines;
    lines.feed({"one\r\n\r\ntwo\r\nthr"});
    CHECK(lines.received == Strings{"one", "", "two"});
    lines.feed({"ee\r", "\n"});
    CHECK(lines.received == Strings{"one", "", "two", "three"});
}

TEST_CASE("neither half of a delimiter ends a line") {
    Receiver lines;
    lines.feed({"a\nb\rc\r\r\n\n\r\n"});
    CHECK(lines.received == Strings{"a\nb\rc\r", "\n"});
}

TEST_CASE("delimiters of one byte, of several, and such that overlap themselves") {
    for (const std::string delimiter : {"\n", "<br>", "aab", "ababac", "----------------------------"}) {
        CAPTURE(delimiter);
        Receiver whole;
        Receiver bytes;
        whole.delimiter = bytes.delimiter = delimiter;
        const std::string data = "a" + delimiter + "ab" + delimiter + delimiter + "aba";
        whole.feed({data});
        bytes.feedBytes(data);
        CHECK(whole.received == bytes.received);
        CHECK(whole.received.size() == 3);
    }
}

TEST_CASE("an empty delimiter is refused when something comes") {
    Receiver lines;
    lines.delimiter = "";
    CHECK_THROWS_AS(lines.feed({"a"}), ropewalk::ValueError);
    lines.delimiter = "\n";
    lines.feed({"b\n"});
    CHECK(lines.received == Strings{"ab"});
}

TEST_CASE("the delimiter may change between two lines, and while part of a line waits") {
    Receiver lines;
    lines.onLine = [&](std::string_view) { lines.delimiter = "\n"; };
    lines.feed({"a\r\nb\nc;d"});
    CHECK(lines.received == Strings{"a", "b"});
    lines.onLine = nullptr;
    lines.delimiter = ";";
    lines.feed({"e;"});
    CHECK(lines.received == Strings{"a", "b", "c", "de"});
}

TEST_CASE("sendLine sends the line and the delimiter") {
    Receiver lines;
    lines.sendLine("hello");
    lines.delimiter = "\n";
    lines.sendLine("");
    CHECK(lines.wire->value() == "hello\r\n\n");
}

TEST_CASE("a line of MAX_LENGTH passes, and one that is longer by one closes the connection") {
    for (const bool bytewise : {false, true}) {
        CAPTURE(bytewise);
        Receiver lines;
        lines.MAX_LENGTH = 6;
        const auto feed = [&](const std::string& data) {
            bytewise ? lines.feedBytes(data) : lines.feed({data});
        };
        feed(xs(6) + "\r\n");
        CHECK(lines.received == Strings{xs(6)});
        CHECK_FALSE(lines.wire->disconnecting());
        feed(xs(7) + "\r\n");
        CHECK(lines.wire->disconnecting());
        CHECK(lines.received.size() == 1);
    }
}

TEST_CASE("a line without end is refused when it and a delimiter could no longer fit") {
    Receiver lines;
    CHECK(lines.MAX_LENGTH == 16384);
    lines.feed({xs(16384)});
    lines.feed({"x"});
    CHECK_FALSE(lines.wire->disconnecting());
    lines.feed({"x"});
    CHECK(lines.wire->disconnecting());
}

TEST_CASE("a line of MAX_LENGTH waits for the rest of its delimiter") {
    Receiver lines;
    lines.feed({xs(16384) + "\r"});
    CHECK_FALSE(lines.wire->disconnecting());
    lines.feed({"\n"});
    CHECK(lines.received == Strings{xs(16384)});
}

TEST_CASE("lineLengthExceeded gets all that is there, from the beginning of the line on") {
    for (const std::string& data : {xs(14), xs(14) + "\r\n" + xs(14), xs(14) + "\r\n" + xs(14) + "\r\n"}) {
        KeepsLong lines;
        lines.MAX_LENGTH = 6;
        lines.feed({"x\r\n" + data});
        CHECK(lines.received == Strings{"x"});
        CHECK(lines.tooLong == Strings{data});
    }
}

TEST_CASE("lineLengthExceeded gets what was kept before, too") {
    KeepsLong lines;
    lines.MAX_LENGTH = 6;
    lines.feed({"1234", "56789\r\nrest"});
    CHECK(lines.tooLong == Strings{"123456789\r\nrest"});
    lines.feed({"next\r\n"});
    CHECK(lines.received == Strings{"next"});
}

TEST_CASE("what lineLengthExceeded gives back is lines again, in the same delivery") {
    KeepsLong lines;
    lines.MAX_LENGTH = 4;
    lines.delimiter = "\n";
    lines.onLong = [&](std::string_view data) { lines.setLineMode(data.substr(data.find('\n') + 1)); };
    lines.feed({"a\n123456\nb\n12345\nc\n"});
    CHECK(lines.received == Strings{"a", "b", "c"});
    CHECK(lines.tooLong.size() == 2);
}

TEST_CASE("without a limit, lines may have any length") {
    Receiver lines;
    lines.MAX_LENGTH = static_cast<std::size_t>(-1);
    lines.feed({xs(100000), xs(100000) + "\r\n"});
    CHECK(lines.received == Strings{xs(200000)});
}

TEST_CASE("nothing is delivered once the connection closes") {
    Receiver lines;
    lines.onLine = [&](std::string_view line) {
        if (line == "quit") lines.transport->loseConnection();
    };
    lines.feed({"a\r\nquit\r\nb\r\n", "c\r\n"});
    CHECK(lines.received == Strings{"a", "quit"});
}

TEST_CASE("pausing keeps the lines that are there, and resuming delivers them") {
    for (const bool bytewise : {false, true}) {
        Receiver lines;
        lines.onLine = [&](std::string_view line) {
            if (line == "pause") lines.pauseProducing();
        };
        const std::string data = "a\r\npause\r\nb\r\nc";
        bytewise ? lines.feedBytes(data) : lines.feed({data});
        CHECK(lines.received == Strings{"a", "pause"});
        CHECK(lines.paused());
        CHECK(lines.wire->producerState() == "paused");
        lines.resumeProducing();
        CHECK(lines.received == Strings{"a", "pause", "b"});
        CHECK(lines.wire->producerState() == "producing");
        lines.feed({"c\r\n"});
        CHECK(lines.received.back() == "cc");
    }
}

TEST_CASE("what comes while it is paused waits") {
    Receiver lines;
    lines.pauseProducing();
    lines.feed({"a\r\nb", "b\r\n"});
    CHECK(lines.received.empty());
    lines.resumeProducing();
    CHECK(lines.received == Strings{"a", "bb"});
}

TEST_CASE("pausing and resuming for each line delivers each once, in order") {
    Receiver lines;
    lines.onLine = [&](std::string_view) { lines.pauseProducing(); };
    std::string data;
    Strings expected;
    for (int i = 0; i < 3000; ++i) {
        expected.push_back(std::to_string(i));
        data += expected.back() + "\r\n";
    }
    lines.feed({data + "rest"});
    while (lines.received.size() < expected.size()) lines.resumeProducing();
    CHECK(lines.received == expected);
    CHECK(lines.clearLineBuffer() == "rest");
}

TEST_CASE("resuming in the middle of a delivery goes on with it") {
    Receiver lines;
    lines.onLine = [&](std::string_view) {
        lines.pauseProducing();
        lines.resumeProducing();
    };
    lines.feed({"a\r\nb\r\n"});
    CHECK(lines.received == Strings{"a", "b"});
}

TEST_CASE("stopProducing delivers nothing more") {
    Receiver lines;
    lines.onLine = [&](std::string_view line) {
        if (line == "stop") lines.stopProducing();
    };
    lines.feed({"a\r\nstop\r\nb\r\n"});
    CHECK(lines.received == Strings{"a", "stop"});
    CHECK(lines.wire->producerState() == "stopped");
}

TEST_CASE("raw mode begins behind the line that asks for it, and ends where it is told to") {
    Receiver lines;
    lines.onLine = [&](std::string_view line) {
        if (line == "raw") lines.setRawMode();
    };
    lines.onRaw = [&](std::string_view data) {
        const std::size_t end = data.find('.');
        if (end != std::string_view::npos) lines.setLineMode(data.substr(end + 1));
    };
    lines.feed({"a\r\nraw\r\nxy\r\nz", "12.b\r\nraw\r\n", ".c\r\n"});
    CHECK(lines.received == Strings{"a", "raw", "b", "raw", "c"});
    CHECK(lines.raw == Strings{"xy\r\nz", "12.b\r\nraw\r\n", ".c\r\n"});
    CHECK(lines.lineMode());
}

TEST_CASE("raw data that waits while it is paused comes in one piece") {
    Receiver lines;
    lines.setRawMode();
    lines.pauseProducing();
    lines.feed({"abc", "def"});
    lines.resumeProducing();
    CHECK(lines.raw == Strings{"abcdef"});
}

TEST_CASE("part of a line that waits is raw data, if the mode changes") {
    Receiver lines;
    lines.feed({"abc"});
    lines.setRawMode();
    CHECK(lines.raw.empty());
    lines.feed({"def"});
    CHECK(lines.raw == Strings{"abcdef"});
}

TEST_CASE("modes that change for each byte cost neither stack nor copies") {
    struct Flipping final : LineReceiver {
        Flipping() { delimiter = "\n"; }
        void lineReceived(std::string_view line) override {
            sound = sound && line == "x";
            setRawMode();
        }
        void rawDataReceived(std::string_view left) override {
            ++rounds;
            setLineMode(left.substr(1));
        }
        int rounds = 0;
        bool sound = true;
    } flipping;
    constexpr int many = 300000; // copying what is left each time would be 135 GB
    std::string data;
    for (int i = 0; i < many; ++i) data += "x\nx";
    flipping.dataReceived(data);
    CHECK(flipping.rounds == many);
    CHECK(flipping.sound);
}

TEST_CASE("a line that comes byte by byte is searched once, not once for each byte") {
    Receiver lines;
    lines.MAX_LENGTH = static_cast<std::size_t>(-1);
    lines.delimiter = "--x";
    constexpr int many = 1000000; // searching all of it each time would be 500 GB
    for (int i = 0; i < many; ++i) lines.dataReceived("-");
    lines.feed({"x"});
    CHECK(lines.received == Strings{std::string(many - 2, '-')});
}

TEST_CASE("raw data that nobody overrides is refused") {
    probes::Lines<LineReceiver> lines;
    lines.setRawMode();
    CHECK_THROWS_AS(lines.feed({"a"}), ropewalk::UnsupportedError);
}

TEST_CASE("clearLineBuffer gives what was not delivered, in the middle of a delivery too") {
    Receiver lines;
    std::string rest;
    lines.onLine = [&](std::string_view) { rest = lines.clearLineBuffer(); };
    lines.feed({"fo", "o\r\nbar\r\nbaz"});
    CHECK(lines.received == Strings{"foo"});
    CHECK(rest == "bar\r\nbaz");
    lines.feed({"quux\r\n"});
    CHECK(lines.received == Strings{"foo", "quux"});
    CHECK(rest.empty());
    lines.feed({"part"});
    CHECK(lines.clearLineBuffer() == "part");
    CHECK(lines.clearLineBuffer().empty());
    lines.feed({"\r\n"});
    CHECK(lines.received.back().empty());
}

TEST_CASE("data that is received in the middle of a delivery comes after all that is there") {
    Receiver lines;
    lines.onLine = [&](std::string_view line) {
        if (line == "a") {
            lines.dataReceived("d\r\ne");
            CHECK(line == "a");
            CHECK(lines.received == Strings{"a"});
        }
    };
    lines.feed({"a\r\nb\r\nc"});
    CHECK(lines.received == Strings{"a", "b", "cd"});
    lines.feed({"f\r\n"});
    CHECK(lines.received.back() == "ef");
}

TEST_CASE("a line stays where it is during its call, whatever is done there") {
    Receiver lines;
    lines.onLine = [&](std::string_view line) {
        const std::string copy(line);
        lines.dataReceived(std::string(100000, 'y'));
        lines.clearLineBuffer();
        lines.dataReceived(std::string(100000, 'z'));
        lines.pauseProducing();
        lines.setRawMode();
        CHECK(line == copy);
    };
    lines.feed({"first ", "half\r\nrest"});
    CHECK(lines.received == Strings{"first half"});
    lines.resumeProducing();
    CHECK(lines.raw == Strings{std::string(100000, 'z')});
}

TEST_CASE("an exception comes out, and the next delivery goes on behind its line") {
    Receiver lines;
    lines.onLine = [&](std::string_view line) {
        if (line == "bad") throw std::runtime_error("bad line");
    };
    CHECK_THROWS_WITH_AS(lines.feed({"a\r\nbad\r\nb\r\nc"}), "bad line", std::runtime_error);
    CHECK(lines.received == Strings{"a", "bad"});
    lines.feed({"c\r\n"});
    CHECK(lines.received == Strings{"a", "bad", "b", "cc"});
}

TEST_CASE("without a transport it receives as well") {
    struct Alone final : LineReceiver {
        void lineReceived(std::string_view line) override { received.emplace_back(line); }
        Strings received;
    } alone;
    alone.pauseProducing();
    alone.dataReceived("a\r\n");
    alone.resumeProducing();
    CHECK(alone.received == Strings{"a"});
    alone.dataReceived(xs(20000));
    alone.stopProducing();
    CHECK(alone.received.size() == 1);
}
