#include <ropewalk/defer/log_beginner.hpp>

#include <ropewalk/defer/log_text.hpp>

#include <atomic>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ropewalk::log {
namespace {

void printOnStandardError(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
}

/// An event that owns what it shows.
class KeptEvent {
public:
    explicit KeptEvent(const LogEvent& event)
        : level_(event.level), text_(event.text), brief_(event.brief), time_(event.time) {
        if (event.failure != nullptr) failure_ = *event.failure;
        for (const Field& field : event.fields) fields_.emplace_back(field.key, field.value);
    }

    void showTo(LogObserver& observer) const {
        std::vector<Field> fields;
        for (const auto& [key, value] : fields_) fields.push_back({key, value});
        observer({.level = level_,
                  .text = text_,
                  .failure = failure_ ? &*failure_ : nullptr,
                  .brief = brief_,
                  .time = time_,
                  .fields = Fields(fields.data(), fields.size())});
    }

private:
    LogLevel level_;
    std::string text_;
    std::optional<Failure> failure_;
    bool brief_;
    double time_;
    std::vector<std::pair<std::string, std::string>> fields_;
};

} // namespace

class LogBeginner::Waiting : public LogObserver {
public:
    explicit Waiting(Print print) : print_(print != nullptr ? print : &printOnStandardError) {}

    void operator()(const LogEvent& event) override {
        if (event.level == LogLevel::critical || event.level == LogLevel::cancelled)
            print_(eventAsText(event) + '\n');
        events.emplace_back(event);
        if (events.size() > kept) events.pop_front();
    }

    std::atomic<bool> begun = false;
    std::deque<KeptEvent> events;

private:
    Print print_;
};

LogBeginner::LogBeginner(LogPublisher& publisher, Print print)
    : publisher_(publisher), waiting_(new Waiting(print)) {
    publisher_.addObserver(*waiting_);
}

LogBeginner::~LogBeginner() {
    publisher_.removeObserver(*waiting_);
    delete waiting_;
}

void LogBeginner::beginLoggingTo(std::initializer_list<LogObserver*> observers, bool discardBuffer) {
    struct Hold {
        explicit Hold(LogPublisher& held) : publisher(held) { publisher.hold(); }
        Hold(const Hold&) = delete;
        Hold& operator=(const Hold&) = delete;
        ~Hold() { publisher.letGo(); }
        LogPublisher& publisher;
    };
    const Hold hold(publisher_);
    for (LogObserver* observer : observers) publisher_.addObserver(*observer);
    if (waiting_->begun.exchange(true)) {
        publisher_({.level = LogLevel::warn, .text = "beginLoggingTo() was called more than once"});
        return;
    }
    publisher_.removeObserver(*waiting_);
    const std::deque<KeptEvent> events = std::exchange(waiting_->events, {});
    if (discardBuffer) return;
    for (const KeptEvent& event : events) event.showTo(publisher_);
}

bool LogBeginner::hasBegun() const noexcept {
    return waiting_->begun;
}

} // namespace ropewalk::log
