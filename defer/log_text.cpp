#include <ropewalk/defer/log_text.hpp>

#include <cstdio>
#include <cstdlib>

namespace ropewalk::log {
namespace {

std::string withTraceback(std::string text, const LogEvent& event) {
    if (event.failure == nullptr || event.brief) return text;
    text += '\n';
    try {
        text += event.failure->getTraceback();
    } catch (const std::exception& error) {
        text += std::string("(no traceback: ") + error.what() + ")\n";
    }
    return text;
}

} // namespace

std::string formatTime(const LogTime& time) {
    const int offset = std::abs(time.offset);
    char text[96];
    std::snprintf(text, sizeof text, "%d-%02d-%02d %02d:%02d:%02d%c%02d%02d", time.year, time.month, time.day,
                  time.hour, time.minute, time.second, time.offset < 0 ? '-' : '+', offset / 60, offset % 60);
    return text;
}

std::string eventAsText(const LogEvent& event) {
    return withTraceback(std::string(event.text), event);
}

std::string formatLine(const LogTime& time, const LogEvent& event) {
    if (event.text.empty() && event.failure == nullptr) return {};
    const std::string_view heading = event.text.empty() ? "Unhandled Error" : event.text;
    std::string line = formatTime(time) + " [" + std::string(event.system()) + "] ";
    for (const char c : withTraceback(std::string(heading), event)) {
        line += c;
        if (c == '\n') line += '\t';
    }
    return line + '\n';
}

} // namespace ropewalk::log
