#include "run_program.hpp"

#include "child.hpp"

namespace golden {

Finished runProgram(const std::vector<std::string>& command, const std::filesystem::path& input,
                    std::chrono::seconds limit) {
    Child child(command, input);
    const bool ended = child.finish(std::chrono::steady_clock::now() + limit);
    child.kill();
    return {child.out(), child.err(), child.status(), !ended};
}

} // namespace golden
