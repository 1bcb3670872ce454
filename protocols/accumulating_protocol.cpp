#include <ropewalk/protocols/accumulating_protocol.hpp>

namespace ropewalk::protocols {

void AccumulatingProtocol::connectionMade() {
    made = true;
}

void AccumulatingProtocol::dataReceived(std::string_view received) {
    data += received;
}

void AccumulatingProtocol::connectionLost(const Failure& reason) {
    closed = true;
    closedReason = reason;
}

} // namespace ropewalk::protocols
