#include <ropewalk/protocols/line_only_receiver.hpp>

#include <algorithm>
#include <utility>

namespace ropewalk::protocols {

using detail::LineBuffer;

void LineOnlyReceiver::dataReceived(std::string_view data) {
    if (!buffer_.begin(data)) {
        return;
    }
    try {
        deliver();
    } catch (...) {
        buffer_.end();
        throw;
    }
    buffer_.end();
}

void LineOnlyReceiver::deliver() {
    std::string_view line;
    while (!(transport && transport->disconnecting()) && buffer_.any()) {
        if (buffer_.next(delimiter, LineBuffer::anyLength, line) == LineBuffer::Next::line) {
            if (std::exchange(leavingOut_, false)) {
                continue;
            }
            if (line.size() > MAX_LENGTH) {
                lineLengthExceeded(line);
            } else {
                lineReceived(line);
            }
        } else {
            unfinished();
            if (!buffer_.takeLate()) {
                return;
            }
        }
    }
}

void LineOnlyReceiver::unfinished() {
    const std::string_view line = buffer_.front();
    if (!leavingOut_ && canEnd(line)) {
        return;
    }
    buffer_.use(line.size() - std::min(line.size(), delimiter.size() - 1));
    if (!std::exchange(leavingOut_, true)) {
        lineLengthExceeded(line);
    }
}

// Whether the line may still be found to be no longer than allowed: its last bytes may begin the delimiter.
bool LineOnlyReceiver::canEnd(std::string_view line) const noexcept {
    if (line.size() <= MAX_LENGTH) {
        return true;
    }
    for (std::size_t begun = line.size() - MAX_LENGTH; begun < delimiter.size(); ++begun) {
        if (begun <= line.size() && line.ends_with(std::string_view(delimiter).substr(0, begun))) {
            return true;
        }
    }
    return false;
}

void LineOnlyReceiver::lineLengthExceeded(std::string_view) {
    if (transport) {
        transport->loseConnection();
    }
}

void LineOnlyReceiver::sendLine(std::string_view line) {
    transport->writeSequence({line, delimiter});
}

} // namespace ropewalk::protocols
