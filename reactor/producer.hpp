#pragma once

#include <memory>

namespace ropewalk {

/// What makes data for a consumer, and is told when to (`IPushProducer`, `IPullProducer`). A transport is the
/// producer of what it reads.
class Producer {
public:
    Producer() = default;
    Producer(const Producer&) = default;
    Producer& operator=(const Producer&) = default;
    virtual ~Producer() = default;

    /// To a push producer: make data again. To a pull producer: make one piece.
    virtual void resumeProducing() = 0;
    /// To a push producer: make no more data for now. A pull producer isn't told.
    virtual void pauseProducing() {}
    /// Nobody wants data any more.
    virtual void stopProducing() = 0;
};

/// `IConsumer`'s two: a consumer that is fed by a producer.
class Consumer {
public:
    Consumer() = default;
    Consumer(const Consumer&) = default;
    Consumer& operator=(const Consumer&) = default;
    virtual ~Consumer() = default;

    /// From now on `producer`, which the consumer shares until it is unregistered or the consumer is closed,
    /// feeds this. A streaming one (push) is paused when too much waits to be sent and resumed when all is
    /// gone; any other (pull) is resumed now and whenever all is gone. Throws `RuntimeError` if there is one.
    /// A closed consumer tells the producer to stop, at once.
    virtual void registerProducer(std::shared_ptr<Producer> producer, bool streaming) = 0;
    /// The producer is through. Nothing happens if there is none.
    virtual void unregisterProducer() = 0;
};

} // namespace ropewalk
