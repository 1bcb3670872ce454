#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a case should print, as it lies in this folder.
namespace golden {

struct Expectation {
    std::vector<std::string> lines; ///< normalised
    bool own = false;               ///< ours, in which `...` stands for any text, not a recording
};

/// The reason that `exceptions.txt` gives for a case that is known to differ from its recording.
std::optional<std::string> exceptionReason(std::string_view exceptions, std::string_view caseName);

/// Whether there is a text or a recording of that stream.
bool isExpected(const std::filesystem::path& folder, std::string_view caseName, std::string_view stream);

/// What `caseName` should print on a stream, `out` or `err` (or `ACTOR.out`, where several take part): our own text in `expected/` if there is one, else the
/// recording in `recordings/`; a stream without a file of its own is empty. Throws `std::runtime_error` for a case that
/// has neither text nor recording, and for a text of ours that hides a recording without a reason in
/// `exceptions.txt`. Ports that have a name are called by it, as `namePorts` does.
Expectation expectationFor(const std::filesystem::path& folder, std::string_view caseName,
                           std::string_view stream, const std::map<int, std::string>& ports = {});

/// What the case is fed; an empty path if nothing.
std::filesystem::path inputFor(const std::filesystem::path& folder, std::string_view caseName);

} // namespace golden
