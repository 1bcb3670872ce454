#include "run_program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace golden {
namespace {

[[noreturn]] void fail(const std::string& what, int error = errno) {
    throw std::system_error(error, std::generic_category(), what);
}

class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() { close(); }

    void close() {
        if (number_ >= 0) {
            ::close(std::exchange(number_, -1));
        }
    }
    int number() const { return number_; }

private:
    int number_ = -1;
};

struct Pipe {
    Descriptor readEnd;
    Descriptor writeEnd;

    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            fail("pipe");
        }
        readEnd = Descriptor(ends[0]);
        writeEnd = Descriptor(ends[1]);
    }
};

/// In the child: becomes the program. What goes wrong is told through `trouble`, which a successful `exec` closes.
[[noreturn]] void become(std::vector<char*>& arguments, int input, int out, int err, int trouble) {
    ::setpgid(0, 0);
    if (::dup2(input, STDIN_FILENO) >= 0 && ::dup2(out, STDOUT_FILENO) >= 0 &&
        ::dup2(err, STDERR_FILENO) >= 0) {
        ::execvp(arguments[0], arguments.data());
    }
    const int error = errno;
    [[maybe_unused]] const auto written = ::write(trouble, &error, sizeof error);
    ::_exit(127);
}

/// Reads both streams until the program has closed them. False if the limit came first.
bool readAll(Pipe& out, Pipe& err, Finished& result, std::chrono::steady_clock::time_point deadline) {
    using std::chrono::milliseconds;
    std::array<std::pair<Descriptor*, std::string*>, 2> streams{
        {{&out.readEnd, &result.out}, {&err.readEnd, &result.err}}};
    std::array<char, 65536> buffer{};
    while (out.readEnd.number() >= 0 || err.readEnd.number() >= 0) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left <= milliseconds::zero()) {
            return false;
        }
        std::array<pollfd, 2> waiting{{{out.readEnd.number(), POLLIN, 0}, {err.readEnd.number(), POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), static_cast<int>(left.count())) < 0 && errno != EINTR) {
            fail("poll");
        }
        for (std::size_t i = 0; i < streams.size(); ++i) {
            if (waiting[i].revents == 0) {
                continue;
            }
            const ssize_t count = ::read(waiting[i].fd, buffer.data(), buffer.size());
            if (count > 0) {
                streams[i].second->append(buffer.data(), static_cast<std::size_t>(count));
            } else {
                streams[i].first->close();
            }
        }
    }
    return true;
}

/// Waits for the end of a program that has closed its streams. False if the limit came first.
bool waitFor(pid_t child, int& status, std::chrono::steady_clock::time_point deadline) {
    while (::waitpid(child, &status, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        ::poll(nullptr, 0, 1);
    }
    return true;
}

} // namespace

Finished runProgram(const std::vector<std::string>& command, const std::filesystem::path& input,
                    std::chrono::seconds limit) {
    std::vector<std::string> words = command;
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);

    const std::string inputPath = input.empty() ? "/dev/null" : input.string();
    Descriptor in(::open(inputPath.c_str(), O_RDONLY | O_CLOEXEC));
    if (in.number() < 0) {
        fail(inputPath);
    }
    Pipe out;
    Pipe err;
    Pipe trouble;

    const auto deadline = std::chrono::steady_clock::now() + limit;
    const pid_t child = ::fork();
    if (child < 0) {
        fail("fork");
    }
    if (child == 0) {
        become(arguments, in.number(), out.writeEnd.number(), err.writeEnd.number(),
               trouble.writeEnd.number());
    }
    out.writeEnd.close();
    err.writeEnd.close();
    trouble.writeEnd.close();

    int status = 0;
    int error = 0;
    if (::read(trouble.readEnd.number(), &error, sizeof error) == sizeof error) {
        ::waitpid(child, &status, 0);
        fail(command.front(), error);
    }

    Finished result;
    if (!readAll(out, err, result, deadline) || !waitFor(child, status, deadline)) {
        result.timedOut = true;
        ::kill(-child, SIGKILL);
        ::waitpid(child, &status, 0);
    }
    result.status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    return result;
}

} // namespace golden
