#include <ropewalk/protocols/line_buffer.hpp>

#include <algorithm>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk::protocols::detail {

std::size_t LineBuffer::find(std::string_view text, std::string_view delimiter) noexcept {
    if (text.size() < delimiter.size()) {
        return std::string_view::npos;
    }
    if (delimiter.size() <= 2) {
        return findShort(text, delimiter);
    }
    const void* const found = memmem(text.data(), text.size(), delimiter.data(), delimiter.size());
    return found == nullptr ? std::string_view::npos
                            : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

LineBuffer::Next LineBuffer::took(std::size_t size, std::size_t delimiter, std::string_view& line) {
    line = front().substr(0, size);
    use(size + delimiter);
    return Next::line;
}

// What lies apart is put together only as far as the line goes.
LineBuffer::Next LineBuffer::nextInParts(std::string_view delimiter, std::size_t maxLength,
                                         std::string_view& line) {
    if (delimiter.empty()) {
        throw ValueError("an empty delimiter");
    }
    const std::size_t ending = delimiter.size();
    const std::size_t overlap = ending - 1;
    const std::size_t allowed = maxLength < anyLength - ending ? maxLength + ending : anyLength;
    const auto search = [&] {
        const std::size_t size = find(front().substr(0, allowed).substr(searched_), delimiter);
        if (size != std::string_view::npos) {
            return searched_ + size;
        }
        const std::size_t looked = std::min(front().size(), allowed);
        searched_ = looked > overlap ? looked - overlap : 0;
        return size;
    };

    if (searchedFor_ != delimiter) {
        searched_ = 0;
    }
    do {
        searched_ = std::min({searched_, front().size(), allowed});
        if (const std::size_t size = search(); size != std::string_view::npos) {
            return took(size, ending, line);
        }
        if (front().size() >= allowed) {
            return Next::tooLong;
        }
        if (const std::string_view read = behind(); !read.empty()) {
            const std::size_t before = front().size();
            const std::size_t across = std::min(overlap, read.size());
            extend(across);
            if (const std::size_t size = search(); size != std::string_view::npos) {
                return took(size, ending, line);
            }
            const std::size_t size = find(read.substr(0, allowed - before), delimiter);
            if (size != std::string_view::npos) {
                extend(size + ending - across);
                return took(before + size, ending, line);
            }
            if (read.size() >= allowed - before) {
                return Next::tooLong;
            }
            extend(read.size() - across);
            searched_ = front().size() > overlap ? front().size() - overlap : 0;
        }
    } while (takeLate());
    if (searched_ != 0 && searchedFor_ != delimiter) {
        searchedFor_ = delimiter;
    }
    return Next::unfinished;
}

} // namespace ropewalk::protocols::detail
