#include <ropewalk/reactor/transport.hpp>

namespace ropewalk {

void Transport::setTcpNoDelay(bool) {}

bool Transport::getTcpNoDelay() const {
    return false;
}

void Transport::setTcpKeepAlive(bool) {}

bool Transport::getTcpKeepAlive() const {
    return false;
}

void Transport::setWriteLimit(std::size_t, WriteLimit) {}

} // namespace ropewalk
