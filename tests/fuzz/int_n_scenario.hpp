#pragma once

#include "splits.hpp"

#include <cstddef>

#include <ropewalk/protocols/int_n_string_receiver.hpp>

/// The receivers of strings after their length, whose strings say what happens next, beside a plain model.
namespace fuzz {

enum class TooLong : std::uint8_t { close, leaveOut, raiseLimit };

/// `p…`: pause; `t…`: throw; `c…`: close.
template <class Base>
struct ActingIntNReceiver final : Base {
    void stringReceived(std::string_view string) override {
        events.push_back("string " + std::string(string));
        const char action = string.empty() ? ' ' : string.front();
        if (action == 'p') {
            this->pauseProducing();
        } else if (action == 'c') {
            this->transport->loseConnection();
        } else if (action == 't') {
            throw "thrown by stringReceived";
        }
    }
    void lengthLimitExceeded(std::size_t length) override {
        events.push_back("too long " + std::to_string(length));
        if (tooLong == TooLong::close) {
            this->transport->loseConnection();
        } else if (tooLong == TooLong::raiseLimit) {
            this->MAX_LENGTH = length;
        }
    }

    TooLong tooLong = TooLong::close;
    Events events;
};

inline Events expectedStrings(std::string_view data, std::size_t prefix, std::size_t maxLength,
                              TooLong tooLong) {
    Events events;
    while (data.size() >= prefix) {
        std::size_t length = 0;
        for (const char byte : data.substr(0, prefix)) {
            length = length * 256 + static_cast<unsigned char>(byte);
        }
        data.remove_prefix(prefix);
        bool wanted = true;
        if (length > maxLength) {
            events.push_back("too long " + std::to_string(length));
            if (tooLong == TooLong::close) return events;
            wanted = tooLong == TooLong::raiseLimit;
            if (wanted) maxLength = length;
        }
        if (data.size() < length) return events;
        if (wanted) {
            events.push_back("string " + std::string(data.substr(0, length)));
            if (data.substr(0, length).starts_with('c')) return events;
        }
        data.remove_prefix(length);
    }
    return events;
}

template <class Base>
std::string checkIntN(std::string_view data, std::size_t maxLength, TooLong tooLong) {
    const std::size_t prefix = ActingIntNReceiver<Base>().prefixLength();
    const Events expected = expectedStrings(data, prefix, maxLength, tooLong);
    return disagreement(expected, data, [&](const Pieces& pieces) {
        ActingIntNReceiver<Base> receiver;
        receiver.MAX_LENGTH = maxLength;
        receiver.tooLong = tooLong;
        feed(receiver, pieces);
        return receiver.events;
    });
}

inline std::string checkIntN(std::string_view input) {
    static constexpr std::size_t lengths[] = {99999, 0, 3, 300};
    static constexpr TooLong answers[] = {TooLong::close, TooLong::leaveOut, TooLong::raiseLimit,
                                          TooLong::close};
    if (input.empty()) return {};
    const auto choice = static_cast<unsigned char>(input.front());
    const std::string_view data = input.substr(1);
    const std::size_t maxLength = lengths[choice >> 2 & 3];
    const TooLong answer = answers[choice >> 4 & 3];
    switch (choice & 3) {
        case 0:
            return checkIntN<ropewalk::protocols::Int8StringReceiver>(data, maxLength, answer);
        case 1:
            return checkIntN<ropewalk::protocols::Int16StringReceiver>(data, maxLength, answer);
        default:
            return checkIntN<ropewalk::protocols::Int32StringReceiver>(data, maxLength, answer);
    }
}

} // namespace fuzz
