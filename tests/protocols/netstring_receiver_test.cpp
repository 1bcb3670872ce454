#include <ropewalk/protocols/netstring_receiver.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "probes.hpp"

using probes::Strings;
using ropewalk::protocols::formatNetstring;
using ropewalk::protocols::IncompleteNetstring;
using ropewalk::protocols::NetstringParseError;
using ropewalk::protocols::NetstringReceiver;
using ropewalk::protocols::takeNetstring;

namespace {

struct Receiver : probes::Texts<NetstringReceiver> {
    void handleParseError(const NetstringParseError& error) override {
        errors.emplace_back(error.what());
        NetstringReceiver::handleParseError(error);
    }
    Strings errors;
};

bool refused(std::string_view data) {
    Receiver whole;
    whole.feed({data});
    Receiver bytes;
    bytes.feedBytes(data);
    CHECK(whole.errors == bytes.errors);
    CHECK(whole.brokenPeer() == whole.wire->disconnecting());
    CHECK(whole.brokenPeer() == bytes.brokenPeer());
    return whole.brokenPeer();
}

} // namespace

TEST_CASE("netstrings come, empty ones and such with netstrings in them too") {
    Receiver strings;
    strings.feed({"5:hello,0:,4:1:a,,3:,:,,", "12:hello ", "world!,1", ":a", ","});
    CHECK(strings.received == Strings{"hello", "", "1:a,", ",:,", "hello world!", "a"});
    CHECK_FALSE(strings.brokenPeer());
}

TEST_CASE("sendString sends a netstring") {
    Receiver strings;
    strings.sendString("hello");
    strings.sendString("");
    strings.sendString(std::string(1234, 'x'));
    CHECK(strings.wire->value() == "5:hello,0:,1234:" + std::string(1234, 'x') + ",");
    CHECK(formatNetstring("hello") == "5:hello,");
    Receiver other;
    other.feed({strings.wire->value()});
    CHECK(other.received == Strings{"hello", "", std::string(1234, 'x')});
}

TEST_CASE("what is no netstring closes the connection: no digits, zeros before them, no colon, no comma") {
    for (const char* data :
         {"abc", ":aaa,", "3aaa,", "aaa,", " 3:aaa,", "-1:a,", "+1:a,", "00:,", "007:bond,", "01:a,",
          "2:aaa,", "0:a,", "4:abcde", "5:hello;", "12\n", "3;aaa,"}) {
        CAPTURE(data);
        CHECK(refused(data));
    }
}

TEST_CASE("what may become a netstring waits") {
    for (const char* data : {"", "0", "9", "99999", "99999:", "0:", "3:aa", "3:aaa"}) {
        CAPTURE(data);
        CHECK_FALSE(refused(data));
    }
}

TEST_CASE("a length above MAX_LENGTH is refused as soon as its digits say so") {
    CHECK(refused("100000"));
    CHECK(refused("99999999999999999999999999999999"));
    CHECK_FALSE(refused("99999:"));
    Receiver strings;
    CHECK(strings.MAX_LENGTH == 99999);
    strings.MAX_LENGTH = 12;
    strings.feed({"12:123456789012,"});
    CHECK(strings.received.size() == 1);
    strings.feed({"1"});
    CHECK_FALSE(strings.brokenPeer());
    strings.feed({"3"});
    CHECK(strings.brokenPeer());
    Receiver none;
    none.MAX_LENGTH = 0;
    none.feed({"0:,"});
    CHECK(none.received == Strings{""});
    none.feed({"1"});
    CHECK(none.brokenPeer());
}

TEST_CASE("the longest netstring passes") {
    Receiver strings;
    const std::string text(99999, 'x');
    strings.feed({"99999:" + text, ","});
    CHECK(strings.received == Strings{text});
}

TEST_CASE("what comes before an error is delivered, what comes after it is ignored") {
    Receiver strings;
    strings.feed({"1:a,x1:b,", "1:c,"});
    CHECK(strings.received == Strings{"a"});
    CHECK(strings.errors.size() == 1);
}

TEST_CASE("an announced length takes no memory before the string comes") {
    Receiver strings;
    strings.MAX_LENGTH = static_cast<std::size_t>(-1);
    strings.feed({"9999999999999999999:", "abc"});
    CHECK_FALSE(strings.brokenPeer());
    CHECK(strings.received.empty());
    strings.pauseProducing();
}

TEST_CASE("netstrings: nothing is delivered while it is paused, nor once the connection closes") {
    Receiver strings;
    strings.onLine = [&](std::string_view string) {
        if (string == "pause") strings.pauseProducing();
        if (string == "quit") strings.transport->loseConnection();
    };
    strings.feed({"1:a,5:pause,1:b,4:quit,1:c,"});
    CHECK(strings.received == Strings{"a", "pause"});
    strings.resumeProducing();
    CHECK(strings.received == Strings{"a", "pause", "b", "quit"});
}

TEST_CASE("netstrings: data that is received in the middle of a delivery comes last") {
    Receiver strings;
    strings.onLine = [&](std::string_view string) {
        if (string == "a") strings.dataReceived("d,");
    };
    strings.feed({"1:a,1:b,2:c"});
    CHECK(strings.received == Strings{"a", "b", "cd"});
}

TEST_CASE("netstrings: an exception comes out, and the next delivery goes on behind its string") {
    Receiver strings;
    strings.onLine = [&](std::string_view string) {
        if (string == "bad") throw std::runtime_error("bad string");
    };
    CHECK_THROWS_AS(strings.feed({"3:bad,1:b,2:c"}), std::runtime_error);
    strings.feed({"d,"});
    CHECK(strings.received == Strings{"bad", "b", "cd"});
}

TEST_CASE("takeNetstring takes the first netstring off, or says what is wrong") {
    std::string_view data = "5:hello,0:,2:x";
    CHECK(takeNetstring(data) == "hello");
    CHECK(takeNetstring(data).empty());
    CHECK_THROWS_AS(takeNetstring(data), IncompleteNetstring);
    CHECK(data == "2:x");
    for (const std::string_view part : {"", "1", "1:", "1:a"}) {
        std::string_view copy = part;
        CHECK_THROWS_AS(takeNetstring(copy), IncompleteNetstring);
    }
    for (const std::string_view wrong : {"x", "01:a,", "1:ab", "100000:"}) {
        std::string_view copy = wrong;
        CHECK_THROWS_AS(takeNetstring(copy), NetstringParseError);
        CHECK(copy == wrong);
    }
    std::string_view five = "5:hello,";
    CHECK_THROWS_AS(takeNetstring(five, 4), ropewalk::ValueError);
    CHECK(takeNetstring(five, 5) == "hello");
    CHECK(five.empty());
}
