#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <ropewalk/protocols/line_buffer.hpp>
#include <ropewalk/protocols/pauseable.hpp>

namespace ropewalk::protocols {

/// A protocol of lines, and of raw data between them (`twisted.protocols.basic.LineReceiver`): derive from it
/// and write `lineReceived`, and `rawDataReceived` if there is a raw mode. Changes of the mode take effect in
/// the middle of what was received.
///
///     struct Chat : LineReceiver { void lineReceived(std::string_view line) override { sendLine(line); } };
///
/// Nothing is delivered while it is paused, nor once the connection closes (`loseConnection`). A
/// `dataReceived` in the middle of a delivery comes after all that is there.
class LineReceiver : public Pauseable {
public:
    /// What ends a line. It may change at any time; receiving with an empty one throws `ValueError`.
    std::string delimiter = "\r\n";
    /// The longest line, in bytes and without its delimiter.
    std::size_t MAX_LENGTH = 16384;

    void dataReceived(std::string_view data) override;

    /// A line, without its delimiter. The view is valid during the call.
    virtual void lineReceived(std::string_view line) = 0;
    /// In raw mode: what came, never empty. Valid during the call. One that isn't overridden throws
    /// `UnsupportedError`.
    virtual void rawDataReceived(std::string_view data);
    /// A line is too long: it closes the connection. `data` is all that is there, from the beginning of that
    /// line on; it may be a part of the line or more than the line. Valid during the call, and then gone,
    /// unless it is given back, with `setLineMode`.
    virtual void lineLengthExceeded(std::string_view data);

    /// What comes from now on is raw data.
    void setRawMode() noexcept { lineMode_ = false; }
    /// What comes from now on is lines, and `extra` comes first: in `rawDataReceived`, what isn't raw data
    /// any more. It is not copied there.
    void setLineMode(std::string_view extra = {});
    bool lineMode() const noexcept { return lineMode_; }

    /// Takes away what was received and not yet delivered.
    std::string clearLineBuffer() { return buffer_.takeAll(); }

    /// Sends the line and a delimiter.
    void sendLine(std::string_view line);

private:
    void deliverKept() override { receive({}); }
    void receive(std::string_view data);
    void deliver();

    detail::LineBuffer buffer_;
    bool lineMode_ = true;
};

} // namespace ropewalk::protocols
