#include <ropewalk/reactor/awaited_protocol.hpp>

#include <algorithm>
#include <utility>

#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/reactor/connection_errors.hpp>

namespace ropewalk::detail {

namespace {

// How much is kept for a reader to come.
constexpr std::size_t inboxLimit = 65536;

// A coroutine writes what it has read and then reads again, so one string's memory serves them all.
constexpr std::size_t sparedCapacity = 2 * inboxLimit;
thread_local constinit bool sparedIsGone = false; // when the thread ends
struct Spared {
    std::string text;
    ~Spared() { sparedIsGone = true; }
};
thread_local Spared spared;

/// A copy, in that memory if there is some.
std::string copyOf(std::string_view data) {
    if (sparedIsGone) {
        return std::string(data);
    }
    spared.text.assign(data);
    return std::move(spared.text);
}

void spare(std::string&& sent) {
    if (!sparedIsGone && sent.capacity() > spared.text.capacity() && sent.capacity() <= sparedCapacity) {
        spared.text = std::move(sent);
    }
}

/// Whether anybody would learn of it if it failed: a write needn't be awaited, and its failure is the connection's.
bool isWanted(const defer::Deferred<void>& writer) noexcept {
    const auto& chain = *defer::detail::Access::chainOf(writer);
    return chain.references > 1 || chain.hasEntries();
}

/// As they began to wait.
std::forward_list<defer::Deferred<void>> inOrder(std::forward_list<defer::Deferred<void>> waiters) noexcept {
    waiters.reverse();
    return waiters;
}

Failure endedWithin(std::string_view what) {
    return Failure(std::make_exception_ptr(ConnectionDone(what)), std::source_location::current());
}

} // namespace

void AwaitedProtocol::connectionMade() {
    const auto self = shared_from_this();
    transport->registerProducer(self, true);
    starter_->start(Connection(ConnectionHandle(self)));
}

// Reading.

/// Forgets a reader that was cancelled; it loses nothing, since all it was to have is still here.
void AwaitedProtocol::dropCancelled() {
    const bool cancelled = std::visit(
        [](auto& reader) {
            if constexpr (std::is_same_v<decltype(reader), std::monostate&>) {
                return false;
            } else {
                return reader.deferred.called();
            }
        },
        reader_);
    if (cancelled) {
        reader_ = std::monostate();
    }
}

void AwaitedProtocol::checkNoReader() {
    if (reader_.index() != 0) {
        dropCancelled();
    }
    if (reader_.index() != 0) {
        throw RuntimeError("a read of this connection is under way already");
    }
}

template <class Reader>
auto AwaitedProtocol::begin(Reader reader) {
    auto deferred = reader.deferred;
    if (!satisfy(reader)) {
        reader_ = std::move(reader);
    }
    updateReading();
    return deferred;
}

defer::Deferred<std::string> AwaitedProtocol::read() {
    if (reader_.index() == 0 && inbox_.empty() && !hasEnded()) [[likely]] {
        return reader_.emplace<SomeBytes>().deferred;
    }
    checkNoReader();
    return begin(SomeBytes{});
}

defer::Deferred<std::optional<std::string>> AwaitedProtocol::readLine(std::string_view delimiter,
                                                                      std::size_t most) {
    checkNoReader();
    if (delimiter.empty()) {
        throw ValueError("a line needs a delimiter");
    }
    if (line_ == nullptr) {
        line_ = std::make_unique<LineRules>();
    }
    line_->delimiter = delimiter;
    line_->most = most;
    line_->searched = 0;
    return begin(Line{});
}

defer::Deferred<std::string> AwaitedProtocol::readExactly(std::size_t count) {
    checkNoReader();
    return begin(ExactBytes{{}, count});
}

void AwaitedProtocol::dataReceived(std::string_view data) {
    if (auto* reader = std::get_if<SomeBytes>(&reader_);
        reader != nullptr && inbox_.empty() && !reader->deferred.called()) {
        const auto deferred = std::move(reader->deferred);
        reader_.emplace<std::monostate>();
        deferred.callback(copyOf(data));
        return;
    }
    inbox_ += data;
    satisfy();
    updateReading();
}

/// Gives the reader what it waits for, if that is there.
void AwaitedProtocol::satisfy() {
    dropCancelled();
    auto reader = std::exchange(reader_, std::monostate());
    const bool done = std::visit(
        [this](auto& waiting) {
            if constexpr (std::is_same_v<decltype(waiting), std::monostate&>) {
                return true;
            } else {
                return satisfy(waiting);
            }
        },
        reader);
    if (!done) {
        reader_ = std::move(reader);
    }
}

bool AwaitedProtocol::satisfy(SomeBytes& reader) {
    if (taken_ < inbox_.size()) {
        finish(reader.deferred, take(inbox_.size() - taken_));
    } else if (isBroken()) {
        fail(reader.deferred, lost_);
    } else if (hasEnded()) {
        finish(reader.deferred, std::string());
    } else {
        return false;
    }
    return true;
}

bool AwaitedProtocol::satisfy(Line& reader) {
    LineRules& line = *line_;
    const std::string_view there = std::string_view(inbox_).substr(taken_);
    const std::size_t end = there.find(line.delimiter, line.searched);
    const std::size_t length = std::min(end, there.size());
    if (length > line.most &&
        (end != std::string_view::npos || length >= line.most + line.delimiter.size())) {
        fail(reader.deferred, Failure(std::make_exception_ptr(ValueError(
                                          "a line is longer than " + std::to_string(line.most) + " bytes")),
                                      std::source_location::current()));
    } else if (end != std::string_view::npos) {
        std::string text = take(end + line.delimiter.size());
        text.resize(end);
        finish(reader.deferred, std::optional(std::move(text)));
    } else if (isBroken()) {
        fail(reader.deferred, lost_);
    } else if (hasEnded() && there.empty()) {
        finish(reader.deferred, std::optional<std::string>());
    } else if (hasEnded()) {
        fail(reader.deferred, endedWithin("within a line"));
    } else {
        line.searched = there.size() - std::min(there.size(), line.delimiter.size() - 1);
        return false;
    }
    return true;
}

bool AwaitedProtocol::satisfy(ExactBytes& reader) {
    const std::size_t there = inbox_.size() - taken_;
    if (there >= reader.count) {
        finish(reader.deferred, take(reader.count));
    } else if (isBroken()) {
        fail(reader.deferred, lost_);
    } else if (hasEnded()) {
        fail(reader.deferred,
             endedWithin(std::to_string(reader.count - there) + " bytes before what was to be read"));
    } else {
        return false;
    }
    return true;
}

template <class Value, class Given>
void AwaitedProtocol::finish(defer::Deferred<Value>& deferred, Given&& value) {
    std::exchange(deferred, nullptr).callback(std::forward<Given>(value));
}

template <class Value>
void AwaitedProtocol::fail(defer::Deferred<Value>& deferred, Failure failure) {
    std::exchange(deferred, nullptr).errback(std::move(failure));
}

std::string AwaitedProtocol::take(std::size_t count) {
    if (taken_ == 0 && count == inbox_.size()) {
        return std::exchange(inbox_, {});
    }
    std::string taken = inbox_.substr(taken_, count);
    taken_ += count;
    if (taken_ == inbox_.size()) {
        inbox_.clear();
        taken_ = 0;
    } else if (taken_ > inbox_.size() / 2) {
        inbox_.erase(0, std::exchange(taken_, 0));
    }
    return taken;
}

void AwaitedProtocol::updateReading() {
    const std::size_t there = inbox_.size() - taken_;
    const bool pause = there >= inboxLimit && reader_.index() == 0;
    if (pause != paused_) {
        paused_ = pause;
        if (pause) {
            transport->pauseProducing();
        } else {
            transport->resumeProducing();
        }
    }
}

bool AwaitedProtocol::isBroken() const noexcept {
    return !lost_.empty() && lost_.check<ConnectionDone>() == nullptr;
}

void AwaitedProtocol::readConnectionLost() {
    ended_ = true;
    satisfy();
}

// Writing.

Written AwaitedProtocol::write(std::string_view data) {
    if (writingEnded_) {
        return writtenTooLate();
    }
    transport->write(data);
    return written();
}

Written AwaitedProtocol::write(std::string&& data) {
    if (writingEnded_) {
        return writtenTooLate();
    }
    transport->write(std::move(data));
    // NOLINTNEXTLINE(bugprone-use-after-move): the transport leaves it alone, or takes it whole
    spare(std::move(data));
    return written();
}

void AwaitedProtocol::endWriting() {
    writingEnded_ = true;
    transport->loseWriteConnection();
}

Written AwaitedProtocol::writtenTooLate() {
    return Written(lost_.empty() ? Failure(RuntimeError("a write after endWriting")) : lost_);
}

Written AwaitedProtocol::blocked() {
    return lost_.empty() ? Written(writers_.emplace_front()) : Written(lost_);
}

void AwaitedProtocol::resumeProducing() {
    full_ = false;
    for (auto& writer : inOrder(std::exchange(writers_, {}))) {
        if (!writer.called()) {
            writer.callback();
        }
    }
}

// Closing.

defer::Deferred<void> AwaitedProtocol::close() {
    if (!lost_.empty()) {
        return defer::succeed();
    }
    transport->loseConnection();
    return closers_.emplace_front();
}

void AwaitedProtocol::connectionLost(const Failure& reason) {
    lost_ = reason;
    satisfy();
    for (auto& writer : inOrder(std::exchange(writers_, {}))) {
        if (!writer.called() && isWanted(writer)) {
            writer.errback(reason);
        }
    }
    for (auto& closer : inOrder(std::exchange(closers_, {}))) {
        if (!closer.called()) {
            closer.callback();
        }
    }
}

} // namespace ropewalk::detail
