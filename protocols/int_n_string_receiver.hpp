#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/protocols/pauseable.hpp>
#include <ropewalk/protocols/unread.hpp>

namespace ropewalk::protocols {

/// `basic.StringTooLongError`: the length of a string doesn't fit into the prefix.
class StringTooLongError : public AssertionError {
public:
    using AssertionError::AssertionError;
};

/// A protocol of strings, each after its length as a big-endian integer
/// (`twisted.protocols.basic.IntNStringReceiver`): derive from one of the three below and write
/// `stringReceived`. Nothing is delivered while it is paused, nor once the connection closes.
class IntNStringReceiver : public Pauseable {
public:
    /// The longest string that is received, in bytes.
    std::size_t MAX_LENGTH = 99999;

    void dataReceived(std::string_view data) override;

    /// A string. The view is valid during the call.
    virtual void stringReceived(std::string_view string) = 0;
    /// A string of `length` bytes, more than `MAX_LENGTH`, was announced: it closes the connection. One that
    /// doesn't may raise `MAX_LENGTH`; otherwise that string is left out.
    virtual void lengthLimitExceeded(std::size_t length);

    /// Sends the string after its length. Throws `StringTooLongError`.
    void sendString(std::string_view string);

    /// How many bytes a length has.
    std::size_t prefixLength() const noexcept { return prefix_; }

protected:
    explicit IntNStringReceiver(std::uint8_t prefixLength) : prefix_(prefixLength) {}

private:
    void deliverKept() override { receive({}); }
    void receive(std::string_view data);
    void deliver();
    void exceeded();
    bool leaveOut();

    detail::Unread unread_;
    std::size_t length_ = 0;
    std::size_t leftOut_ = 0; // bytes of a string that is too long, and still to come
    bool hasLength_ = false;  // it has been read, and its string is what comes next
    const std::uint8_t prefix_;
};

/// `basic.Int8StringReceiver`: lengths of one byte.
class Int8StringReceiver : public IntNStringReceiver {
public:
    Int8StringReceiver() : IntNStringReceiver(1) {}
};

/// `basic.Int16StringReceiver`: lengths of two bytes.
class Int16StringReceiver : public IntNStringReceiver {
public:
    Int16StringReceiver() : IntNStringReceiver(2) {}
};

/// `basic.Int32StringReceiver`: lengths of four bytes.
class Int32StringReceiver : public IntNStringReceiver {
public:
    Int32StringReceiver() : IntNStringReceiver(4) {}
};

} // namespace ropewalk::protocols
