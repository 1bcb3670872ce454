#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/coroutine.hpp>
#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/if_pending.hpp>
#include <ropewalk/reactor/address.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/tcp_options.hpp>

/// Connections for coroutines, on the same transports as protocols. Twisted has nothing like it.
///
///     Deferred<void> echo(Connection peer) {
///         for (auto data = co_await peer.read(); !data.empty(); data = co_await peer.read()) {
///             co_await peer.write(std::move(data));
///         }
///     }
///     reactor.listenTCP(8000, ropewalk::serve(echo));
namespace ropewalk {

class Reactor;

namespace detail {

class AwaitedProtocol;

/// One of the handles on a connection, which is closed with the last of them.
class ConnectionHandle {
public:
    explicit ConnectionHandle(std::shared_ptr<AwaitedProtocol> protocol) noexcept;
    ConnectionHandle(const ConnectionHandle& other) noexcept;
    ConnectionHandle(ConnectionHandle&& other) noexcept = default;
    ConnectionHandle& operator=(ConnectionHandle other) noexcept {
        protocol_.swap(other.protocol_);
        return *this;
    }
    ~ConnectionHandle() {
        if (protocol_ != nullptr) {
            letGo();
        }
    }

    AwaitedProtocol& operator*() const noexcept { return *protocol_; }
    AwaitedProtocol* operator->() const noexcept { return protocol_.get(); }

private:
    void letGo() noexcept;

    std::shared_ptr<AwaitedProtocol> protocol_; // null once moved from
};

} // namespace detail

/// What a `write` gives: a Deferred that is made only if there is something to wait for.
using Written = defer::DeferredIfPending;

/// A handle on a connection; all copies name the same one. When the last goes, the connection is closed, after
/// what was written is sent. All of it belongs to the reactor's thread.
///
/// What it gives fails with `ConnectionLost` when the connection breaks. One read at a time: a second one
/// throws `RuntimeError`. A read may be cancelled, and loses nothing. While nobody reads, 64 KiB are kept, and
/// the peer has to wait.
class Connection {
public:
    /// What has come, and else what comes next; empty when the peer has ended its data.
    defer::Deferred<std::string> read();
    /// The next line, without its delimiter; nothing when the data ended after the last one. When a line is
    /// longer than `most` bytes it fails with `ValueError`, and when the data ends within one, with
    /// `ConnectionDone`; what there is of it can be read.
    defer::Deferred<std::optional<std::string>> readLine(std::string_view delimiter = "\r\n",
                                                         std::size_t most = 16384);
    /// So many bytes. When the data ends before, it fails with `ConnectionDone`; what there is can be read.
    defer::Deferred<std::string> readExactly(std::size_t count);

    /// Sends the data. Its Deferred fires at once while less than 64 KiB wait to be sent, and else when all of
    /// them are sent: who awaits it isn't faster than the peer. It needn't be awaited; if it isn't, it doesn't
    /// tell of a loss either, which the next read does.
    Written write(std::string_view data);
    template <std::same_as<std::string> String>
    Written write(String&& data) {
        return writeString(std::forward<String>(data));
    }
    Written write(const char* data) { return write(std::string_view(data)); }
    /// Ends the data of this side; one may still read. A `write` from now on fails with `RuntimeError`.
    void endWriting();

    /// Sends what was written and closes; fires when that is done.
    defer::Deferred<void> close();
    /// Closes at once, with a reset.
    void abort();

    Address getHost() const;
    Address getPeer() const;
    /// What is below, never null.
    const std::shared_ptr<Transport>& transport() const noexcept;

private:
    friend class detail::AwaitedProtocol;

    explicit Connection(detail::ConnectionHandle handle) noexcept : protocol_(std::move(handle)) {}
    Written writeString(std::string&& data);

    detail::ConnectionHandle protocol_;
};

/// Connects to a host, an IP address or a name. Fails with a `ConnectError`. Cancelled, it gives up.
defer::Deferred<Connection> connect(Reactor& reactor, std::string_view host, int port,
                                    ConnectOptions options);
// No default argument above: where the call is awaited, GCC 12 would destroy it twice.
inline defer::Deferred<Connection> connect(Reactor& reactor, std::string_view host, int port) {
    return connect(reactor, host, port, ConnectOptions());
}

namespace detail {
std::shared_ptr<Factory> serveBy(std::move_only_function<defer::Deferred<void>(Connection)> server);
} // namespace detail

/// A factory whose connections are each served by a call of `server`, `Deferred<void>(Connection)`. An error
/// of its is logged and closes its connection, unless it is that the connection was lost.
template <class F>
    requires std::convertible_to<std::invoke_result_t<F&, Connection>, defer::Deferred<void>>
std::shared_ptr<Factory> serve(F&& server) {
    return detail::serveBy(std::forward<F>(server));
}

} // namespace ropewalk
