#pragma once

#include <cstddef>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/connector.hpp>
#include <ropewalk/reactor/delayed_call.hpp>
#include <ropewalk/reactor/factory.hpp>
#include <ropewalk/reactor/network.hpp>
#include <ropewalk/reactor/stream_transport.hpp>
#include <ropewalk/reactor/tcp_options.hpp>

namespace ropewalk::detail {

/// Looks a name up, tries its addresses one after another, and hands the first connection to the factory.
class TcpConnector final : public Connector, public Kept, private StreamListener, private Origin {
public:
    TcpConnector(Network& network, std::string_view host, int port, std::shared_ptr<ClientFactory> factory,
                 ConnectOptions options, std::source_location where);
    ~TcpConnector() override;

    void connect() override;
    void disconnect() override;
    void stopConnecting() override;
    Address getDestination() const override { return destination_; }
    const std::shared_ptr<ClientFactory>& factory() const noexcept override { return factory_; }

    void shutDown() noexcept override;
    void orphan() noexcept override;

private:
    void streamConnected(std::error_code error) noexcept override;
    void streamRead(std::string_view) noexcept override {}
    void streamEnded(std::error_code) noexcept override {}
    void streamWritten(std::error_code) noexcept override {}
    void connectionLost(const Failure& reason) override;

    void lookUp();
    void lookedUp(std::vector<Address> addresses);
    void tryNext();
    void tryFailed(Failure reason);
    void failLater(Failure reason);
    void fail(const Failure& reason) noexcept;
    std::shared_ptr<void> endAttempt() noexcept;
    void doneWith() noexcept;

    std::shared_ptr<ClientFactory> factory_;
    Address destination_;
    bool isName_; // which has to be looked up
    ConnectOptions options_;
    std::vector<Address> addresses_; // still to be tried, the next one last
    Address current_;
    StreamHandle stream_;
    defer::Deferred<void> lookup_ = nullptr;
    DelayedCall timeout_;
    DelayedCall failing_;
    std::weak_ptr<StreamTransport> transport_;
    bool started_ = false; // the factory
    std::source_location where_;
};

} // namespace ropewalk::detail
