#pragma once

#include <ropewalk/defer/log.hpp>

#include <mutex>
#include <string>
#include <vector>

namespace ropewalk::defer {

/// An error that was logged, and the text that came with it.
struct LoggedError {
    std::string text;
    Failure failure;
    bool brief;

    /// The text and the traceback, as they would have been printed.
    std::string str() const;
};

/// Collects what is logged as an error: every event with a failure, so unhandled errors and cancellations,
/// abandoned coroutines, and all that `log::err` and `log::failure` report, in whatever thread. Twisted's
/// trial does the same.
class LoggedErrors : public log::LogObserver {
public:
    explicit LoggedErrors(log::LogPublisher& publisher = log::globalLogPublisher());
    ~LoggedErrors() override;

    void operator()(const log::LogEvent& event) override;

    /// Removes all errors, or those that are an X or one of the Others, and returns them in the order in
    /// which they were logged.
    std::vector<Failure> flush();
    template <class X, class... Others>
    std::vector<Failure> flush() {
        return flushIf([](const Failure& failure) {
            return failure.check<X>() != nullptr || (... || (failure.check<Others>() != nullptr));
        });
    }

    /// Removes all of them, with their texts.
    std::vector<LoggedError> take();
    std::size_t size() const;

private:
    std::vector<Failure> flushIf(bool (*matches)(const Failure& failure));

    log::LogPublisher& publisher_;
    mutable std::mutex mutex_;
    std::vector<LoggedError> errors_;
};

/// The collector that the functions below use, and the doctest listener. It collects from the first call on,
/// and is never destroyed.
LoggedErrors& loggedErrors();

/// Removes the errors that were logged and returns them: `SynchronousTestCase.flushLoggedErrors`. With
/// classes, only errors of those.
inline std::vector<Failure> flushLoggedErrors() {
    return loggedErrors().flush();
}
template <class X, class... Others>
std::vector<Failure> flushLoggedErrors() {
    return loggedErrors().flush<X, Others...>();
}

} // namespace ropewalk::defer
