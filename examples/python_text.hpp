#pragma once

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/defer/names.hpp>

#include <algorithm>
#include <any>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <exception>
#include <expected>
#include <iostream>
#include <optional>
#include <ranges>
#include <source_location>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

/// Prints values as Python does, so that an example prints what its original prints: a list is `[3, 2, 1]`, a tuple
/// `(1, 'one')`, a string in a list `'one'`, and an entry of a `DeferredList`'s result `(True, 'd1 result')`.
namespace python {

namespace detail {

template <class T, template <class...> class Template>
constexpr bool isA = false;
template <template <class...> class Template, class... Arguments>
constexpr bool isA<Template<Arguments...>, Template> = true;

template <class T>
concept Text = std::convertible_to<const T&, std::string_view>;

template <class T>
concept Tuple = isA<T, std::pair> || isA<T, std::tuple>;

template <class T>
concept Nothing =
    std::same_as<T, ropewalk::None> || std::same_as<T, std::nullopt_t> || std::same_as<T, std::monostate>;

inline std::string quoted(std::string_view text) {
    const char quote = text.contains('\'') && !text.contains('"') ? '"' : '\'';
    std::string result(1, quote);
    for (const char c : text) {
        switch (c) {
            case '\n':
                result += "\\n";
                break;
            case '\r':
                result += "\\r";
                break;
            case '\t':
                result += "\\t";
                break;
            default:
                if (c == quote || c == '\\') {
                    result += '\\';
                }
                result += c;
        }
    }
    return result + quote;
}

inline std::string decimal(double value) {
    char digits[64];
    const double size = std::abs(value);
    const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
    const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    std::string result(digits, std::to_chars(digits, digits + sizeof digits, value, format).ptr);
    return plain && !result.contains('.') ? result + ".0" : result;
}

template <class T>
constexpr bool isDuration = false;
template <class Count, class Period>
constexpr bool isDuration<std::chrono::duration<Count, Period>> = true;

/// `0:00:08.400000`, as a `timedelta` is printed.
inline std::string timedelta(std::chrono::microseconds time) {
    const std::chrono::hh_mm_ss parts(time);
    const auto padded = [](long long value, std::size_t width) {
        const std::string digits = std::to_string(value);
        return std::string(width - std::min(width, digits.size()), '0') + digits;
    };
    std::string result = std::to_string(parts.hours().count()) + ":" + padded(parts.minutes().count(), 2) +
                         ":" + padded(parts.seconds().count(), 2);
    return parts.subseconds().count() == 0 ? result : result + "." + padded(parts.subseconds().count(), 6);
}

template <class... Types>
std::string reprAny(const std::any& value);

} // namespace detail

/// What Python's `repr` gives. An error knows its arguments only as text: one that is a number is shown as a number. A
/// `std::any` may hold a number, a text, a tuple or list of such, or a Failure.
template <class T>
std::string repr(const T& value) {
    if constexpr (detail::Nothing<T>) {
        return "None";
    } else if constexpr (std::same_as<T, bool>) {
        return value ? "True" : "False";
    } else if constexpr (std::integral<T>) {
        return std::to_string(value);
    } else if constexpr (std::floating_point<T>) {
        return detail::decimal(value);
    } else if constexpr (detail::Text<T>) {
        return detail::quoted(value);
    } else if constexpr (std::same_as<T, std::any>) {
        using std::any, std::string, std::tuple;
        return detail::reprAny<int, string, tuple<any>, tuple<any, any>, tuple<string>, std::vector<any>,
                               ropewalk::Failure>(value);
    } else if constexpr (std::same_as<T, ropewalk::Failure>) {
        return value.repr();
    } else if constexpr (std::derived_from<T, std::exception>) {
        const std::string_view text = value.what();
        const bool number =
            !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
        const std::string name = ropewalk::typeName(typeid(value));
        return name.substr(name.rfind(':') + 1) + "(" +
               (text.empty() || number ? std::string(text) : detail::quoted(text)) + ")";
    } else if constexpr (detail::isDuration<T>) {
        return detail::timedelta(std::chrono::duration_cast<std::chrono::microseconds>(value));
    } else if constexpr (detail::isA<T, std::expected>) {
        return value ? "(True, " + repr(*value) + ")" : "(False, " + repr(value.error()) + ")";
    } else if constexpr (detail::isA<T, std::optional>) {
        return value ? repr(*value) : "None";
    } else if constexpr (detail::isA<T, std::variant>) {
        return std::visit([](const auto& inner) { return repr(inner); }, value);
    } else if constexpr (detail::Tuple<T>) {
        return std::apply(
            [](const auto&... items) {
                std::string result;
                ((result += (result.empty() ? "" : ", ") + repr(items)), ...);
                return "(" + result + (sizeof...(items) == 1 ? ",)" : ")");
            },
            value);
    } else if constexpr (std::ranges::input_range<const T>) {
        std::string result;
        for (const auto& item : value) {
            result += (result.empty() ? "" : ", ") + repr(item);
        }
        return "[" + result + "]";
    } else {
        std::ostringstream out;
        out << value;
        return std::move(out).str();
    }
}

template <class... Types>
std::string detail::reprAny(const std::any& value) {
    std::string result = value.has_value() ? "<" + ropewalk::typeName(value.type()) + ">" : "None";
    const auto take = [&]<class T>(const T* held) {
        if (held != nullptr) {
            result = repr(*held);
        }
    };
    (take(std::any_cast<Types>(&value)), ...);
    return result;
}

/// What Python's `str` gives: a text as it is, an error's message, of all else the `repr`.
template <class T>
std::string str(const T& value) {
    if constexpr (detail::Text<T>) {
        return std::string(std::string_view(value));
    } else if constexpr (std::same_as<T, std::any>) {
        const auto* text = std::any_cast<std::string>(&value);
        return text == nullptr ? repr(value) : *text;
    } else if constexpr (std::same_as<T, ropewalk::Failure>) {
        return value.str();
    } else if constexpr (std::derived_from<T, std::exception>) {
        return value.what();
    } else {
        return repr(value);
    }
}

/// What Python prints for a value's class: `<class 'ropewalk::Failure'>`.
template <class T>
std::string type(const T& value) {
    return "<class '" + ropewalk::typeName(typeid(value)) + "'>";
}

/// What `"%.02f" % value` gives: so many digits after the point.
inline std::string fixed(double value, int digits) {
    char text[400];
    return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits).ptr};
}

/// Python's `list` of a range.
template <std::ranges::input_range Range>
auto list(Range&& range) {
    std::vector<std::ranges::range_value_t<Range>> result;
    for (auto&& item : range) {
        result.push_back(std::forward<decltype(item)>(item));
    }
    return result;
}

/// Python's `print(…, file=out)`: the values with a blank between them, and a newline. Seen at once, as in a terminal.
template <class... Values>
void printTo(std::ostream& out, const Values&... values) {
    std::string line;
    [[maybe_unused]] bool first = true;
    ((line += (std::exchange(first, false) ? "" : " ") + str(values)), ...);
    out << line << '\n' << std::flush;
}

/// Python's `print`.
template <class... Values>
void print(const Values&... values) {
    printTo(std::cout, values...);
}

/// What Python does with an exception that leaves the program: prints the traceback to standard error, exit status 1.
///
///     int main() try {
///         …
///     } catch (...) {
///         return python::uncaught();
///     }
inline int uncaught(std::source_location where = std::source_location::current()) {
    std::cerr << ropewalk::Failure(where).getTraceback();
    return 1;
}

} // namespace python
