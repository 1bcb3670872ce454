#include <ropewalk/protocols/int_n_string_receiver.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include "probes.hpp"

using namespace std::string_view_literals;
using probes::Strings;
using ropewalk::protocols::Int16StringReceiver;
using ropewalk::protocols::Int32StringReceiver;
using ropewalk::protocols::Int8StringReceiver;
using ropewalk::protocols::IntNStringReceiver;
using ropewalk::protocols::StringTooLongError;

namespace {

template <class Base>
struct Receiver : probes::Texts<Base> {
    void lengthLimitExceeded(std::size_t length) override {
        tooLong.push_back(length);
        if (onLong) {
            onLong(length);
        } else {
            Base::lengthLimitExceeded(length);
        }
    }
    std::vector<std::size_t> tooLong;
    std::function<void(std::size_t)> onLong;
};

} // namespace

TEST_CASE("strings come after their length in one, two or four bytes, the high one first") {
    Receiver<Int8StringReceiver> one;
    one.feed({"\x03"
              "abc\x00\xff"sv,
              std::string(255, 'x')});
    CHECK(one.received == Strings{"abc", "", std::string(255, 'x')});
    Receiver<Int16StringReceiver> two;
    two.feed({"\x00\x03"
              "abc\x00\x00\x01"sv,
              "\x02"sv, std::string(258, 'y')});
    CHECK(two.received == Strings{"abc", "", std::string(258, 'y')});
    Receiver<Int32StringReceiver> four;
    four.feedBytes("\x00\x00\x00\x03"
                   "abc\x00\x00\x00\x00\x00\x01\x00\x01"sv);
    four.feed({std::string(65537, 'z')});
    CHECK(four.received == Strings{"abc", "", std::string(65537, 'z')});
    CHECK(one.prefixLength() == 1);
    CHECK(two.prefixLength() == 2);
    CHECK(four.prefixLength() == 4);
}

TEST_CASE("sendString sends what is received") {
    const Strings strings = {"", "a", std::string(255, 'b')};
    Receiver<Int8StringReceiver> one;
    Receiver<Int16StringReceiver> two;
    Receiver<Int32StringReceiver> four;
    for (const std::string& string : strings) {
        one.sendString(string);
        two.sendString(string);
        four.sendString(string);
    }
    CHECK(two.wire->value().substr(0, 5) == "\x00\x00\x00\x01"
                                            "a"sv);
    one.feedBytes(one.wire->value());
    two.feedBytes(two.wire->value());
    four.feedBytes(four.wire->value());
    CHECK(one.received == strings);
    CHECK(two.received == strings);
    CHECK(four.received == strings);
}

TEST_CASE("sendString refuses a string whose length doesn't fit, and sends nothing of it") {
    Receiver<Int8StringReceiver> one;
    CHECK_THROWS_WITH_AS(one.sendString(std::string(256, 'x')),
                         "a string of 256 bytes, whose length doesn't fit into 1 byte", StringTooLongError);
    CHECK_THROWS_AS(one.sendString(std::string(256, 'x')), ropewalk::AssertionError);
    Receiver<Int16StringReceiver> two;
    CHECK_THROWS_AS(two.sendString(std::string(65536, 'x')), StringTooLongError);
    CHECK(one.wire->value().empty());
    CHECK(two.wire->value().empty());
    two.sendString(std::string(65535, 'x'));
    CHECK(two.wire->value().size() == 65537);
}

TEST_CASE("a length above MAX_LENGTH closes the connection; MAX_LENGTH itself passes") {
    Receiver<Int32StringReceiver> strings;
    CHECK(strings.MAX_LENGTH == 99999);
    strings.MAX_LENGTH = 3;
    strings.feed({"\x00\x00\x00\x03"
                  "abc\x00\x00\x00"sv});
    CHECK_FALSE(strings.wire->disconnecting());
    strings.feed({"\x04"
                  "abcd\x00\x00\x00\x01x"sv});
    CHECK(strings.wire->disconnecting());
    CHECK(strings.received == Strings{"abc"});
    CHECK(strings.tooLong == std::vector<std::size_t>{4});
}

TEST_CASE("a length that lies takes no memory") {
    Receiver<Int32StringReceiver> strings;
    strings.MAX_LENGTH = 0xFFFFFFFF;
    strings.feed({"\xff\xff\xff\xff"
                  "abc"sv});
    CHECK_FALSE(strings.wire->disconnecting());
    CHECK(strings.received.empty());
}

TEST_CASE("if the connection stays, a string that is too long is left out") {
    const auto data = "\x05"
                      "12345\x01"
                      "a\x07"
                      "1234567\x01"
                      "b"sv;
    for (const bool bytewise : {false, true}) {
        Receiver<Int8StringReceiver> strings;
        strings.MAX_LENGTH = 4;
        strings.onLong = [](std::size_t) {};
        bytewise ? strings.feedBytes(data) : strings.feed({data});
        CHECK(strings.received == Strings{"a", "b"});
        CHECK(strings.tooLong == std::vector<std::size_t>{5, 7});
    }
}

TEST_CASE("lengthLimitExceeded may raise the limit, and then gets that string") {
    Receiver<Int8StringReceiver> strings;
    strings.MAX_LENGTH = 4;
    strings.onLong = [&](std::size_t length) { strings.MAX_LENGTH = length; };
    strings.feed({"\x05"
                  "123"sv,
                  "45\x01"
                  "a"sv});
    CHECK(strings.received == Strings{"12345", "a"});
    CHECK(strings.tooLong.size() == 1);
}

TEST_CASE("an exception out of lengthLimitExceeded leaves that string out") {
    Receiver<Int8StringReceiver> strings;
    strings.MAX_LENGTH = 4;
    strings.onLong = [](std::size_t) { throw std::runtime_error("too long"); };
    CHECK_THROWS_AS(strings.feed({"\x05"
                                  "123"sv}),
                    std::runtime_error);
    strings.feed({"45\x01"
                  "a"sv});
    CHECK(strings.received == Strings{"a"});
}

TEST_CASE("strings after a length: pausing, closing, re-entrance, exceptions") {
    Receiver<Int8StringReceiver> strings;
    strings.onLine = [&](std::string_view string) {
        if (string == "p") strings.pauseProducing();
        if (string == "r")
            strings.dataReceived("\x01"
                                 "z");
        if (string == "t") throw std::runtime_error("thrown");
        if (string == "c") strings.transport->loseConnection();
    };
    strings.feed({"\x01p\x01r\x01t\x01"
                  "a"sv});
    CHECK(strings.received == Strings{"p"});
    CHECK(strings.wire->producerState() == "paused");
    CHECK_THROWS_AS(strings.resumeProducing(), std::runtime_error);
    CHECK(strings.received == Strings{"p", "r", "t"});
    strings.feed({"\x01"
                  "c\x01"
                  "d"sv});
    CHECK(strings.received == Strings{"p", "r", "t", "a", "z", "c"});
}
