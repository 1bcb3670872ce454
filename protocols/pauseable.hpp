#pragma once

#include <ropewalk/reactor/producer.hpp>
#include <ropewalk/reactor/protocol.hpp>

namespace ropewalk::protocols {

/// A protocol that takes what it receives apart, and can be told to stop delivering it
/// (`basic._PauseableMixin`): the producer of what it delivers.
class Pauseable : public Protocol, public Producer {
public:
    /// Delivers nothing for now, of what was received already either, and reads no more.
    void pauseProducing() override;
    /// Reads again, and delivers what was received before, in this call; in the next steps of a delivery, if
    /// one is under way.
    void resumeProducing() override;
    /// Delivers nothing any more, and tells the transport to stop.
    void stopProducing() override;

    bool paused() const noexcept { return paused_; }

protected:
    /// Whether what is there may be delivered: not while paused, and not once the connection closes.
    bool delivers() const noexcept { return !paused_ && !(transport && transport->disconnecting()); }

private:
    /// Delivers what was received and is kept.
    virtual void deliverKept() = 0;

    bool paused_ = false;
};

} // namespace ropewalk::protocols
