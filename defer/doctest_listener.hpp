#pragma once

#include <ropewalk/defer/log_beginner.hpp>
#include <ropewalk/defer/logged_errors.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <vector>

/// For tests with doctest: include this in one source file of the program, after that which implements
/// doctest.
namespace ropewalk::defer {

/// Fails every test case in which an error was logged and not taken away with `flushLoggedErrors`: an
/// unhandled error in a Deferred, an abandoned coroutine, anything given to `log::err`. What is logged
/// outside any test case fails the run. While tests run, nothing that is logged is printed.
class DoctestListener : public doctest::IReporter {
public:
    explicit DoctestListener(const doctest::ContextOptions& options) : options_(options) {}

    void test_run_start() override {
        loggedErrors();
        if (!log::globalLogBeginner().hasBegun()) log::globalLogBeginner().beginLoggingTo({});
    }

    void test_case_start(const doctest::TestCaseData& test) override {
        takeStrays();
        test_ = &test;
    }

    void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
        const std::vector<LoggedError> errors = loggedErrors().take();
        if (errors.empty() || test_ == nullptr) return;
        for (const LoggedError& error : errors)
            if (test_->m_should_fail || !show("logged, and not flushed:\n" + error.str())) break;
        judge(const_cast<doctest::CurrentTestCaseStats&>(stats));
    }

    void test_run_end(const doctest::TestRunStats& stats) override {
        takeStrays();
        unsigned& failed = const_cast<doctest::TestRunStats&>(stats).numTestCasesFailed;
        failed = static_cast<unsigned>(static_cast<int>(failed) + moreFailed_);
        static log::LogBeginner& afterwards = *new log::LogBeginner(log::globalLogPublisher());
        static_cast<void>(afterwards);
    }

    void report_query(const doctest::QueryData&) override {}
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_exception(const doctest::TestCaseException&) override {}
    void test_case_skipped(const doctest::TestCaseData&) override {}
    void subcase_start(const doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData&) override {}
    void log_message(const doctest::MessageData&) override {}

private:
    /// False when doctest, told to --abort-after a number of failures, wants to see no more.
    bool show(const std::string& text) {
        try {
            DOCTEST_ADD_FAIL_CHECK_AT(test_->m_file.c_str(), static_cast<int>(test_->m_line), text);
        } catch (...) {
            return false;
        }
        return true;
    }

    // Doctest judges a test case before it calls its listeners, and has no later occasion: so the verdict is
    // corrected in the object (which isn't constant) that the reporters and the exit code are going to read.
    void judge(doctest::CurrentTestCaseStats& stats) {
        using namespace doctest::TestCaseFailureReason;
        const bool succeeded = stats.testCaseSuccess;
        stats.failure_flags |= AssertFailure;
        if (test_->m_should_fail) {
            stats.failure_flags = (stats.failure_flags & ~ShouldHaveFailedButDidnt) | ShouldHaveFailedAndDid;
            stats.testCaseSuccess = true;
        } else if (test_->m_may_fail) {
            stats.failure_flags |= CouldHaveFailedAndDid;
        } else {
            stats.testCaseSuccess = false;
        }
        moreFailed_ += static_cast<int>(succeeded) - static_cast<int>(stats.testCaseSuccess);
    }

    void takeStrays() {
        for (const LoggedError& error : loggedErrors().take()) {
            *options_.cout << "logged outside any test case: " << error.str() << '\n';
            ++moreFailed_;
        }
    }

    const doctest::ContextOptions& options_;
    const doctest::TestCaseData* test_ = nullptr;
    int moreFailed_ = 0;
};

DOCTEST_REGISTER_LISTENER("ropewalk", 1, DoctestListener);

} // namespace ropewalk::defer
