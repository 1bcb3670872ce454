#include <ropewalk/defer/log.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/log_beginner.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

namespace ropewalk::log {

std::string_view levelName(LogLevel level) noexcept {
    switch (level) {
        case LogLevel::debug:
            return "debug";
        case LogLevel::info:
            return "info";
        case LogLevel::warn:
            return "warn";
        case LogLevel::cancelled:
            return "cancelled";
        case LogLevel::error:
            return "error";
        case LogLevel::critical:
            return "critical";
    }
    return "-";
}

std::string_view Fields::find(std::string_view key, std::string_view otherwise) const noexcept {
    for (const Field& field : *this)
        if (field.key == key) return field.value;
    return otherwise;
}

/// The mutex is held while observers are called, so that a removed one is done with everywhere; it is
/// recursive because they may log. Those removed meanwhile leave a hole, which goes when the outermost event
/// is through.
struct LogPublisher::State {
    std::recursive_mutex mutex;
    std::vector<LogObserver*> observers;
    int publishing = 0;
};

/// The observers, on the stack of the events that report their errors, which are not to be told of them.
struct LogPublisher::Excluded {
    const LogObserver* observer;
    const Excluded* outer;

    static bool contains(const Excluded* list, const LogObserver* observer) {
        for (; list != nullptr; list = list->outer)
            if (list->observer == observer) return true;
        return false;
    }
};

LogPublisher::LogPublisher() : state_(new State) {}

LogPublisher::~LogPublisher() {
    delete state_;
}

void LogPublisher::addObserver(LogObserver& observer) {
    const std::lock_guard lock(state_->mutex);
    if (std::ranges::find(state_->observers, &observer) == state_->observers.end())
        state_->observers.push_back(&observer);
}

void LogPublisher::removeObserver(LogObserver& observer) noexcept {
    const std::lock_guard lock(state_->mutex);
    const auto found = std::ranges::find(state_->observers, &observer);
    if (found == state_->observers.end()) return;
    if (state_->publishing == 0) {
        state_->observers.erase(found);
    } else {
        *found = nullptr;
    }
}

void LogPublisher::hold() {
    state_->mutex.lock();
}

void LogPublisher::letGo() noexcept {
    state_->mutex.unlock();
}

void LogPublisher::operator()(const LogEvent& event) {
    const std::lock_guard lock(state_->mutex);
    publish(event, nullptr);
}

void LogPublisher::publish(const LogEvent& event, const Excluded* excluded) {
    struct Broken {
        LogObserver* observer;
        Failure failure;
    };
    std::vector<Broken> broken;
    std::vector<LogObserver*>& observers = state_->observers;
    const std::size_t count = observers.size();
    ++state_->publishing;
    for (std::size_t i = 0; i < count; ++i) {
        LogObserver* observer = observers[i];
        if (observer == nullptr || Excluded::contains(excluded, observer)) continue;
        try {
            (*observer)(event);
        } catch (...) {
            broken.push_back({observer, Failure()});
        }
    }
    for (const Broken& one : broken) {
        const Excluded exclude{one.observer, excluded};
        LogEvent report{.level = LogLevel::critical, .text = "A log observer failed:"};
        report.failure = &one.failure;
        report.time = event.time;
        publish(report, &exclude);
    }
    if (--state_->publishing == 0) std::erase(observers, nullptr);
}

namespace {

struct Global {
    LogPublisher publisher;
    LogBeginner beginner{publisher};
};

Global& global() {
    static Global& instance = *new Global;
    return instance;
}

} // namespace

LogPublisher& globalLogPublisher() {
    return global().publisher;
}

LogBeginner& globalLogBeginner() {
    return global().beginner;
}

void addObserver(LogObserver& observer) {
    globalLogPublisher().addObserver(observer);
}

void removeObserver(LogObserver& observer) noexcept {
    globalLogPublisher().removeObserver(observer);
}

namespace {

std::atomic<TimeSource> timeSource{nullptr};

} // namespace

void setTimeSource(TimeSource source) noexcept {
    timeSource.store(source, std::memory_order_relaxed);
}

void emit(LogEvent event) {
    const TimeSource now = timeSource.load(std::memory_order_relaxed);
    if (event.time == 0 && now != nullptr) event.time = now();
    globalLogPublisher()(event);
}

void msg(std::string_view text, Fields fields) {
    info(text, fields);
}

void debug(std::string_view text, Fields fields) {
    emit({.level = LogLevel::debug, .text = text, .fields = fields});
}

void info(std::string_view text, Fields fields) {
    emit({.level = LogLevel::info, .text = text, .fields = fields});
}

void warn(std::string_view text, Fields fields) {
    emit({.level = LogLevel::warn, .text = text, .fields = fields});
}

void error(std::string_view text, Fields fields) {
    emit({.level = LogLevel::error, .text = text, .fields = fields});
}

void critical(std::string_view text, Fields fields) {
    emit({.level = LogLevel::critical, .text = text, .fields = fields});
}

void err(const Failure& error, std::string_view why, Fields fields) {
    failure(why.empty() ? "Unhandled Error" : why, error, LogLevel::critical, fields);
}

void err(std::source_location where) {
    err(Failure(where));
}

void err(std::string_view text, Fields fields, std::source_location where) {
    const Failure error(RuntimeError(std::string(text)), where);
    emit({.level = LogLevel::critical, .text = text, .failure = &error, .brief = true, .fields = fields});
}

void failure(std::string_view text, const Failure& error, LogLevel level, Fields fields) {
    emit({.level = level, .text = text, .failure = &error, .fields = fields});
}

void unhandled(const Failure& error) noexcept {
    const bool cancelled = error.check<defer::CancelledError>() != nullptr;
    const LogLevel level = cancelled ? LogLevel::cancelled : LogLevel::critical;
    emit({.level = level, .text = "Unhandled error in Deferred:"});
    failure("", error, level);
}

void abandoned(std::string_view text, std::source_location where) noexcept {
    const Failure error(AbandonedError(std::string(text)), where);
    emit({.level = LogLevel::critical, .text = text, .failure = &error, .brief = true});
}

} // namespace ropewalk::log
