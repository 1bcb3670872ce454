#pragma once

#include "compare.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Cases of programs that talk to each other, as `network_cases.txt` describes them.
namespace golden {

/// A line of a case: what to do, and with what.
struct Step {
    std::string what;
    std::vector<std::string> words;
    std::string text; ///< all that follows the first of the words, as it stands
};

struct Scene {
    int status = 0; ///< the exit status of `main`
    int waits = 0;  ///< seconds
    Order order = Order::exact;
    std::vector<Step> steps;
};

/// The case of that name. Throws `std::runtime_error` if there is none, or if it can't be understood.
Scene sceneOf(std::string_view cases, std::string_view caseName);

/// The text with `\r`, `\n`, `\\` and `\xff` in place of what they stand for.
std::string unescaped(std::string_view text);

/// The port on which a server says, in its first line, that it serves: the last `port=` there. 0 if there is no such
/// line yet.
int announcedPort(std::string_view printed);

} // namespace golden
