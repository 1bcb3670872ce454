#include <ropewalk/protocols/int_n_string_receiver.hpp>

#include <algorithm>
#include <string>

namespace ropewalk::protocols {

namespace {

std::size_t readNumber(std::string_view bytes, std::size_t count) noexcept {
    const auto byte = [bytes](std::size_t at) { return std::size_t{static_cast<unsigned char>(bytes[at])}; };
    switch (count) {
        case 1:
            return byte(0);
        case 2:
            return byte(0) << 8 | byte(1);
        default:
            return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
    }
}

} // namespace

void IntNStringReceiver::dataReceived(std::string_view data) {
    receive(data);
}

void IntNStringReceiver::receive(std::string_view data) {
    if (!unread_.begin(data)) {
        return;
    }
    try {
        deliver();
    } catch (...) {
        unread_.end();
        throw;
    }
    unread_.end();
}

void IntNStringReceiver::deliver() {
    while (delivers()) {
        if (!hasLength_) {
            if (!leaveOut() || !unread_.reach(prefix_)) {
                return;
            }
            length_ = readNumber(unread_.front(), prefix_);
            unread_.use(prefix_);
            if (length_ > MAX_LENGTH) {
                exceeded();
                continue;
            }
            hasLength_ = true;
        }
        if (!unread_.reach(length_)) {
            return;
        }
        const std::string_view string = unread_.front().substr(0, length_);
        unread_.use(length_);
        hasLength_ = false;
        stringReceived(string);
    }
}

// The string is left out, even if the call throws; unless the call raises the limit.
void IntNStringReceiver::exceeded() {
    leftOut_ = length_;
    lengthLimitExceeded(length_);
    if (length_ <= MAX_LENGTH) {
        leftOut_ = 0;
        hasLength_ = true;
    }
}

// Whether nothing is to be left out any more.
bool IntNStringReceiver::leaveOut() {
    while (leftOut_ > 0) {
        if (!unread_.reach(1)) {
            return false;
        }
        const std::size_t count = std::min(leftOut_, unread_.front().size());
        unread_.use(count);
        leftOut_ -= count;
    }
    return true;
}

void IntNStringReceiver::lengthLimitExceeded(std::size_t) {
    if (transport) {
        transport->loseConnection();
    }
}

void IntNStringReceiver::sendString(std::string_view string) {
    const std::uint64_t limit = std::uint64_t{1} << (8 * prefix_);
    if (string.size() >= limit) {
        throw StringTooLongError("a string of " + std::to_string(string.size()) +
                                 " bytes, whose length doesn't fit into " + std::to_string(prefix_) +
                                 (prefix_ == 1 ? " byte" : " bytes"));
    }
    char prefix[8];
    for (std::size_t i = 0; i < prefix_; ++i) {
        prefix[i] = static_cast<char>(string.size() >> (8 * (prefix_ - 1 - i)) & 0xFF);
    }
    transport->write(std::string_view(prefix, prefix_));
    transport->write(string);
}

} // namespace ropewalk::protocols
