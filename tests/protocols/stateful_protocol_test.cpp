#include <ropewalk/protocols/stateful_protocol.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <ropewalk/defer/errors.hpp>

#include "probes.hpp"

using probes::Strings;
using probes::StringTransport;
using ropewalk::protocols::StatefulProtocol;

namespace {

/// A digit, and as many bytes.
struct Frames final : StatefulProtocol {
    State getInitialState() override { return {&Frames::header, 1}; }
    State header(std::string_view data) {
        const auto size = static_cast<std::size_t>(data.front() - '0');
        if (size == 9) throw std::runtime_error("too long");
        return {&Frames::body, size};
    }
    State body(std::string_view data) {
        bodies.emplace_back(data);
        if (data == "quit") transport->loseConnection();
        if (data == "more") dataReceived("1z");
        return {&Frames::header, 1};
    }
    Strings bodies;
};

std::shared_ptr<Frames> connected() {
    auto frames = std::make_shared<Frames>();
    frames->makeConnection(std::make_shared<StringTransport>());
    return frames;
}

} // namespace

TEST_CASE("each state gets as many bytes as it waits for, however they come") {
    const std::string data = "3abc0"
                             "5hello1x";
    for (std::size_t size = 1; size <= data.size(); ++size) {
        const auto frames = connected();
        for (std::size_t at = 0; at < data.size(); at += size) frames->dataReceived(data.substr(at, size));
        CHECK(frames->bodies == Strings{"abc", "", "hello", "x"});
    }
}

TEST_CASE("a handler that returns no state stays") {
    struct Pairs final : StatefulProtocol {
        State getInitialState() override { return {&Pairs::pair, 2}; }
        State pair(std::string_view data) {
            pairs.emplace_back(data);
            return {};
        }
        Strings pairs;
    } pairs;
    pairs.makeConnection(std::make_shared<StringTransport>());
    pairs.dataReceived("ab");
    pairs.dataReceived("cde");
    pairs.dataReceived("f");
    CHECK(pairs.pairs == Strings{"ab", "cd", "ef"});
}

TEST_CASE("a stateful protocol delivers nothing once the connection closes") {
    const auto frames = connected();
    frames->dataReceived("4quit1a");
    CHECK(frames->bodies == Strings{"quit"});
}

TEST_CASE("a stateful protocol goes on behind what threw, and takes what comes in between last") {
    const auto frames = connected();
    CHECK_THROWS_AS(frames->dataReceived("1a91b"), std::runtime_error);
    frames->dataReceived("4more1c");
    CHECK(frames->bodies == Strings{"a", "b", "more", "c", "z"});
}

TEST_CASE("no state, and a state that waits for nothing for ever, are refused") {
    struct Idle final : StatefulProtocol {
        State getInitialState() override { return begins ? State(&Idle::nothing, 0) : State(); }
        State nothing(std::string_view) { return {}; }
        bool begins = false;
    };
    Idle idle;
    idle.makeConnection(std::make_shared<StringTransport>());
    CHECK_THROWS_AS(idle.dataReceived("a"), ropewalk::AssertionError);
    idle.begins = true;
    idle.makeConnection(std::make_shared<StringTransport>());
    CHECK_THROWS_AS(idle.dataReceived("a"), ropewalk::AssertionError);
}
