#include <ropewalk/defer/logged_errors.hpp>

#include <ropewalk/defer/log_text.hpp>

#include <utility>

namespace ropewalk::defer {

std::string LoggedError::str() const {
    if (text.empty()) return failure.getTraceback();
    return log::eventAsText({.text = text, .failure = &failure, .brief = brief});
}

LoggedErrors::LoggedErrors(log::LogPublisher& publisher) : publisher_(publisher) {
    publisher_.addObserver(*this);
}

LoggedErrors::~LoggedErrors() {
    publisher_.removeObserver(*this);
}

void LoggedErrors::operator()(const log::LogEvent& event) {
    if (event.failure == nullptr) return;
    const std::lock_guard lock(mutex_);
    errors_.push_back({std::string(event.text), *event.failure, event.brief});
}

std::vector<Failure> LoggedErrors::flush() {
    return flushIf([](const Failure&) { return true; });
}

std::vector<Failure> LoggedErrors::flushIf(bool (*matches)(const Failure& failure)) {
    const std::lock_guard lock(mutex_);
    std::vector<Failure> flushed;
    std::vector<LoggedError> rest;
    for (LoggedError& error : errors_) {
        if (matches(error.failure)) {
            flushed.push_back(std::move(error.failure));
        } else {
            rest.push_back(std::move(error));
        }
    }
    errors_ = std::move(rest);
    return flushed;
}

std::vector<LoggedError> LoggedErrors::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(errors_, {});
}

std::size_t LoggedErrors::size() const {
    const std::lock_guard lock(mutex_);
    return errors_.size();
}

LoggedErrors& loggedErrors() {
    static LoggedErrors& errors = *new LoggedErrors;
    return errors;
}

} // namespace ropewalk::defer
