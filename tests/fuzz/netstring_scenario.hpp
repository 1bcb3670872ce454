#pragma once

#include "splits.hpp"

#include <cstddef>

#include <ropewalk/protocols/netstring_receiver.hpp>

/// A netstring receiver whose strings say what happens next, beside a plain model of it.
namespace fuzz {

/// `p…`: pause; `t…`: throw; `c…`: close.
struct ActingNetstringReceiver final : ropewalk::protocols::NetstringReceiver {
    void stringReceived(std::string_view string) override {
        events.push_back("string " + std::string(string));
        const char action = string.empty() ? ' ' : string.front();
        if (action == 'p') {
            pauseProducing();
        } else if (action == 'c') {
            transport->loseConnection();
        } else if (action == 't') {
            throw "thrown by stringReceived";
        }
    }
    void handleParseError(const ropewalk::protocols::NetstringParseError&) override {
        events.emplace_back("wrong");
    }

    Events events;
};

inline Events expectedNetstrings(std::string_view data, std::size_t maxLength) {
    Events events;
    const auto wrong = [&] {
        events.emplace_back("wrong");
        return events;
    };
    while (!data.empty()) {
        const std::size_t digits = std::min(data.find_first_not_of("0123456789"), data.size());
        if (digits == 0 || (digits > 1 && data.front() == '0')) return wrong();
        // The number is no longer than the input, and that is short.
        std::size_t length = 0;
        for (const char digit : data.substr(0, digits)) {
            length = length * 10 + static_cast<std::size_t>(digit - '0');
            if (length > maxLength) return wrong();
        }
        data.remove_prefix(digits);
        if (data.empty()) return events;
        if (data.front() != ':') return wrong();
        if (data.size() < length + 2) return events;
        if (data[length + 1] != ',') return wrong();
        events.push_back("string " + std::string(data.substr(1, length)));
        if (data.substr(1, length).starts_with('c')) return events;
        data.remove_prefix(length + 2);
    }
    return events;
}

inline std::string checkNetstrings(std::string_view input) {
    static constexpr std::size_t lengths[] = {99999, 0, 9, 12};
    if (input.empty()) return {};
    const std::size_t maxLength = lengths[static_cast<unsigned char>(input.front()) & 3];
    const std::string_view data = input.substr(1);
    return disagreement(expectedNetstrings(data, maxLength), data, [&](const Pieces& pieces) {
        ActingNetstringReceiver receiver;
        receiver.MAX_LENGTH = maxLength;
        feed(receiver, pieces);
        return receiver.events;
    });
}

} // namespace fuzz
