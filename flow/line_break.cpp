#include <ropewalk/flow/line_break.hpp>

#include <algorithm>

#include <ropewalk/flow/errors.hpp>

namespace ropewalk::flow::detail {

namespace {

std::string beginning(std::string_view line) {
    constexpr std::size_t shown = 20;
    return "'" + std::string(line.substr(0, shown)) + (line.size() > shown ? "…'" : "'");
}

} // namespace

LineCutter::LineCutter(LineBreakOptions options) : options_(std::move(options)) {
    if (options_.delimiter.empty()) {
        throw ValueError("the delimiter of lines is empty");
    }
}

void LineCutter::tooLong(std::string_view line) {
    const std::string message = "a line of more than " + std::to_string(options_.maxlength) +
                                " bytes, which begins with " + beginning(line);
    begun_.clear();
    throw LineTooLong(message);
}

void LineCutter::keep(std::string_view rest) {
    begun_ += rest;
    if (begun_.size() > options_.maxlength &&
        begun_.size() - options_.maxlength >= options_.delimiter.size()) {
        tooLong(begun_);
    }
}

void LineCutter::cut(std::string_view piece, Results<std::string>& lines) {
    const std::string& delimiter = options_.delimiter;
    if (!begun_.empty()) {
        // The delimiter may have begun in what is kept.
        const std::size_t overlap = std::min(begun_.size(), delimiter.size() - 1);
        const std::size_t kept = begun_.size();
        begun_ += piece.substr(0, delimiter.size() - 1);
        std::size_t end = begun_.find(delimiter, kept - overlap);
        if (end != std::string::npos) {
            piece.remove_prefix(end + delimiter.size() - kept);
            begun_.resize(end);
        } else {
            begun_.resize(kept);
            end = piece.find(delimiter);
            if (end == std::string_view::npos) {
                keep(piece);
                return;
            }
            begun_ += piece.substr(0, end);
            piece.remove_prefix(end + delimiter.size());
        }
        if (begun_.size() > options_.maxlength) {
            tooLong(begun_);
        }
        lines.emplace(std::exchange(begun_, {}));
    }
    for (std::size_t end; (end = piece.find(delimiter)) != std::string_view::npos;) {
        if (end > options_.maxlength) {
            tooLong(piece.substr(0, end));
        }
        lines.emplace(piece.substr(0, end));
        piece.remove_prefix(end + delimiter.size());
    }
    keep(piece);
}

void LineCutter::end(Results<std::string>& lines) {
    if (begun_.empty()) {
        return;
    }
    if (!options_.trailer) {
        throw RuntimeError("trailing data remains: " + beginning(std::exchange(begun_, {})));
    }
    if (begun_.size() > options_.maxlength) {
        tooLong(begun_);
    }
    lines.emplace(std::exchange(begun_, {}));
}

} // namespace ropewalk::flow::detail
