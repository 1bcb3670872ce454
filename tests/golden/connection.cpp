#include "connection.hpp"

#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace golden {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

Descriptor tcpSocket() {
    Descriptor result(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (result.number() < 0) {
        fail("socket");
    }
    return result;
}

} // namespace

Connection::Connection(int port) : socket_(tcpSocket()) {
    const sockaddr_in address = loopback(port);
    if (::connect(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        fail("connect");
    }
}

void Connection::send(std::string_view data) const {
    while (!data.empty()) {
        const ssize_t count = ::send(socket_.number(), data.data(), data.size(), MSG_NOSIGNAL);
        if (count < 0) {
            fail("send");
        }
        data.remove_prefix(static_cast<std::size_t>(count));
    }
}

bool Connection::readSome(std::size_t most, Deadline deadline) {
    using std::chrono::milliseconds;
    pollfd waiting{socket_.number(), POLLIN, 0};
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left <= milliseconds::zero() || ::poll(&waiting, 1, static_cast<int>(left.count())) == 0) {
        throw std::runtime_error("nothing came any more; before that: " + read_);
    }
    std::array<char, 4096> buffer{};
    const ssize_t count = ::recv(socket_.number(), buffer.data(), std::min(most, buffer.size()), 0);
    if (count <= 0) {
        return false;
    }
    read_.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
}

void Connection::expect(std::string_view text, Deadline deadline) {
    while (read_.size() < text.size() && readSome(text.size() - read_.size(), deadline)) {}
    if (read_ != text) {
        throw std::runtime_error("expected: " + std::string(text) + "\ncame: " + read_);
    }
    read_.clear();
}

std::string Connection::readAll(Deadline deadline) {
    while (readSome(4096, deadline)) {}
    return std::exchange(read_, {});
}

void Connection::endWriting() const {
    ::shutdown(socket_.number(), SHUT_WR);
}

Descriptor closedPort(int& port) {
    Descriptor result = tcpSocket();
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(result.number(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::getsockname(result.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        fail("bind");
    }
    port = ntohs(address.sin_port);
    return result;
}

void wait(std::chrono::milliseconds time) {
    ::poll(nullptr, 0, static_cast<int>(time.count()));
}

} // namespace golden
