#include "scene.hpp"

#include "normalise.hpp"

#include <doctest/doctest.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using golden::sceneOf;

constexpr std::string_view cases = R"(# a comment
folder/one 0 0 exact
    start 10001 fastpoetry poetry/science.txt
    run main client {10001} two

folder/two 3 12 any
    # a comment
    send alice hello,  Bob\r\n
    wait 0.5
)";

TEST_CASE("a scene has its case's line and the steps below it, to the next case") {
    const auto one = sceneOf(cases, "folder/one");
    CHECK(one.status == 0);
    CHECK(one.order == golden::Order::exact);
    REQUIRE(one.steps.size() == 2);
    CHECK(one.steps[0].what == "start");
    CHECK(one.steps[0].words == std::vector<std::string>{"10001", "fastpoetry", "poetry/science.txt"});
    CHECK(one.steps[1].what == "run");
    CHECK(one.steps[1].words.back() == "two");

    const auto two = sceneOf(cases, "folder/two");
    CHECK(two.status == 3);
    CHECK(two.waits == 12);
    CHECK(two.order == golden::Order::anyOrder);
    REQUIRE(two.steps.size() == 2);
    CHECK(two.steps[0].text == "hello,  Bob\\r\\n");
    CHECK(two.steps[1].words == std::vector<std::string>{"0.5"});
}

TEST_CASE("what isn't there or can't be understood is an error") {
    CHECK_THROWS_AS(sceneOf(cases, "folder/three"), std::runtime_error);
    CHECK_THROWS_AS(sceneOf("one 0 0 sometimes\n", "one"), std::runtime_error);
    CHECK_THROWS_AS(sceneOf("one zero 0 exact\n", "one"), std::runtime_error);
    CHECK_THROWS_AS(sceneOf("one 0 0 exact\n    stop it\n", "one"), std::runtime_error);
    CHECK_THROWS_AS(sceneOf("one 0 0 exact\n    run main\n", "one"), std::runtime_error);
}

TEST_CASE("a text is unescaped") {
    CHECK(golden::unescaped(R"(a\r\nb\\n\x41\xff)") == "a\r\nb\\nA\xff");
    CHECK(golden::unescaped("") == "");
}

TEST_CASE("a server's port is the last one of its first line, when that is complete") {
    CHECK(golden::announcedPort(
              "Serving x on IPv4Address(type='TCP', host='127.0.0.1', port=4321).\nand more") == 4321);
    CHECK(golden::announcedPort("Proxying port=1 on port=23.\n") == 23);
    CHECK(golden::announcedPort("Serving on port=4321") == 0);
    CHECK(golden::announcedPort("Hello\nServing on port=4321\n") == 0);
}

TEST_CASE("a port that has a name is called by it, and stays when the text is normalised") {
    const std::string text = "a port=80, b port=8080, ('127.0.0.1', 80) 127.0.0.1:80 and 80\n";
    const std::string named = golden::namePorts(text, {{80, "web"}});
    CHECK(named == "a port=<web>, b port=8080, ('127.0.0.1', <web>) 127.0.0.1:<web> and 80\n");
    CHECK(golden::normalise(named) ==
          std::vector<std::string>{"a port=<web>, b port=<…>, ('127.0.0.1', <web>) 127.0.0.1:<web> and 80"});
}

TEST_CASE("how long something took is one form") {
    CHECK(golden::normalise("Got 3 poems in 0:00:08.412345\n") ==
          golden::normalise("Got 3 poems in <elapsed>\n"));
    CHECK(golden::normalise("Got 3 poems in 8.4\n") != golden::normalise("Got 3 poems in <elapsed>\n"));
}

} // namespace
