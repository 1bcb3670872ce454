#pragma once

#include "child.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace golden {

/// A bare connection to a port of this machine. What goes wrong throws `std::runtime_error`.
class Connection {
public:
    explicit Connection(int port);

    void send(std::string_view data) const;
    /// Reads until the text has come, and nothing else.
    void expect(std::string_view text, Deadline deadline);
    /// What comes until the peer closes, by whatever means, or until the deadline, which throws.
    std::string readAll(Deadline deadline);
    /// Ends the data of this side.
    void endWriting() const;

private:
    bool readSome(std::size_t most, Deadline deadline);

    Descriptor socket_;
    std::string read_;
};

/// A socket that keeps a port, to be had in `port`, on which nobody listens: connections are refused.
Descriptor closedPort(int& port);

/// Lets the time pass.
void wait(std::chrono::milliseconds time);

} // namespace golden
