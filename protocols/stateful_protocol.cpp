#include <ropewalk/protocols/stateful_protocol.hpp>

#include <memory>
#include <utility>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk::protocols {

void StatefulProtocol::makeConnection(std::shared_ptr<Transport> theTransport) {
    state_ = getInitialState();
    Protocol::makeConnection(std::move(theTransport));
}

void StatefulProtocol::dataReceived(std::string_view data) {
    if (!unread_.begin(data)) {
        return;
    }
    try {
        deliver();
    } catch (...) {
        unread_.end();
        throw;
    }
    unread_.end();
}

void StatefulProtocol::deliver() {
    if (state_.handler_ == nullptr) {
        throw AssertionError("a StatefulProtocol without a state");
    }
    while (!(transport && transport->disconnecting()) && unread_.reach(state_.size_)) {
        const std::string_view data = unread_.front().substr(0, state_.size_);
        unread_.use(data.size());
        const State next = (this->*state_.handler_)(data);
        if (next.handler_ != nullptr) {
            state_ = next;
        } else if (state_.size_ == 0) {
            throw AssertionError("a state that waits for no data leads nowhere");
        }
    }
}

} // namespace ropewalk::protocols
