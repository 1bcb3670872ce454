#include "compare.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace golden {
namespace {

using Lines = std::vector<std::string>;
using View = std::span<const std::string>;

/// For each place in the expected and each in the actual lines, how many lines what follows has in common at most.
class Table {
public:
    Table(View expected, View actual, bool ellipsis)
        : expected_(expected),
          actual_(actual),
          ellipsis_(ellipsis),
          width_(actual.size() + 1),
          lengths_((expected.size() + 1) * width_) {
        for (std::size_t i = expected.size(); i-- > 0;) {
            for (std::size_t k = actual.size(); k-- > 0;) {
                lengths_[i * width_ + k] =
                    matches(i, k) ? at(i + 1, k + 1) + 1 : std::max(at(i + 1, k), at(i, k + 1));
            }
        }
    }

    bool matches(std::size_t i, std::size_t k) const {
        return matchesLine(expected_[i], actual_[k], ellipsis_);
    }

    std::size_t at(std::size_t i, std::size_t k) const { return lengths_[i * width_ + k]; }

private:
    View expected_;
    View actual_;
    bool ellipsis_;
    std::size_t width_;
    std::vector<std::size_t> lengths_;
};

bool isGap(std::string_view line, bool ellipsis) {
    return ellipsis && line == "...";
}

/// Whether all lines match, gaps taken into account.
bool allMatch(View expected, View actual, bool ellipsis) {
    std::size_t i = 0;
    std::size_t k = 0;
    std::size_t gap = expected.size(); // the last gap seen, and the actual line up to which it reaches
    std::size_t gapEnd = 0;
    while (k < actual.size()) {
        if (i < expected.size() && isGap(expected[i], ellipsis)) {
            gap = i++;
            gapEnd = k;
        } else if (i < expected.size() && matchesLine(expected[i], actual[k], ellipsis)) {
            ++i;
            ++k;
        } else if (gap < expected.size()) {
            i = gap + 1;
            k = ++gapEnd;
        } else {
            return false;
        }
    }
    return std::all_of(expected.begin() + static_cast<std::ptrdiff_t>(i), expected.end(),
                       [ellipsis](const std::string& line) { return isGap(line, ellipsis); });
}

std::string sideBySide(View expected, View actual, bool ellipsis) {
    const Table table(expected, actual, ellipsis);
    std::string text;
    std::size_t i = 0;
    std::size_t k = 0;
    while (i < expected.size() || k < actual.size()) {
        if (i < expected.size() && k < actual.size() && table.matches(i, k)) {
            text += "  " + actual[k] + "\n";
            ++i;
            ++k;
        } else if (i < expected.size() && (k == actual.size() || table.at(i + 1, k) >= table.at(i, k + 1))) {
            text += "- " + expected[i] + "\n";
            ++i;
        } else {
            text += "+ " + actual[k] + "\n";
            ++k;
        }
    }
    return text;
}

Lines sorted(View lines) {
    Lines result(lines.begin(), lines.end());
    std::ranges::sort(result);
    return result;
}

} // namespace

bool matchesLine(std::string_view expected, std::string_view actual, bool ellipsis) {
    const std::size_t gap = ellipsis ? expected.find("...") : std::string_view::npos;
    if (gap == std::string_view::npos) {
        return expected == actual;
    }
    if (!actual.starts_with(expected.substr(0, gap))) {
        return false;
    }
    const std::string_view rest = expected.substr(gap + 3);
    for (std::size_t at = gap; at <= actual.size(); ++at) {
        if (matchesLine(rest, actual.substr(at), true)) {
            return true;
        }
    }
    return false;
}

std::string difference(View expected, View actual, Order order, bool ellipsis) {
    if (order == Order::anyOrder) {
        const Lines expectedLines = sorted(expected);
        const Lines actualLines = sorted(actual);
        return expectedLines == actualLines ? "" : sideBySide(expectedLines, actualLines, false);
    }
    return allMatch(expected, actual, ellipsis) ? "" : sideBySide(expected, actual, ellipsis);
}

} // namespace golden
