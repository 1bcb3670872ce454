#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/reactor/protocol.hpp>

namespace ropewalk::protocols {

/// For tests: keeps what it is told (`twisted.internet.testing.AccumulatingProtocol`).
class AccumulatingProtocol : public Protocol {
public:
    void connectionMade() override;
    void dataReceived(std::string_view received) override;
    void connectionLost(const Failure& reason) override;

    bool made = false;
    std::string data;
    bool closed = false;
    std::optional<Failure> closedReason;
};

} // namespace ropewalk::protocols
