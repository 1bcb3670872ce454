#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

/// Runs a program and keeps what it prints.
namespace golden {

struct Finished {
    std::string out;
    std::string err;
    int status = 0;        ///< the exit status; minus the signal's number if a signal ended it
    bool timedOut = false; ///< it was still running at the limit, and was killed with all it had started
};

/// Runs `command` (a path and its arguments) with standard input from `input`, or from nowhere if that is empty.
/// Throws `std::system_error` when the program can't be run at all.
Finished runProgram(const std::vector<std::string>& command, const std::filesystem::path& input,
                    std::chrono::seconds limit);

} // namespace golden
