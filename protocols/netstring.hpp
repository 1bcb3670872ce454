#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <ropewalk/defer/errors.hpp>

/// Netstrings, `5:hello,`: their length in decimal, a colon, the string, a comma.
namespace ropewalk::protocols {

/// `basic.NetstringParseError`: it is no netstring, or a longer one than allowed.
class NetstringParseError : public ValueError {
public:
    using ValueError::ValueError;
};

/// `basic.IncompleteNetstring`: it is only the beginning of one.
class IncompleteNetstring : public Exception {
public:
    using Exception::Exception;
};

/// The string as a netstring.
std::string formatNetstring(std::string_view string);

/// Takes the first netstring off `data` and gives its string, a part of `data`. Throws `NetstringParseError`
/// or `IncompleteNetstring`, and then leaves `data` alone. Twisted has none.
std::string_view takeNetstring(std::string_view& data, std::size_t maxLength = 99999);

namespace detail {

/// The digits at the beginning of a netstring and the colon: where they end, and what they say.
struct NetstringLength {
    const char* wrong = nullptr; // what is wrong, in words
    std::size_t digits = 0;
    bool complete = false; // there is the colon
    std::size_t length = 0;
};
NetstringLength readNetstringLength(std::string_view data, std::size_t maxLength) noexcept;

extern const char* const missingComma;

} // namespace detail

} // namespace ropewalk::protocols
