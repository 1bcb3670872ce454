#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Brings what a Python program prints under Twisted and what its C++ port prints to one form.
namespace golden {

/// The lines of a text in that form:
///
/// - the text of a failure, over as many lines as it takes, is `[Failure: CLASS: message]`, and so is its repr;
/// - a traceback is one line, `Traceback: CLASS: message`;
/// - a class is the last component of its name, be it Python's or C++'s;
/// - the repr of a function, an address in memory and the port of a connection are `<…>`;
/// - the time in front of a line of the log is `<time>`, and how long something took `<elapsed>`.
///
/// What is in that form already stays as it is. A text that doesn't end with a newline has `\ no newline` as its last line.
std::vector<std::string> normalise(std::string_view text);

/// The text with `<NAME>` in place of the ports of connections that have a name; `normalise` lets it stand.
std::string namePorts(std::string_view text, const std::map<int, std::string>& names);

} // namespace golden
