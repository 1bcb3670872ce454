#include <ropewalk/protocols/pauseable.hpp>

namespace ropewalk::protocols {

void Pauseable::pauseProducing() {
    paused_ = true;
    if (transport) {
        transport->pauseProducing();
    }
}

void Pauseable::resumeProducing() {
    paused_ = false;
    if (transport) {
        transport->resumeProducing();
    }
    deliverKept();
}

void Pauseable::stopProducing() {
    paused_ = true;
    if (transport) {
        transport->stopProducing();
    }
}

} // namespace ropewalk::protocols
