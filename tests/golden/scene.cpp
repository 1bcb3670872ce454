#include "scene.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <sstream>
#include <stdexcept>

namespace golden {
namespace {

/// What a step may be, and how many words it takes at least.
struct Kind {
    std::string_view what;
    std::size_t words;
};
constexpr Kind kinds[]{{"start", 2}, {"off", 1},     {"run", 2},   {"interrupt", 3},
                       {"probe", 2}, {"connect", 2}, {"send", 2},  {"expect", 2},
                       {"read", 1},  {"end", 1},     {"close", 1}, {"wait", 1}};

Step stepOf(const std::string& line) {
    Step step;
    std::istringstream words(line);
    words >> step.what;
    const auto kind = std::ranges::find(kinds, step.what, &Kind::what);
    if (kind == std::ranges::end(kinds)) {
        throw std::runtime_error("what step is this: " + line);
    }
    std::string word;
    while (words >> word) {
        if (step.words.size() == 1) {
            const auto position = words.tellg();
            step.text =
                line.substr((position < 0 ? line.size() : static_cast<std::size_t>(position)) - word.size());
        }
        step.words.push_back(word);
    }
    if (step.words.size() < kind->words) {
        throw std::runtime_error("something is missing: " + line);
    }
    return step;
}

} // namespace

Scene sceneOf(std::string_view cases, std::string_view caseName) {
    std::istringstream lines{std::string(cases)};
    Scene scene;
    bool found = false;
    for (std::string line; std::getline(lines, line);) {
        const std::size_t start = line.find_first_not_of(' ');
        if (start == std::string::npos || line[start] == '#') {
            continue;
        }
        if (line.starts_with(' ')) {
            if (found) {
                scene.steps.push_back(stepOf(line));
            }
            continue;
        }
        if (found) {
            break;
        }
        std::istringstream words(line);
        std::string name;
        std::string order;
        if (!(words >> name >> scene.status >> scene.waits >> order) ||
            (order != "exact" && order != "any")) {
            throw std::runtime_error("what case is this: " + line);
        }
        scene.order = order == "any" ? Order::anyOrder : Order::exact;
        found = name == caseName;
    }
    if (!found) {
        throw std::runtime_error("there is no case " + std::string(caseName));
    }
    return scene;
}

std::string unescaped(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            result += text[i];
            continue;
        }
        switch (text[++i]) {
            case 'r':
                result += '\r';
                break;
            case 'n':
                result += '\n';
                break;
            case 'x':
                result += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
                i += 2;
                break;
            default:
                result += text[i];
        }
    }
    return result;
}

int announcedPort(std::string_view printed) {
    constexpr std::string_view before = "port=";
    const std::string_view line = printed.substr(0, printed.find('\n'));
    const std::size_t at = line.rfind(before);
    int port = 0;
    if (line.size() < printed.size() && at != std::string_view::npos) {
        std::from_chars(line.data() + at + before.size(), line.data() + line.size(), port);
    }
    return port;
}

} // namespace golden
