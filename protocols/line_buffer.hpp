#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include <ropewalk/protocols/unread.hpp>

namespace ropewalk::protocols::detail {

/// What was received, as lines.
class LineBuffer : private Unread {
public:
    enum class Next : std::uint8_t {
        line,       ///< there is one
        unfinished, ///< what there is, all of it now at the front, holds no delimiter
        tooLong,    ///< the line is longer than allowed, or will be
    };
    static constexpr std::size_t anyLength = std::numeric_limits<std::size_t>::max();

    using Unread::any;
    using Unread::begin;
    using Unread::end;
    using Unread::front;
    using Unread::takeLate;

    /// Takes the next line off, without its delimiter, if there is anything at all. Throws `ValueError` if the
    /// delimiter is empty.
    Next next(std::string_view delimiter, std::size_t maxLength, std::string_view& line) {
        if (searched_ == 0 && delimiter.size() - 1 <= 1) [[likely]] {
            const std::string_view there = front();
            const std::size_t size = findShort(there, delimiter);
            if (size != std::string_view::npos) [[likely]] {
                if (size > maxLength) {
                    return Next::tooLong;
                }
                line = there.substr(0, size);
                Unread::use(size + delimiter.size());
                return Next::line;
            }
        }
        return nextInParts(delimiter, maxLength, line);
    }

    void use(std::size_t count) noexcept {
        searched_ = 0;
        Unread::use(count);
    }
    std::string_view all() {
        searched_ = 0;
        return Unread::all();
    }
    std::string takeAll() {
        searched_ = 0;
        return Unread::takeAll();
    }

private:
    static std::size_t findShort(std::string_view text, std::string_view delimiter) noexcept;
    static std::size_t find(std::string_view text, std::string_view delimiter) noexcept;
    Next nextInParts(std::string_view delimiter, std::size_t maxLength, std::string_view& line);
    Next took(std::size_t size, std::size_t delimiter, std::string_view& line);

    std::size_t searched_ = 0; // so many bytes of the front begin no delimiter
    std::string searchedFor_;
};

/// Where a delimiter of one byte or two begins, in a text that isn't empty.
inline std::size_t LineBuffer::findShort(std::string_view text, std::string_view delimiter) noexcept {
    const std::size_t before = delimiter.size() - 1;
    const char last = delimiter.back();
    const char* at = text.data() + before;
    const char* const end = text.data() + text.size();
    while ((at = static_cast<const char*>(std::memchr(at, last, static_cast<std::size_t>(end - at)))) !=
           nullptr) {
        const char* const first = at - before;
        if (*first == delimiter.front()) [[likely]] {
            return static_cast<std::size_t>(first - text.data());
        }
        ++at;
    }
    return std::string_view::npos;
}

} // namespace ropewalk::protocols::detail
