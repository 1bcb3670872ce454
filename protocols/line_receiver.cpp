#include <ropewalk/protocols/line_receiver.hpp>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk::protocols {

using detail::LineBuffer;

void LineReceiver::dataReceived(std::string_view data) {
    receive(data);
}

void LineReceiver::receive(std::string_view data) {
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

void LineReceiver::deliver() {
    std::string_view line;
    while (delivers() && buffer_.any()) {
        if (!lineMode_) {
            const std::string_view data = buffer_.all();
            buffer_.use(data.size());
            rawDataReceived(data);
            continue;
        }
        switch (buffer_.next(delimiter, MAX_LENGTH, line)) {
            case LineBuffer::Next::line:
                lineReceived(line);
                break;
            case LineBuffer::Next::unfinished:
                return;
            case LineBuffer::Next::tooLong: {
                const std::string_view data = buffer_.all();
                buffer_.use(data.size());
                lineLengthExceeded(data);
                break;
            }
        }
    }
}

void LineReceiver::rawDataReceived(std::string_view) {
    throw UnsupportedError("raw mode, and rawDataReceived is not overridden");
}

void LineReceiver::lineLengthExceeded(std::string_view) {
    if (transport) {
        transport->loseConnection();
    }
}

void LineReceiver::setLineMode(std::string_view extra) {
    lineMode_ = true;
    if (!extra.empty()) {
        dataReceived(extra);
    }
}

void LineReceiver::sendLine(std::string_view line) {
    transport->write(line);
    transport->write(std::string_view(delimiter));
}

} // namespace ropewalk::protocols
