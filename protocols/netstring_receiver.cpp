#include <ropewalk/protocols/netstring_receiver.hpp>

#include <algorithm>
#include <charconv>

namespace ropewalk::protocols {

void NetstringReceiver::dataReceived(std::string_view data) {
    receive(data);
}

void NetstringReceiver::receive(std::string_view data) {
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

void NetstringReceiver::deliver() {
    while (delivers() && !broken_) {
        if (!hasLength_ && !readUsualLength() && !readLength()) {
            break;
        }
        if (!unread_.reach(length_ + 1)) {
            return;
        }
        const std::string_view there = unread_.front();
        if (there[length_] != ',') {
            refuse(detail::missingComma);
            break;
        }
        unread_.use(length_ + 1);
        hasLength_ = false;
        stringReceived(there.substr(0, length_));
    }
    if (broken_) {
        unread_.drop();
    }
}

// The fast way for a length that is all right and lies at the front; says no to any other.
bool NetstringReceiver::readUsualLength() noexcept {
    constexpr std::size_t digits = 18; // which don't overflow
    const std::string_view there = unread_.front();
    const std::size_t end = std::min(there.size(), digits + 1);
    std::size_t length = 0;
    for (std::size_t at = 0; at < end; ++at) {
        const auto digit = static_cast<unsigned>(there[at] - '0');
        if (digit > 9) {
            if (there[at] != ':' || at == 0 || length > MAX_LENGTH || (there[0] == '0' && at != 1)) {
                return false;
            }
            unread_.use(at + 1);
            length_ = length;
            hasLength_ = true;
            return true;
        }
        length = length * 10 + digit;
    }
    return false;
}

// Whether the length of the next string is known now.
bool NetstringReceiver::readLength() {
    while (unread_.any()) {
        const std::string_view there = unread_.front();
        const detail::NetstringLength read = detail::readNetstringLength(there, MAX_LENGTH);
        if (read.wrong != nullptr) {
            refuse(read.wrong);
            return false;
        }
        if (read.complete) {
            unread_.use(read.digits + 1);
            length_ = read.length;
            hasLength_ = true;
            return true;
        }
        if (!unread_.reach(there.size() + 1)) {
            return false;
        }
    }
    return false;
}

void NetstringReceiver::refuse(const char* why) {
    broken_ = true;
    unread_.drop();
    handleParseError(NetstringParseError(why));
}

void NetstringReceiver::handleParseError(const NetstringParseError&) {
    if (transport) {
        transport->loseConnection();
    }
}

void NetstringReceiver::sendString(std::string_view string) {
    char prefix[24];
    char* end = std::to_chars(prefix, prefix + sizeof prefix - 1, string.size()).ptr;
    *end++ = ':';
    transport->write(std::string_view(prefix, static_cast<std::size_t>(end - prefix)));
    transport->write(string);
    transport->write(",");
}

} // namespace ropewalk::protocols
