#pragma once

#include <ropewalk/defer/log.hpp>

#include <initializer_list>
#include <string_view>

namespace ropewalk::log {

/// What happens to events before somebody says where they go: `twisted.logger.LogBeginner`. Until then those
/// of the levels `cancelled` and `critical` are printed, and the last 200 of all are kept. Callable from any
/// thread.
class LogBeginner {
public:
    using Print = void (*)(std::string_view text);

    static constexpr std::size_t kept = 200;

    /// Observes `publisher`, which must live longer; a null `print` means standard error.
    explicit LogBeginner(LogPublisher& publisher, Print print = nullptr);
    LogBeginner(const LogBeginner&) = delete;
    LogBeginner& operator=(const LogBeginner&) = delete;
    ~LogBeginner();

    /// Adds the observers to the publisher, shows to all of its observers what was kept, unless
    /// `discardBuffer`, and prints no more. Later calls add their observers, and log a warning.
    void beginLoggingTo(std::initializer_list<LogObserver*> observers, bool discardBuffer = false);
    bool hasBegun() const noexcept;

private:
    class Waiting;

    LogPublisher& publisher_;
    Waiting* waiting_;
};

/// The one for the global publisher. It is never destroyed.
LogBeginner& globalLogBeginner();

} // namespace ropewalk::log
