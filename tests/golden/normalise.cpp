#include "normalise.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <regex>
#include <utility>

namespace golden {
namespace {

using Lines = std::vector<std::string>;

Lines splitLines(std::string_view text) {
    Lines lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            lines.emplace_back("\\ no newline");
            break;
        }
        text.remove_prefix(end + 1);
    }
    return lines;
}

std::string lastComponent(std::string_view name) {
    const std::size_t end = name.find_last_of(".:");
    return std::string(end == std::string_view::npos ? name : name.substr(end + 1));
}

std::string failureText(std::string_view className, std::string_view message) {
    return "[Failure: " + lastComponent(className) + ": " + std::string(message) + "]";
}

/// Replaces each match of a pattern by what a function makes of it.
template <typename Function>
std::string replaceEach(const std::string& line, const std::regex& pattern, Function replacement) {
    std::string result;
    auto rest = line.cbegin();
    for (std::sregex_iterator match(line.begin(), line.end(), pattern), end; match != end; ++match) {
        result.append(rest, (*match)[0].first);
        result += replacement(*match);
        rest = (*match)[0].second;
    }
    result.append(rest, line.cend());
    return result;
}

/// What stands before the port of a connection.
const std::string portBefore = R"((\bport[= ]|\b(?:127\.0\.0\.1|localhost)['"]?(?::|, )))";

std::string normaliseLine(std::string line) {
    static const std::regex timeStamp(
        R"(^(<time>|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d([.,]\d+)?([+-]\d{4}|Z)?) \[)");
    static const std::regex failureRepr(R"(<[\w.:]*\bFailure (\S+?): ((?:[^<>]|<[^<>]*>)*)>)");
    static const std::regex quotedClass(R"(<class '([^']*)'>)");
    static const std::regex function(
        R"(<(?:function|bound method|built-in function|built-in method) (?:[^<>]|<[^<>]*>)*>)");
    static const std::regex address(R"(0x[0-9a-fA-F]+|<addr>)");
    static const std::regex port(portBefore + R"((?:\d+|<port>))");

    static const std::regex elapsed(R"(\bin (\d+:\d\d:\d\d(\.\d+)?|<elapsed>)$)");

    line = std::regex_replace(line, timeStamp, "<time> [");
    line = std::regex_replace(line, elapsed, "in <elapsed>");
    line =
        replaceEach(line, failureRepr, [](const std::smatch& m) { return failureText(m.str(1), m.str(2)); });
    line = replaceEach(line, quotedClass,
                       [](const std::smatch& m) { return "<class '" + lastComponent(m.str(1)) + "'>"; });
    line = std::regex_replace(line, function, "<…>");
    line = std::regex_replace(line, address, "<…>");
    return std::regex_replace(line, port, "$1<…>");
}

/// The line that names a function on a failure's way, or the mark between the way down and the way up.
bool isFailureFrame(const std::string& line) {
    static const std::regex frame(R"(^(\S.*:(\d+|<line>):.+|\s*--- .* ---|\s*\.\.\. \d+ more.*)$)");
    return std::regex_match(line, frame);
}

/// Takes `[Failure instance: …` and all that belongs to it from the lines at `at`.
std::optional<std::string> takeFailure(const Lines& lines, std::size_t& at) {
    static const std::regex start(
        R"(^(.*)\[Failure instance: Traceback(?: \(failure with no frames\))?: <class '([^']*)'>: (.*)$)");
    std::smatch match;
    if (!std::regex_match(lines[at], match, start)) {
        return std::nullopt;
    }
    std::string message = match.str(3);
    for (std::size_t next = at + 1; next < lines.size(); ++next) {
        const std::string& line = lines[next];
        if (line.starts_with(']')) {
            at = next + 1;
            return normaliseLine(match.str(1) + failureText(match.str(2), message) + line.substr(1));
        }
        if (!isFailureFrame(line)) {
            message += "\\n" + line;
        }
    }
    return std::nullopt;
}

/// Takes a whole traceback, from its heading to the line that names the error, from the lines at `at`. A log indents
/// all of it with tabs.
std::optional<std::string> takeTraceback(const Lines& lines, std::size_t& at) {
    static const std::regex heading(R"(^(\t*)Traceback \(most recent call (?:last|first)\):$)");
    static const std::regex error(R"(^(?:Failure: )?(.*?)(?:: (.*)|:)?$)");
    std::smatch match;
    if (!std::regex_match(lines[at], match, heading)) {
        return std::nullopt;
    }
    const std::string indent = match.str(1);
    for (std::size_t next = at + 1; next < lines.size(); ++next) {
        if (!lines[next].starts_with(indent)) {
            return std::nullopt;
        }
        const std::string line = lines[next].substr(indent.size());
        if (line.starts_with(' ') || line.starts_with("--- ")) {
            continue;
        }
        std::regex_match(line, match, error);
        at = next + 1;
        const std::string message = match.str(2);
        return normaliseLine(indent + "Traceback: " + lastComponent(match.str(1)) +
                             (message.empty() ? "" : ": " + message));
    }
    return std::nullopt;
}

} // namespace

std::vector<std::string> normalise(std::string_view text) {
    const Lines lines = splitLines(text);
    Lines result;
    for (std::size_t at = 0; at < lines.size();) {
        if (auto failure = takeFailure(lines, at)) {
            result.push_back(std::move(*failure));
        } else if (auto traceback = takeTraceback(lines, at)) {
            result.push_back(std::move(*traceback));
        } else {
            result.push_back(normaliseLine(lines[at]));
            ++at;
        }
    }
    return result;
}

std::string namePorts(std::string_view text, const std::map<int, std::string>& names) {
    static const std::regex port(portBefore + R"((\d{1,5})\b)");
    return replaceEach(std::string(text), port, [&](const std::smatch& match) {
        const auto name = names.find(std::stoi(match.str(2)));
        return match.str(1) + (name == names.end() ? match.str(2) : "<" + name->second + ">");
    });
}

} // namespace golden
