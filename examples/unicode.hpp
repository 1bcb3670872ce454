#pragma once

#include <ropewalk/defer/errors.hpp>

#include <cstddef>
#include <cstdint>
#include <locale.h>
#include <string>
#include <string_view>
#include <vector>
#include <wctype.h>

/// What Python does with a text, and C++ with bytes: here a text is UTF-8.
namespace python {

class UnicodeDecodeError : public ropewalk::ValueError {
public:
    using ValueError::ValueError;
};

namespace detail {

[[noreturn]] inline void cannotDecode(std::string_view text, std::size_t at, std::string_view why) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(text[at]);
    throw UnicodeDecodeError("'utf-8' codec can't decode byte 0x" +
                             std::string{digits[byte >> 4], digits[byte & 15]} + " in position " +
                             std::to_string(at) + ": " + std::string(why));
}

/// How many bytes the character takes that begins at `at`, and its code point.
inline std::size_t decodeOne(std::string_view text, std::size_t at, char32_t& point) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t size = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
    if (size == 0) {
        cannotDecode(text, at, "invalid start byte");
    }
    point = size == 1 ? first : first & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if (at + i == text.size()) {
            cannotDecode(text, at, "unexpected end of data");
        }
        const auto next = static_cast<unsigned char>(text[at + i]);
        const unsigned low = i > 1 ? 0x80 : first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        const unsigned high = i > 1 ? 0xbf : first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (next < low || next > high) {
            cannotDecode(text, at, "invalid continuation byte");
        }
        point = (point << 6) | (next & 0x3fU);
    }
    return size;
}

inline void encodeOne(char32_t point, std::string& text) {
    const auto add = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
    if (point < 0x80) {
        add(point);
    } else if (point < 0x800) {
        add(0xc0 | point >> 6);
        add(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        add(0xe0 | point >> 12);
        add(0x80 | (point >> 6 & 0x3f));
        add(0x80 | (point & 0x3f));
    } else {
        add(0xf0 | point >> 18);
        add(0x80 | (point >> 12 & 0x3f));
        add(0x80 | (point >> 6 & 0x3f));
        add(0x80 | (point & 0x3f));
    }
}

} // namespace detail

/// The characters of a text, `bytes.decode('utf8')`; throws `UnicodeDecodeError`.
inline std::u32string decode(std::string_view text) {
    std::u32string result;
    for (std::size_t at = 0; at < text.size();) {
        char32_t point = 0;
        at += detail::decodeOne(text, at, point);
        result += point;
    }
    return result;
}

inline std::string encode(std::u32string_view characters) {
    std::string result;
    for (const char32_t point : characters) {
        detail::encodeOne(point, result);
    }
    return result;
}

/// How many characters a text has.
inline std::size_t len(std::string_view text) {
    return decode(text).size();
}

/// `str.lower`.
inline std::string lower(std::string_view text) {
    static const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    std::u32string characters = decode(text);
    for (char32_t& point : characters) {
        point = static_cast<char32_t>(towlower_l(static_cast<wint_t>(point), unicode));
    }
    return encode(characters);
}

} // namespace python
