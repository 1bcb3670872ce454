#include <ropewalk/reactor/stream_transport.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <ropewalk/defer/log.hpp>
#include <ropewalk/reactor/connection_errors.hpp>

/// How a stream's transport writes: what fits the window behind the first write of a turn is only copied there; once a turn,
/// `settle` sends what the system takes, and gives the stream the rest.
namespace ropewalk::detail {

namespace {

// What a streaming producer may have made before it is paused: Twisted's.
constexpr std::size_t producerLimit = 65536;
// So much is worth a system call of its own rather than a copy.
constexpr std::size_t worthSendingAtOnce = 16384;
// A string of more, if nothing else waits, is kept rather than copied.
constexpr std::size_t mostCopiedFirst = 255;
// How many stretches of the queue go into one system call.
constexpr std::size_t partsAtOnce = 16;

} // namespace

/// After `loseWriteConnection`, a producer may still end what it makes.
bool StreamTransport::takesWrites() const noexcept {
    const bool ended = writeEnded_ || (writeEnding_ && producer_ == nullptr);
    return connected_ && !ended && !aborted_ && !broken_;
}

std::size_t StreamTransport::writeBufferSize() const {
    return queue_.size() + static_cast<std::size_t>(window_ != nullptr ? window_ - queue_.end() : 0);
}

void StreamTransport::writeMore(std::string_view data) {
    if (!takesWrites() || data.empty()) {
        return;
    }
    closeWindow();
    sendAtOnce(data);
    queue_.append(data);
    wrote();
}

void StreamTransport::writeString(std::string&& data) {
    if (!takesWrites()) {
        return;
    }
    // More of them would each be a part of their own, and a system call takes only so many.
    const std::size_t copied = queue_.size() == 0 ? mostCopiedFirst : RoomBlock::room;
    if (data.size() <= copied) {
        writeMore(data);
        return;
    }
    closeWindow();
    std::string_view rest = data;
    sendAtOnce(rest);
    if (rest.size() == data.size()) {
        queue_.append(std::move(data));
    } else {
        queue_.append(rest);
    }
    wrote();
}

/// A large piece is sent rather than kept, as far as the system takes it, unless a producer would have to be
/// paused for it: what is left of `data` is to be kept.
void StreamTransport::sendAtOnce(std::string_view& data) noexcept {
    if (data.size() >= worthSendingAtOnce && queue_.size() == 0 && data.size() <= limit()) {
        const std::size_t sent = stream_->tryWrite({&data, 1}, broken_);
        data.remove_prefix(sent);
        sentSome_ = sentSome_ || sent != 0;
    }
}

void StreamTransport::wrote() {
    // The first write of a turn is often the only one.
    const bool isFirst = isSettled();
    unsettle();
    if (queue_.size() > limit()) {
        overLimit(); // which may call the program, and that may write
    } else if (!isFirst) {
        openWindow();
    }
}

std::size_t StreamTransport::limit() const noexcept {
    if (producer_ != nullptr) {
        return streaming_ && !producerPaused_ ? producerLimit : SIZE_MAX;
    }
    return overLimit_ ? SIZE_MAX : limit_;
}

void StreamTransport::overLimit() {
    if (producer_ != nullptr) {
        producerPaused_ = true;
        const auto producer = producer_;
        producer->pauseProducing();
        return;
    }
    overLimit_ = true;
    switch (policy_) {
        case WriteLimit::report:
            log::warn("More than " + std::to_string(limit_) + " bytes wait to be sent to " + str(peer_) +
                      ", which doesn't take them");
            break;
        case WriteLimit::pauseReading:
            updateReading();
            break;
        case WriteLimit::close:
            abortConnection();
            break;
    }
}

void StreamTransport::openWindow() noexcept {
    if (!takesWrites() || queue_.size() >= limit()) {
        return;
    }
    const std::span<char> room = queue_.room(limit() - queue_.size());
    if (!room.empty()) {
        window_ = room.data();
        windowEnd_ = room.data() + room.size();
    }
}

void StreamTransport::closeWindow() noexcept {
    if (window_ != nullptr) {
        queue_.used(static_cast<std::size_t>(window_ - queue_.end()));
        window_ = windowEnd_ = nullptr;
    }
}

void StreamTransport::setWriteLimit(std::size_t bytes, WriteLimit policy) {
    closeWindow();
    limit_ = bytes;
    policy_ = policy;
    overLimit_ = false;
    updateReading();
    if (connected_ && queue_.size() > limit()) {
        overLimit();
    }
}

void StreamTransport::settle() noexcept {
    closeWindow();
    if (aborted_ || sending_ != 0) {
        return;
    }
    if (queue_.size() != 0 && !broken_) {
        send();
    }
    if (broken_) {
        lose(Failure(ConnectionLost(broken_), where_));
    } else if (sending_ == 0) {
        allSent();
    }
}

void StreamTransport::send() noexcept {
    if (queue_.isSinglePart()) {
        const std::string_view part = queue_.firstPart();
        removeSent(stream_->tryWrite({&part, 1}, broken_));
        if (queue_.size() == 0 || broken_) {
            return;
        }
    }
    std::array<std::string_view, partsAtOnce> parts;
    while (queue_.size() != 0) {
        const std::span<const std::string_view> front(parts.data(), queue_.front(parts));
        std::size_t size = 0;
        for (const std::string_view part : front) {
            size += part.size();
        }
        const std::size_t sent = stream_->tryWrite(front, broken_);
        removeSent(sent);
        if (sent < size) {
            break;
        }
    }
    if (queue_.size() == 0 || broken_) {
        return;
    }
    const std::span<const std::string_view> front(parts.data(), queue_.front(parts));
    for (const std::string_view part : front) {
        sending_ += part.size();
    }
    try {
        stream_->write(front);
    } catch (...) {
        sending_ = 0;
        broken_ = std::make_error_code(std::errc::not_enough_memory);
    }
}

void StreamTransport::removeSent(std::size_t count) noexcept {
    queue_.remove(count);
    sentSome_ = sentSome_ || count != 0;
}

void StreamTransport::streamWritten(std::error_code error) noexcept {
    const EventScope event(network_->reactor);
    closeWindow();
    markSettled();
    removeSent(std::exchange(sending_, 0));
    if (error && !broken_) {
        broken_ = error;
    }
    settle();
}

} // namespace ropewalk::detail
