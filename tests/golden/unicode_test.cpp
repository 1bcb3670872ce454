#include "unicode.hpp"

#include "option_parser.hpp"
#include "python_text.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;

std::string troubleWith(std::string_view bytes) {
    try {
        python::decode(bytes);
    } catch (const python::UnicodeDecodeError& error) {
        return error.what();
    }
    return "";
}

TEST_CASE("a text's characters are counted and made small as Python does it") {
    CHECK(python::len("ÀÉÎ") == 3);
    CHECK(python::len("") == 0);
    CHECK(python::lower("The ÀÉÎ of Ω, 😀!") == "the àéî of ω, 😀!");
    CHECK(python::encode(python::decode("a é ’ 😀")) == "a é ’ 😀");
}

TEST_CASE("what is no UTF-8 is refused, in Python's words") {
    CHECK(troubleWith("ab\xff") == "'utf-8' codec can't decode byte 0xff in position 2: invalid start byte");
    CHECK(troubleWith("\xc3") ==
          "'utf-8' codec can't decode byte 0xc3 in position 0: unexpected end of data");
    CHECK(troubleWith("\xc3(") ==
          "'utf-8' codec can't decode byte 0xc3 in position 0: invalid continuation byte");
    CHECK(troubleWith("\xed\xa0\x80") ==
          "'utf-8' codec can't decode byte 0xed in position 0: invalid continuation byte");
    CHECK(troubleWith("\xc0\x80") ==
          "'utf-8' codec can't decode byte 0xc0 in position 0: invalid start byte");
}

TEST_CASE("a duration is printed as a timedelta") {
    CHECK(python::str(8412345us) == "0:00:08.412345");
    CHECK(python::str(3600s) == "1:00:00");
}

TEST_CASE("a command line is read as optparse does") {
    python::OptionParser parser("%prog [options] file\n");
    parser.addOption("--port", "The port.", "80");
    parser.addOption("--num-bytes", "How many.", "10");
    parser.addOption("--delay", "How long.");
    std::string words[]{"/a/program", "--port=8080", "one", "--delay", "0.5", "two:2"};
    char* argv[]{words[0].data(), words[1].data(), words[2].data(),
                 words[3].data(), words[4].data(), words[5].data()};
    parser.parse(6, argv);
    CHECK(parser.args() == std::vector<std::string>{"one", "two:2"});
    CHECK(parser.number("--port") == 8080);
    CHECK(parser.number("--num-bytes") == 10);
    CHECK(parser.number<double>("--delay") == 0.5);
    CHECK(python::parseAddress(parser, "two:2") == std::pair(std::string("two"), 2));
    CHECK(python::parseAddress(parser, "2") == std::pair(std::string("127.0.0.1"), 2));
    CHECK(parser.formatHelp() == "Usage: program [options] file\n"
                                 "\n"
                                 "\n"
                                 "Options:\n"
                                 "  -h, --help             show this help message and exit\n"
                                 "  --port=PORT            The port.\n"
                                 "  --num-bytes=NUM_BYTES  How many.\n"
                                 "  --delay=DELAY          How long.\n");
}

} // namespace
