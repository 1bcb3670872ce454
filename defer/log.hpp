#pragma once

#include <ropewalk/defer/failure.hpp>

#include <cstddef>
#include <exception>
#include <initializer_list>
#include <source_location>
#include <string_view>
#include <utility>

/// The log: events, and those who observe them (twisted.logger, twisted.python.log). Every function here may
/// be called from any thread and at any time, also while static objects are being destroyed.
///
/// Until `LogBeginner::beginLoggingTo` or `startLogging` is called, events of the levels `cancelled` and
/// `critical` are printed on standard error, without a time.
namespace ropewalk::log {

/// How much an event matters. `cancelled` is for cancellations that nobody handled: between a warning and an
/// error, so that an observer can drop them.
enum class LogLevel : unsigned char { debug, info, warn, cancelled, error, critical };

/// `"info"` for `LogLevel::info`.
std::string_view levelName(LogLevel level) noexcept;

/// A key and its value, which an event carries beside its text. `system` says which part of the program is
/// speaking.
struct Field {
    std::string_view key;
    std::string_view value;
};

/// The fields of an event, in the order in which they were given.
class Fields {
public:
    Fields() = default;
    Fields(std::initializer_list<Field> fields) noexcept : Fields(fields.begin(), fields.size()) {}
    Fields(const Field* first, std::size_t count) noexcept : first_(first), count_(count) {}

    const Field* begin() const noexcept { return first_; }
    const Field* end() const noexcept { return first_ + count_; }
    std::size_t size() const noexcept { return count_; }
    /// The value of the first field with this key, else `otherwise`.
    std::string_view find(std::string_view key, std::string_view otherwise = {}) const noexcept;

private:
    const Field* first_ = nullptr;
    std::size_t count_ = 0;
};

/// Something that happened. It refers to what the caller of the log owns: an observer that keeps one copies
/// what it needs.
struct LogEvent {
    LogLevel level = LogLevel::info;
    std::string_view text;
    /// The error that this is about (`log_failure`), or null.
    const Failure* failure = nullptr;
    /// The text tells all that there is to the failure: whoever writes text leaves its traceback out.
    bool brief = false;
    /// Seconds since 1970, or 0 if no clock was named with `setTimeSource`.
    double time = 0;
    Fields fields = {};

    std::string_view system() const noexcept { return fields.find("system", "-"); }
};

/// Sees the events of a publisher: `twisted.logger.ILogObserver`. It is called in the thread that logs, and
/// never by two threads at once. It may log, and may add and remove observers. What it throws goes to the
/// other observers.
class LogObserver {
public:
    LogObserver() = default;
    LogObserver(const LogObserver&) = delete;
    LogObserver& operator=(const LogObserver&) = delete;
    virtual ~LogObserver() = default;

    virtual void operator()(const LogEvent& event) = 0;
};

/// Passes events on to its observers, in the order in which they were added: `twisted.logger.LogPublisher`.
/// It owns none of them.
class LogPublisher : public LogObserver {
public:
    LogPublisher();
    ~LogPublisher() override;

    /// Adding an observer twice has no effect. One that is added during an event sees the next one first.
    void addObserver(LogObserver& observer);
    /// When this returns, the observer isn't running in any other thread and won't be called again. One that
    /// was never added is none of its business.
    void removeObserver(LogObserver& observer) noexcept;

    /// Never throws what an observer throws.
    void operator()(const LogEvent& event) override;

private:
    friend class LogBeginner;
    struct State;
    struct Excluded;

    /// While it is held, other threads that log wait.
    void hold();
    void letGo() noexcept;
    void publish(const LogEvent& event, const Excluded* excluded);

    State* state_;
};

/// The publisher that the functions below log to. It is never destroyed.
LogPublisher& globalLogPublisher();

/// On the global publisher: twisted.python.log's functions of these names.
void addObserver(LogObserver& observer);
void removeObserver(LogObserver& observer) noexcept;

/// An observer made of a function, which observes while it exists: `log::ScopedObserver watch([&](const
/// log::LogEvent& event) {…});`
template <class F>
class ScopedObserver final : public LogObserver {
public:
    explicit ScopedObserver(F function, LogPublisher& publisher = globalLogPublisher())
        : function_(std::move(function)), publisher_(publisher) {
        publisher_.addObserver(*this);
    }
    ~ScopedObserver() override { publisher_.removeObserver(*this); }

    void operator()(const LogEvent& event) override { function_(event); }

private:
    F function_;
    LogPublisher& publisher_;
};

/// Logs an event, and gives it a time if it has none.
void emit(LogEvent event);

/// An event of level `info`: `log.msg`.
void msg(std::string_view text, Fields fields = {});

void debug(std::string_view text, Fields fields = {});
void info(std::string_view text, Fields fields = {});
void warn(std::string_view text, Fields fields = {});
void error(std::string_view text, Fields fields = {});
void critical(std::string_view text, Fields fields = {});

/// An error, of level `critical`, and what was being done when it came: `log.err(failure, why)`. Any
/// exception object will do.
void err(const Failure& failure, std::string_view why = {}, Fields fields = {});
/// The exception being handled; throws `NoCurrentExceptionError` if there is none.
void err(std::source_location where = std::source_location::current());
/// A text that is an error by itself: it is logged with a `RuntimeError`.
void err(std::string_view text, Fields fields = {},
         std::source_location where = std::source_location::current());

/// `Logger.failure`: a text and an error.
void failure(std::string_view text, const Failure& failure, LogLevel level = LogLevel::critical,
             Fields fields = {});

/// What a chain says that goes away with an error in it: two events, as in Twisted. They are `critical`, or
/// `cancelled` when the error is a `CancelledError`.
void unhandled(const Failure& failure) noexcept;
/// What a coroutine says that nothing can resume any more: one line, with an `AbandonedError` that was made
/// at `where`.
void abandoned(std::string_view text, std::source_location where = std::source_location::current()) noexcept;

/// Gives the time of an event, in seconds since 1970. There is no clock on this floor: the reactor's brings
/// one.
using TimeSource = double (*)();
void setTimeSource(TimeSource source) noexcept;

} // namespace ropewalk::log
