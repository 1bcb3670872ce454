#include <ropewalk/protocols/netstring.hpp>

#include <limits>

namespace ropewalk::protocols {

namespace detail {

namespace {

const char* const noLength = "the netstring doesn't begin with its length";
const char* const longerThanAllowed = "the netstring is longer than MAX_LENGTH";

} // namespace

const char* const missingComma = "the netstring doesn't end with a comma";

NetstringLength readNetstringLength(std::string_view data, std::size_t maxLength) noexcept {
    constexpr std::size_t mayGrow = std::numeric_limits<std::size_t>::max() / 10 - 1;
    NetstringLength read;
    for (; read.digits < data.size(); ++read.digits) {
        const auto digit = static_cast<unsigned>(data[read.digits] - '0');
        if (digit > 9 || (read.length == 0 && read.digits != 0)) {
            if (data[read.digits] == ':' && read.digits != 0) {
                read.complete = true;
            } else {
                read.wrong = noLength;
            }
            return read;
        }
        if (read.length > mayGrow) {
            read.wrong = longerThanAllowed;
            return read;
        }
        read.length = read.length * 10 + digit;
        if (read.length > maxLength) {
            read.wrong = longerThanAllowed;
            return read;
        }
    }
    return read;
}

} // namespace detail

std::string formatNetstring(std::string_view string) {
    std::string netstring = std::to_string(string.size());
    netstring.reserve(netstring.size() + string.size() + 2);
    netstring.append(1, ':').append(string).append(1, ',');
    return netstring;
}

std::string_view takeNetstring(std::string_view& data, std::size_t maxLength) {
    const detail::NetstringLength read = detail::readNetstringLength(data, maxLength);
    if (read.wrong != nullptr) {
        throw NetstringParseError(read.wrong);
    }
    const std::string_view behind = data.substr(read.digits);
    if (!read.complete || behind.size() < 2 || behind.size() - 2 < read.length) {
        throw IncompleteNetstring("the netstring isn't complete");
    }
    if (behind[read.length + 1] != ',') {
        throw NetstringParseError(detail::missingComma);
    }
    data = behind.substr(read.length + 2);
    return behind.substr(1, read.length);
}

} // namespace ropewalk::protocols
