#include <ropewalk/reactor/protocol.hpp>

namespace ropewalk {

void Protocol::makeConnection(std::shared_ptr<Transport> theTransport) {
    connected = true;
    transport = std::move(theTransport);
    connectionMade();
}

void Protocol::dataReceived(std::string_view) {}

void Protocol::connectionLost(const Failure&) {}

} // namespace ropewalk
