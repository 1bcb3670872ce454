#pragma once

#include <span>
#include <string>
#include <string_view>

/// Compares lines that were expected with lines that came, and shows the difference.
namespace golden {

enum class Order {
    exact,    ///< line by line
    anyOrder, ///< as sets of lines: the order was left to a race
};

/// True if a line is the expected one. Where `...` stands in the expected line, any text may stand; it means so only in
/// expectations of our own, never in a recording, so the caller says whether it does.
bool matchesLine(std::string_view expected, std::string_view actual, bool ellipsis);

/// An empty text if the lines are equal, else a readable difference: a line that was expected and didn't come begins
/// with `-`, one that came and wasn't expected with `+`, one that both have with a blank.
/// With `ellipsis`, an expected line `...` alone stands for any number of lines, and `...` inside a line for any text.
std::string difference(std::span<const std::string> expected, std::span<const std::string> actual,
                       Order order = Order::exact, bool ellipsis = false);

} // namespace golden
