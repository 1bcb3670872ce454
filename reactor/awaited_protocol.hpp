#pragma once

#include <cstddef>
#include <forward_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <ropewalk/reactor/connection.hpp>
#include <ropewalk/reactor/producer.hpp>
#include <ropewalk/reactor/protocol.hpp>

namespace ropewalk::detail {

/// What a connection is made for. Its transport keeps it.
class ConnectionStarter {
public:
    /// The connection is there.
    virtual void start(Connection connection) = 0;

protected:
    ConnectionStarter() = default;
    ConnectionStarter(const ConnectionStarter&) = default;
    ConnectionStarter& operator=(const ConnectionStarter&) = default;
    ~ConnectionStarter() = default;
};

/// The protocol under a `Connection`: keeps what came until somebody reads, and whoever waits. Thousands of them idle, each
/// waiting for a read: what is rarely there takes no room.
class AwaitedProtocol final : public Protocol,
                              public IHalfCloseableProtocol,
                              public Producer,
                              public std::enable_shared_from_this<AwaitedProtocol> {
public:
    explicit AwaitedProtocol(ConnectionStarter& starter) noexcept : starter_(&starter) {}

    /// The connection closes with the last handle on it.
    void addHandle() noexcept { ++handles_; }
    void removeHandle() noexcept {
        if (--handles_ == 0) {
            transport->loseConnection();
        }
    }

    defer::Deferred<std::string> read();
    defer::Deferred<std::optional<std::string>> readLine(std::string_view delimiter, std::size_t most);
    defer::Deferred<std::string> readExactly(std::size_t count);
    Written write(std::string_view data);
    /// The string goes to the transport, and memory that comes back, to the next one that is read.
    Written write(std::string&& data);
    /// Sends what is there, and no more.
    void endWriting();
    defer::Deferred<void> close();

    void connectionMade() override;
    void dataReceived(std::string_view data) override;
    void connectionLost(const Failure& reason) override;
    void readConnectionLost() override;
    void writeConnectionLost() override {}

    // What the transport says of the pace of writing.
    void pauseProducing() override { full_ = true; }
    void resumeProducing() override;
    void stopProducing() override {}

private:
    struct SomeBytes {
        defer::Deferred<std::string> deferred;
    };
    struct Line {
        defer::Deferred<std::optional<std::string>> deferred;
    };
    struct ExactBytes {
        defer::Deferred<std::string> deferred;
        std::size_t count;
    };

    struct LineRules {
        std::string delimiter;
        std::size_t most;
        std::size_t searched; // of what is in the inbox
    };
    using Waiters = std::forward_list<defer::Deferred<void>>; // the last one first

    template <class Reader>
    auto begin(Reader reader);
    void dropCancelled();
    void checkNoReader();
    void satisfy();
    bool satisfy(SomeBytes& reader);
    bool satisfy(Line& reader);
    bool satisfy(ExactBytes& reader);
    template <class Value, class Given>
    void finish(defer::Deferred<Value>& deferred, Given&& value);
    template <class Value>
    void fail(defer::Deferred<Value>& deferred, Failure failure);
    std::string take(std::size_t count);
    void updateReading();
    bool hasEnded() const noexcept { return ended_ || !lost_.empty(); }
    bool isBroken() const noexcept;
    Written written() { return full_ || !lost_.empty() ? blocked() : Written(); }
    Written blocked();
    Written writtenTooLate();

    ConnectionStarter* starter_;
    std::string inbox_;
    std::size_t taken_ = 0; // of the inbox
    std::variant<std::monostate, SomeBytes, Line, ExactBytes> reader_;
    std::unique_ptr<LineRules> line_; // of the last line that was asked for
    Waiters writers_;
    Waiters closers_;
    Failure lost_{nullptr}; // why the connection is gone; empty while it isn't
    unsigned handles_ = 0;
    bool ended_ = false; // the peer sends no more
    bool full_ = false;  // too much waits to be sent
    bool paused_ = false;
    bool writingEnded_ = false;
};

} // namespace ropewalk::detail
