#pragma once

#include <cstddef>
#include <string_view>

#include <ropewalk/protocols/netstring.hpp>
#include <ropewalk/protocols/pauseable.hpp>
#include <ropewalk/protocols/unread.hpp>

namespace ropewalk::protocols {

/// A protocol of netstrings (`twisted.protocols.basic.NetstringReceiver`): derive from it and write
/// `stringReceived`. Nothing is delivered while it is paused, nor once the connection closes.
class NetstringReceiver : public Pauseable {
public:
    /// The longest string, in bytes.
    std::size_t MAX_LENGTH = 99999;

    void dataReceived(std::string_view data) override;

    /// A string. The view is valid during the call.
    virtual void stringReceived(std::string_view string) = 0;
    /// What came is no netstring, or announces one that is too long: it closes the connection. What comes
    /// afterwards is ignored.
    virtual void handleParseError(const NetstringParseError& error);

    /// Sends the string as a netstring.
    void sendString(std::string_view string);

    /// Whether there was such an error.
    bool brokenPeer() const noexcept { return broken_; }

private:
    void deliverKept() override { receive({}); }
    void receive(std::string_view data);
    void deliver();
    bool readUsualLength() noexcept;
    bool readLength();
    void refuse(const char* why);

    detail::Unread unread_;
    std::size_t length_ = 0;
    bool hasLength_ = false; // it has been read, and its string is what comes next
    bool broken_ = false;
};

} // namespace ropewalk::protocols
