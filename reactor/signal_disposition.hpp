#pragma once

namespace ropewalk::detail {

/// Remembers what the process did with a signal when the first of these was made for it, and restores that
/// when the last one of all threads goes: libuv resets a signal to the system's default instead.
class SignalDisposition {
public:
    explicit SignalDisposition(int number);
    SignalDisposition(const SignalDisposition&) = delete;
    SignalDisposition& operator=(const SignalDisposition&) = delete;
    ~SignalDisposition();

    /// Whether the program neither handles nor ignores it, or one of these has it in hand.
    static bool isDefault(int number);

private:
    int number_;
};

} // namespace ropewalk::detail
