#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/delayed_call.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/network.hpp>
#include <ropewalk/reactor/port.hpp>
#include <ropewalk/reactor/tcp_options.hpp>

namespace ropewalk::detail {

class TcpPort final : public Port,
                      public Kept,
                      public std::enable_shared_from_this<TcpPort>,
                      private AcceptListener {
public:
    TcpPort(Network& network, int port, std::shared_ptr<Factory> factory, ListenOptions options,
            std::source_location where);
    ~TcpPort() override;

    /// Listens on a socket that is there already.
    void adopt(int descriptor, int family);

    void startListening() override;
    defer::Deferred<void> stopListening() override;
    Address getHost() const override { return host_; }
    const std::shared_ptr<Factory>& factory() const noexcept override { return factory_; }
    void pauseProducing() override;
    void resumeProducing() override;

    void shutDown() noexcept override;
    void orphan() noexcept override;

private:
    void accepted(StreamHandle stream, Address&& peer) noexcept override;
    void acceptFailed(std::error_code error) noexcept override;

    void begin(std::unique_ptr<ListeningSocket> socket);
    void close();

    std::shared_ptr<Factory> factory_;
    std::unique_ptr<ListeningSocket> socket_; // null when it doesn't listen
    defer::Deferred<void> stopping_ = nullptr;
    DelayedCall retry_;
    DelayedCall closing_;
    Address host_;
    ListenOptions options_;
    int port_;
    bool paused_ = false;
    bool starved_ = false; // what to accept with has run out, and the log knows
    std::source_location where_;
};

} // namespace ropewalk::detail
