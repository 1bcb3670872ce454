#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ropewalk/reactor/connection.hpp>
#include <ropewalk/reactor/producer.hpp>
#include <ropewalk/reactor/protocol.hpp>

namespace ropewalk::detail {

/// The protocol under a `Connection`: keeps what came until somebody reads, and whoever waits.
class AwaitedProtocol final : public Protocol,
                              public IHalfCloseableProtocol,
                              public Producer,
                              public std::enable_shared_from_this<AwaitedProtocol> {
public:
    /// Called with the connection when it is there.
    using Start = std::move_only_function<void(Connection)>;

    explicit AwaitedProtocol(Start start) noexcept : start_(std::move(start)) {}

    defer::Deferred<std::string> read();
    defer::Deferred<std::optional<std::string>> readLine(std::string_view delimiter, std::size_t most);
    defer::Deferred<std::string> readExactly(std::size_t count);
    /// The string goes to the transport, and its memory, where it can, to the next one that is read.
    void write(std::string&& data);
    Written written();
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
        std::string delimiter;
        std::size_t most;
        std::size_t searched;
    };
    struct ExactBytes {
        defer::Deferred<std::string> deferred;
        std::size_t count;
    };

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

    Start start_;
    std::string inbox_;
    std::size_t taken_ = 0; // of the inbox
    std::variant<std::monostate, SomeBytes, Line, ExactBytes> reader_;
    std::vector<defer::Deferred<void>> writers_;
    std::vector<defer::Deferred<void>> closers_;
    std::optional<Failure> lost_; // why the connection is gone
    bool ended_ = false;          // the peer sends no more
    bool full_ = false;           // too much waits to be sent
    bool paused_ = false;
};

/// What the handles on a connection share. The connection closes with it.
class ConnectionHold {
public:
    explicit ConnectionHold(std::shared_ptr<AwaitedProtocol> theProtocol) noexcept
        : protocol(std::move(theProtocol)) {}
    ConnectionHold(const ConnectionHold&) = delete;
    ConnectionHold& operator=(const ConnectionHold&) = delete;
    ~ConnectionHold() { protocol->transport->loseConnection(); }

    std::shared_ptr<AwaitedProtocol> protocol;
};

} // namespace ropewalk::detail
