#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ropewalk/protocols/string_transport.hpp>

/// What tests of receivers share: a receiver that keeps what it is given, and does what the test says.
namespace probes {

using Strings = std::vector<std::string>;
using ropewalk::protocols::StringTransport;

/// A `Base` with a StringTransport. `onLine`, if set, is called for each line or string.
template <class Base>
struct Connected : Base {
    Connected() { this->makeConnection(wire); }
    void got(std::string_view text) {
        received.emplace_back(text);
        if (onLine) {
            onLine(text);
        }
    }
    /// Each piece goes away when it has been received.
    void feed(std::initializer_list<std::string_view> pieces) {
        for (const std::string_view piece : pieces) {
            this->dataReceived(std::string(piece));
        }
    }
    void feedBytes(std::string_view data) {
        for (const char byte : data) {
            this->dataReceived(std::string(1, byte));
        }
    }

    std::shared_ptr<StringTransport> wire =
        std::make_shared<StringTransport>(StringTransport::Options{.lenient = true});
    Strings received;
    std::function<void(std::string_view)> onLine;
};

template <class Base>
struct Lines : Connected<Base> {
    void lineReceived(std::string_view line) override { this->got(line); }
};

template <class Base>
struct Texts : Connected<Base> {
    void stringReceived(std::string_view string) override { this->got(string); }
};

} // namespace probes
