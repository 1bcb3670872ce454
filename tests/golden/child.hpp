#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace golden {

using Deadline = std::chrono::steady_clock::time_point;

/// A file descriptor, closed with its owner.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept;
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor() { close(); }

    void close();
    int number() const { return number_; }

private:
    int number_ = -1;
};

/// A program that runs, and what it has printed. It is killed, with all that it has started, if it still runs when its
/// owner is destroyed.
class Child {
public:
    /// Starts `command` (a path and its arguments) with standard input from `input`, or from nowhere if that is empty.
    /// Throws `std::system_error` when it can't be run at all.
    Child(const std::vector<std::string>& command, const std::filesystem::path& input);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() { kill(); }

    /// Reads until there is enough, or the program has closed both streams. False if the limit came first.
    bool readUntil(const std::function<bool()>& enough, Deadline deadline);
    /// Reads all there is to come and waits for the end. False if the limit came first.
    bool finish(Deadline deadline);
    /// Waits until the program handles that signal, which it may do only after its first words. False if the limit
    /// came first.
    bool handles(int number, Deadline deadline) const;
    void signal(int number) const;
    /// Kills it and all that it has started.
    void kill();

    const std::string& out() const { return out_; }
    const std::string& err() const { return err_; }
    /// When it has ended: the exit status; minus the signal's number if a signal ended it.
    int status() const;

private:
    pid_t pid_ = -1;
    bool running_ = false;
    int status_ = 0;
    Descriptor outEnd_;
    Descriptor errEnd_;
    std::string out_;
    std::string err_;
};

} // namespace golden
