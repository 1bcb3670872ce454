#pragma once

#include <ropewalk/defer/log.hpp>

#include <string>

/// Log events as text. No clock and no file: whoever writes brings those.
namespace ropewalk::log {

/// A moment of some time zone, `offset` minutes east of Greenwich. Months and days count from 1.
struct LogTime {
    int year = 1970;
    int month = 1;
    int day = 1;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int offset = 0;
};

/// `2024-01-01 00:00:00+0000`: `twisted.python.log.FileLogObserver.formatTime`.
std::string formatTime(const LogTime& time);

/// The text, and on lines of its own the failure's traceback if there is one and the event isn't brief:
/// `twisted.logger.eventAsText` without time and system. Ends without a newline, unless the traceback brings
/// one.
std::string eventAsText(const LogEvent& event);

/// What `startLogging` writes, newline included: `2024-01-01 00:00:00+0000 [-] text`, where the lines after
/// the first begin with a tab. An event with a failure and without a text is headed `Unhandled Error`, one
/// without either gives an empty string.
std::string formatLine(const LogTime& time, const LogEvent& event);

} // namespace ropewalk::log
