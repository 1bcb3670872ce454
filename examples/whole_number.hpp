#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace python {

/// A whole number of any size, as Python's `int` is: as much of it as the examples use.
class WholeNumber {
public:
    WholeNumber() = default;
    WholeNumber(std::uint32_t value) {
        if (value != 0) {
            parts_.push_back(value % base);
            if (value >= base) {
                parts_.push_back(value / base);
            }
        }
    }

    /// Decimal digits, perhaps with a sign; none for any other text.
    static std::optional<WholeNumber> parse(std::string_view text) {
        WholeNumber number;
        if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
            number.negative_ = text[0] == '-';
            text.remove_prefix(1);
        }
        if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
            return std::nullopt;
        }
        while (!text.empty()) {
            const std::string_view last = text.substr(text.size() - std::min(text.size(), digits));
            std::uint32_t part = 0;
            for (const char digit : last) {
                part = part * 10 + static_cast<std::uint32_t>(digit - '0');
            }
            number.parts_.push_back(part);
            text.remove_suffix(last.size());
        }
        number.trim();
        return number;
    }

    friend WholeNumber operator*(const WholeNumber& a, const WholeNumber& b) {
        WholeNumber product;
        product.parts_.resize(a.parts_.size() + b.parts_.size());
        for (std::size_t i = 0; i < a.parts_.size(); ++i) {
            std::uint64_t carried = 0;
            for (std::size_t j = 0; j < b.parts_.size() || carried != 0; ++j) {
                const std::uint64_t sum =
                    carried + product.parts_[i + j] +
                    (j < b.parts_.size() ? std::uint64_t{a.parts_[i]} * b.parts_[j] : std::uint64_t{0});
                product.parts_[i + j] = static_cast<std::uint32_t>(sum % base);
                carried = sum / base;
            }
        }
        product.negative_ = a.negative_ != b.negative_;
        product.trim();
        return product;
    }
    WholeNumber& operator*=(const WholeNumber& other) { return *this = *this * other; }

    std::string str() const {
        if (parts_.empty()) {
            return "0";
        }
        std::string text = negative_ ? "-" : "";
        text += std::to_string(parts_.back());
        for (std::size_t i = parts_.size() - 1; i-- > 0;) {
            const std::string part = std::to_string(parts_[i]);
            text += std::string(digits - part.size(), '0') + part;
        }
        return text;
    }
    friend std::ostream& operator<<(std::ostream& out, const WholeNumber& number) {
        return out << number.str();
    }

private:
    static constexpr std::uint32_t base = 1'000'000'000;
    static constexpr std::size_t digits = 9;

    void trim() {
        while (!parts_.empty() && parts_.back() == 0) {
            parts_.pop_back();
        }
        negative_ = negative_ && !parts_.empty();
    }

    std::vector<std::uint32_t> parts_; // the lowest first
    bool negative_ = false;
};

/// The numbers of a line, with blanks between them; none if one of them is no number.
inline std::optional<std::vector<WholeNumber>> wholeNumbers(std::string_view line) {
    constexpr std::string_view blanks = " \t\r\n\v\f";
    std::vector<WholeNumber> numbers;
    for (std::size_t at = line.find_first_not_of(blanks); at != std::string_view::npos;) {
        const std::size_t end = std::min(line.find_first_of(blanks, at), line.size());
        const auto number = WholeNumber::parse(line.substr(at, end - at));
        if (!number) {
            return std::nullopt;
        }
        numbers.push_back(*number);
        at = line.find_first_not_of(blanks, end);
    }
    return numbers;
}

} // namespace python
