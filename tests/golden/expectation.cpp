#include "expectation.hpp"

#include "normalise.hpp"

#include <cstddef>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace golden {
namespace {

namespace fs = std::filesystem;

std::string readFile(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw std::runtime_error("can't read " + path.string());
    }
    return {std::istreambuf_iterator<char>(file), {}};
}

fs::path fileOf(const fs::path& folder, std::string_view kind, std::string_view caseName,
                std::string_view stream) {
    return folder / kind / (std::string(caseName) + "." + std::string(stream));
}

} // namespace

std::optional<std::string> exceptionReason(std::string_view exceptions, std::string_view caseName) {
    const std::string head = std::string(caseName) + ":";
    while (!exceptions.empty()) {
        const std::size_t end = exceptions.find('\n');
        std::string_view line = exceptions.substr(0, end);
        exceptions.remove_prefix(end == std::string_view::npos ? exceptions.size() : end + 1);
        if (line.starts_with(head)) {
            line.remove_prefix(head.size());
            const std::size_t start = line.find_first_not_of(' ');
            if (start != std::string_view::npos) {
                return std::string(line.substr(start));
            }
        }
    }
    return std::nullopt;
}

bool isExpected(const fs::path& folder, std::string_view caseName, std::string_view stream) {
    return fs::exists(fileOf(folder, "expected", caseName, stream)) ||
           fs::exists(fileOf(folder, "recordings", caseName, stream));
}

Expectation expectationFor(const fs::path& folder, std::string_view caseName, std::string_view stream,
                           const std::map<int, std::string>& ports) {
    const fs::path own = fileOf(folder, "expected", caseName, stream);
    const fs::path recorded = fileOf(folder, "recordings", caseName, stream);
    if (fs::exists(own)) {
        const bool hides = fs::exists(fileOf(folder, "recordings", caseName, "out"));
        if (hides && !exceptionReason(readFile(folder / "exceptions.txt"), caseName)) {
            throw std::runtime_error(own.string() +
                                     " stands in place of a recording, and exceptions.txt gives no reason");
        }
        return {normalise(namePorts(readFile(own), ports)), true};
    }
    if (fs::exists(recorded)) {
        return {normalise(namePorts(readFile(recorded), ports)), false};
    }
    if (!fs::exists(fileOf(folder, "expected", caseName, "out")) &&
        !fs::exists(fileOf(folder, "recordings", caseName, "out"))) {
        throw std::runtime_error("nothing says what " + std::string(caseName) + " prints");
    }
    return {};
}

fs::path inputFor(const fs::path& folder, std::string_view caseName) {
    const fs::path input = fileOf(folder, "recordings", caseName, "in");
    return fs::exists(input) ? input : fs::path();
}

} // namespace golden
