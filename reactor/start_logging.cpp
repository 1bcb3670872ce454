#include <ropewalk/reactor/start_logging.hpp>

#include <cmath>
#include <ctime>
#include <memory>
#include <mutex>
#include <ostream>
#include <vector>

#include <ropewalk/defer/log_beginner.hpp>
#include <ropewalk/defer/log_text.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/reactor/thread_reactor.hpp>
#include <ropewalk/reactor/uv_driver.hpp>

namespace ropewalk::log {

namespace {

/// The time that this thread's reactor goes by, or, where there is none, the system's.
double wallTime() {
    Reactor* here = detail::ThreadReactor::here();
    const std::int64_t now = here != nullptr ? here->driver().wallTime() : UvDriver::systemWallTime();
    return static_cast<double>(now) * 1e-9;
}

LogTime localTime(double secondsSince1970) {
    const auto whole = static_cast<std::time_t>(std::floor(secondsSince1970));
    std::tm local = {};
    localtime_r(&whole, &local);
    return {.year = local.tm_year + 1900,
            .month = local.tm_mon + 1,
            .day = local.tm_mday,
            .hour = local.tm_hour,
            .minute = local.tm_min,
            .second = local.tm_sec,
            .offset = static_cast<int>(local.tm_gmtoff / 60)};
}

class StreamObserver final : public LogObserver {
public:
    explicit StreamObserver(std::ostream& out) noexcept : out_(out) {}

    void operator()(const LogEvent& event) override {
        const double time = event.time != 0 ? event.time : wallTime();
        out_ << formatLine(localTime(time), event) << std::flush;
    }

private:
    std::ostream& out_;
};

} // namespace

LogObserver& startLogging(std::ostream& out) {
    static auto& mutex = *new std::mutex;
    static auto& observers = *new std::vector<std::unique_ptr<StreamObserver>>;
    setTimeSource(&wallTime);
    StreamObserver* observer = nullptr;
    {
        const std::lock_guard lock(mutex);
        observer = observers.emplace_back(std::make_unique<StreamObserver>(out)).get();
    }
    globalLogBeginner().beginLoggingTo({observer}, true);
    msg("Log opened.");
    return *observer;
}

} // namespace ropewalk::log
