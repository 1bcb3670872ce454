#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <ropewalk/protocols/line_buffer.hpp>
#include <ropewalk/reactor/protocol.hpp>

namespace ropewalk::protocols {

/// A protocol of lines and nothing else (`twisted.protocols.basic.LineOnlyReceiver`): derive from it and write
/// `lineReceived`. Nothing is delivered once the connection closes.
class LineOnlyReceiver : public Protocol {
public:
    /// What ends a line. It may change at any time; receiving with an empty one throws `ValueError`.
    std::string delimiter = "\r\n";
    /// The longest line, in bytes and without its delimiter.
    std::size_t MAX_LENGTH = 16384;

    void dataReceived(std::string_view data) override;

    /// A line, without its delimiter. The view is valid during the call.
    virtual void lineReceived(std::string_view line) = 0;
    /// A line is too long: it closes the connection. Called once for such a line, with what is there of it,
    /// which is valid during the call; if the connection stays, the rest of that line is left out.
    virtual void lineLengthExceeded(std::string_view line);

    /// Sends the line and a delimiter.
    void sendLine(std::string_view line);

private:
    void deliver();
    void unfinished();
    bool canEnd(std::string_view line) const noexcept;

    detail::LineBuffer buffer_;
    bool leavingOut_ = false; // the line that is there, because it is too long
};

} // namespace ropewalk::protocols
