#include "child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace golden {
namespace {

[[noreturn]] void fail(const std::string& what, int error = errno) {
    throw std::system_error(error, std::generic_category(), what);
}

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

} // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

void Descriptor::close() {
    if (number_ >= 0) {
        ::close(std::exchange(number_, -1));
    }
}

Child::Child(const std::vector<std::string>& command, const std::filesystem::path& input) {
    std::vector<std::string> words = command;
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);

    const std::string inputPath = input.empty() ? "/dev/null" : input.string();
    const Descriptor in(::open(inputPath.c_str(), O_RDONLY | O_CLOEXEC));
    if (in.number() < 0) {
        fail(inputPath);
    }
    Pipe out;
    Pipe err;
    Pipe trouble;

    pid_ = ::fork();
    if (pid_ < 0) {
        fail("fork");
    }
    if (pid_ == 0) {
        become(arguments, in.number(), out.writeEnd.number(), err.writeEnd.number(),
               trouble.writeEnd.number());
    }
    trouble.writeEnd.close();

    int error = 0;
    if (::read(trouble.readEnd.number(), &error, sizeof error) == sizeof error) {
        ::waitpid(pid_, nullptr, 0);
        fail(command.front(), error);
    }
    running_ = true;
    outEnd_ = std::move(out.readEnd);
    errEnd_ = std::move(err.readEnd);
}

bool Child::readUntil(const std::function<bool()>& enough, Deadline deadline) {
    using std::chrono::milliseconds;
    std::array<std::pair<Descriptor*, std::string*>, 2> streams{{{&outEnd_, &out_}, {&errEnd_, &err_}}};
    std::array<char, 65536> buffer{};
    while (!enough() && (outEnd_.number() >= 0 || errEnd_.number() >= 0)) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left <= milliseconds::zero()) {
            return false;
        }
        std::array<pollfd, 2> waiting{{{outEnd_.number(), POLLIN, 0}, {errEnd_.number(), POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), static_cast<int>(left.count())) < 0) {
            if (errno != EINTR) {
                fail("poll");
            }
            continue;
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

bool Child::finish(Deadline deadline) {
    if (!readUntil([] { return false; }, deadline)) {
        return false;
    }
    while (::waitpid(pid_, &status_, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        ::poll(nullptr, 0, 1);
    }
    running_ = false;
    return true;
}

bool Child::handles(int number, Deadline deadline) const {
    const std::string path = "/proc/" + std::to_string(pid_) + "/status";
    const std::string key = "SigCgt:";
    for (;;) {
        std::ifstream status(path);
        std::string line;
        while (std::getline(status, line)) {
            if (line.starts_with(key) &&
                (std::stoull(line.substr(key.size()), nullptr, 16) >> (number - 1) & 1U) != 0) {
                return true;
            }
        }
        if (std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        ::poll(nullptr, 0, 1);
    }
}

void Child::signal(int number) const {
    ::kill(pid_, number);
}

void Child::kill() {
    if (std::exchange(running_, false)) {
        ::kill(-pid_, SIGKILL);
        ::waitpid(pid_, &status_, 0);
    }
}

int Child::status() const {
    return WIFSIGNALED(status_) ? -WTERMSIG(status_) : WEXITSTATUS(status_);
}

} // namespace golden
