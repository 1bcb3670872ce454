#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include <ropewalk/defer/chain.hpp>

/// How a Deferred prints: as Twisted's does.
namespace ropewalk::defer::detail {

/// `result` is the text of the value that it holds; when it is empty, its type's name stands for it.
std::string describe(const Chain& chain, std::string_view result);

std::string textOf(bool value);
std::string textOf(std::integral auto value) {
    return std::to_string(value);
}
std::string textOf(double value);
std::string textOf(std::string_view value);

template <class T>
inline constexpr bool hasText = requires(const T& value) { textOf(value); };

} // namespace ropewalk::defer::detail
