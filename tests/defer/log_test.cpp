// labels: threads
#include <ropewalk/defer/log.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/log_beginner.hpp>
#include <ropewalk/defer/log_text.hpp>
#include <ropewalk/defer/logged_errors.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace log = ropewalk::log;
namespace defer = ropewalk::defer;

using log::LogEvent;
using log::LogLevel;
using ropewalk::Failure;

namespace {

/// Does what a test says, and keeps the texts of what it saw.
class Recorder : public log::LogObserver {
public:
    explicit Recorder(std::function<void(const LogEvent&)> react = {}) : react_(std::move(react)) {}

    void operator()(const LogEvent& event) override {
        texts.emplace_back(event.text);
        levels.push_back(event.level);
        if (react_) react_(event);
    }

    std::vector<std::string> texts;
    std::vector<LogLevel> levels;

private:
    std::function<void(const LogEvent&)> react_;
};

using Texts = std::vector<std::string>;

LogEvent text(std::string_view what, LogLevel level = LogLevel::info) {
    return {.level = level, .text = what};
}

/// What the global log does while it exists, printed as before logging has begun.
struct Printed {
    std::string all;
    log::ScopedObserver<std::function<void(const LogEvent&)>> watch{
        [this](const LogEvent& event) { all += log::eventAsText(event) + '\n'; }};
};

TEST_CASE("log: levels are in order, with cancelled between warn and error") {
    CHECK(LogLevel::debug < LogLevel::info);
    CHECK(LogLevel::info < LogLevel::warn);
    CHECK(LogLevel::warn < LogLevel::cancelled);
    CHECK(LogLevel::cancelled < LogLevel::error);
    CHECK(LogLevel::error < LogLevel::critical);
    CHECK(log::levelName(LogLevel::cancelled) == "cancelled");
    CHECK(log::levelName(LogLevel::debug) == "debug");
}

TEST_CASE("log: observers see events in the order in which they were added, once each") {
    log::LogPublisher publisher;
    Texts order;
    Recorder first([&](const LogEvent&) { order.emplace_back("first"); });
    Recorder second([&](const LogEvent&) { order.emplace_back("second"); });
    publisher.addObserver(first);
    publisher.addObserver(second);
    publisher.addObserver(first);
    publisher(text("poem"));
    CHECK(order == Texts{"first", "second"});
    publisher.removeObserver(first);
    publisher.removeObserver(first);
    publisher(text("another"));
    CHECK(first.texts == Texts{"poem"});
    CHECK(second.texts == Texts{"poem", "another"});
}

TEST_CASE("log: a publisher is an observer too") {
    log::LogPublisher outer;
    log::LogPublisher inner;
    Recorder recorder;
    outer.addObserver(inner);
    inner.addObserver(recorder);
    outer(text("through both"));
    CHECK(recorder.texts == Texts{"through both"});
}

TEST_CASE("log: observers may come and go during an event") {
    log::LogPublisher publisher;
    Recorder late;
    Recorder leaver;
    Recorder doomed;
    Recorder changer([&](const LogEvent&) {
        publisher.addObserver(late);
        publisher.removeObserver(leaver);
        publisher.removeObserver(doomed);
        publisher.removeObserver(changer);
    });
    publisher.addObserver(leaver);
    publisher.addObserver(changer);
    publisher.addObserver(doomed);
    publisher(text("one"));
    publisher(text("two"));
    CHECK(leaver.texts == Texts{"one"});
    CHECK(changer.texts == Texts{"one"});
    CHECK(doomed.texts.empty());
    CHECK(late.texts == Texts{"two"});
}

TEST_CASE("log: one that goes and comes back during an event sees the next ones") {
    log::LogPublisher publisher;
    Recorder returning([&](const LogEvent&) {
        publisher.removeObserver(returning);
        publisher.addObserver(returning);
    });
    publisher.addObserver(returning);
    publisher(text("one"));
    publisher(text("two"));
    CHECK(returning.texts == Texts{"one", "two"});
}

TEST_CASE("log: an observer may log") {
    log::LogPublisher publisher;
    Recorder chatty([&](const LogEvent& event) {
        if (event.text == "one") publisher(text("about one"));
    });
    Recorder other;
    publisher.addObserver(chatty);
    publisher.addObserver(other);
    publisher(text("one"));
    CHECK(chatty.texts == Texts{"one", "about one"});
    CHECK(other.texts == Texts{"about one", "one"});
}

TEST_CASE("log: what an observer throws goes to the others, and to nobody else") {
    log::LogPublisher publisher;
    std::string seen;
    Recorder broken([](const LogEvent&) { throw ropewalk::ValueError("disk full"); });
    Recorder healthy([&](const LogEvent& event) {
        if (event.failure != nullptr) seen = event.failure->getErrorMessage();
    });
    publisher.addObserver(broken);
    publisher.addObserver(healthy);
    CHECK_NOTHROW(publisher(text("one")));
    CHECK(broken.texts == Texts{"one"});
    REQUIRE(healthy.texts.size() == 2);
    CHECK(healthy.texts[0] == "one");
    CHECK(healthy.levels[1] == LogLevel::critical);
    CHECK(seen == "disk full");
    publisher(text("two"));
    CHECK(broken.texts == Texts{"one", "two"});
}

TEST_CASE("log: observers that all throw, anything, do no harm") {
    log::LogPublisher publisher;
    Recorder first([](const LogEvent&) { throw ropewalk::ValueError(); });
    Recorder second([](const LogEvent&) { throw 42; });
    publisher.addObserver(first);
    publisher.addObserver(second);
    CHECK_NOTHROW(publisher(text("one")));
    CHECK(first.texts.size() == 2);
    CHECK(second.texts.size() == 2);
}

TEST_CASE("log: a scoped observer observes while it exists") {
    Texts seen;
    {
        const log::ScopedObserver watch([&](const LogEvent& event) { seen.emplace_back(event.text); });
        log::msg("inside");
    }
    log::msg("outside");
    CHECK(seen == Texts{"inside"});
}

TEST_CASE("log: each function has its level, and carries its fields") {
    Recorder recorder;
    std::string system;
    std::string poet;
    const log::ScopedObserver watch([&](const LogEvent& event) {
        recorder(event);
        system = event.system();
        poet = event.fields.find("poet", "nobody");
    });
    log::debug("a");
    CHECK(system == "-");
    CHECK(poet == "nobody");
    log::info("b");
    log::msg("c", {{"system", "Poetry"}, {"poet", "Robert Frost"}});
    CHECK(system == "Poetry");
    CHECK(poet == "Robert Frost");
    log::warn("d");
    log::error("e");
    log::critical("f");
    CHECK(recorder.texts == Texts{"a", "b", "c", "d", "e", "f"});
    CHECK(recorder.levels == std::vector{LogLevel::debug, LogLevel::info, LogLevel::info, LogLevel::warn,
                                         LogLevel::error, LogLevel::critical});
}

TEST_CASE("log: err takes a failure, an exception object, the current exception, or a text") {
    Printed printed;
    log::err(Failure(ropewalk::ValueError("one")));
    CHECK(printed.all.starts_with("Unhandled Error\nTraceback (most recent call last):\n"));
    CHECK(printed.all.ends_with("ropewalk::ValueError: one\n\n"));

    printed.all.clear();
    log::err(ropewalk::ValueError("two"), "while fetching the poem");
    CHECK(printed.all.starts_with("while fetching the poem\nTraceback"));

    printed.all.clear();
    try {
        throw ropewalk::KeyError("three");
    } catch (const std::exception&) {
        log::err();
    }
    CHECK(printed.all.ends_with("ropewalk::KeyError: three\n\n"));

    printed.all.clear();
    log::err("four");
    CHECK(printed.all == "four\n");

    CHECK(defer::flushLoggedErrors<ropewalk::ValueError>().size() == 2);
    CHECK(defer::flushLoggedErrors<ropewalk::KeyError, ropewalk::RuntimeError>().size() == 2);
    CHECK_THROWS_AS(log::err(), ropewalk::NoCurrentExceptionError);
}

TEST_CASE("log: an unhandled error is two critical events, printed as Twisted prints them") {
    Printed printed;
    Recorder recorder;
    log::addObserver(recorder);
    log::unhandled(ropewalk::Exception("d2 failure"));
    log::removeObserver(recorder);
    CHECK(recorder.texts == Texts{"Unhandled error in Deferred:", ""});
    CHECK(recorder.levels == std::vector{LogLevel::critical, LogLevel::critical});
    CHECK(printed.all.starts_with("Unhandled error in Deferred:\n\nTraceback (most recent call last):\n"));
    CHECK(printed.all.ends_with("ropewalk::Exception: d2 failure\n\n"));
    CHECK(defer::flushLoggedErrors<ropewalk::Exception>().size() == 1);
}

TEST_CASE("log: an unhandled cancellation has a level of its own") {
    Recorder recorder;
    log::addObserver(recorder);
    log::unhandled(defer::CancelledError());
    log::removeObserver(recorder);
    CHECK(recorder.levels == std::vector{LogLevel::cancelled, LogLevel::cancelled});
    CHECK(defer::flushLoggedErrors<defer::CancelledError>().size() == 1);
}

TEST_CASE("log: an abandoned coroutine is one line") {
    Printed printed;
    log::abandoned("abandoned: poet, waiting at client.cpp:3");
    CHECK(printed.all == "abandoned: poet, waiting at client.cpp:3\n");
    CHECK(defer::flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
}

TEST_CASE("log: events have the time of the source that was named, else none") {
    double seen = -1;
    const log::ScopedObserver watch([&](const LogEvent& event) { seen = event.time; });
    log::setTimeSource(nullptr);
    log::msg("timeless");
    CHECK(seen == 0);
    log::setTimeSource([] { return 1704067200.5; });
    log::msg("timed");
    CHECK(seen == 1704067200.5);
    log::emit({.text = "earlier", .time = 7});
    CHECK(seen == 7);
    log::setTimeSource(nullptr);
}

TEST_CASE("log: many threads at once") {
    constexpr int threads = 4;
    constexpr int each = 2000;
    log::LogPublisher publisher;
    int count = 0; // no lock of its own: the publisher calls one thread at a time
    const log::ScopedObserver counter([&](const LogEvent&) { ++count; }, publisher);
    std::vector<std::thread> workers;
    for (int i = 0; i < threads; ++i) {
        workers.emplace_back([&] {
            for (int n = 0; n < each; ++n) {
                if (n % 100 == 0) {
                    const log::ScopedObserver passing([](const LogEvent&) {}, publisher);
                    publisher(text("poem"));
                } else {
                    publisher(text("poem"));
                }
            }
        });
    }
    for (std::thread& worker : workers) worker.join();
    CHECK(count == threads * each);
}

TEST_CASE("log: a removed observer isn't running in any other thread") {
    log::LogPublisher publisher;
    std::atomic<bool> inside = false;
    std::atomic<bool> removing = false;
    std::atomic<bool> left = false;
    Recorder slow([&](const LogEvent&) {
        inside = true;
        while (!removing) std::this_thread::yield();
        for (int i = 0; i < 1000; ++i) std::this_thread::yield(); // for a removal that doesn't wait
        left = true;
    });
    publisher.addObserver(slow);
    std::thread logging([&] { publisher(text("poem")); });
    while (!inside) std::this_thread::yield();
    removing = true;
    publisher.removeObserver(slow);
    CHECK(left);
    logging.join();
}

} // namespace

// Before logging begins.
namespace {

std::string standardError;

void print(std::string_view what) {
    standardError += what;
}

struct Beginning {
    Beginning() { standardError.clear(); }
    log::LogPublisher publisher;
    log::LogBeginner beginner{publisher, &print};
};

TEST_CASE("log: before it begins, only critical events and cancellations are printed") {
    Beginning b;
    for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error})
        b.publisher(text("quiet", level));
    CHECK(standardError.empty());
    b.publisher(text("critical", LogLevel::critical));
    b.publisher(text("cancelled", LogLevel::cancelled));
    CHECK(standardError == "critical\ncancelled\n");
    CHECK(!b.beginner.hasBegun());
}

TEST_CASE("log: beginning shows what was kept, with all its parts, and prints no more") {
    Beginning b;
    {
        const Failure failure{ropewalk::ValueError("kept")};
        const std::string gone = "gone by then";
        b.publisher(
            {.text = gone, .failure = &failure, .brief = true, .time = 3, .fields = {{"system", gone}}});
    }
    std::string seen;
    const log::ScopedObserver check(
        [&](const LogEvent& event) {
            seen += std::string(event.text) + "," + std::string(event.system()) + ",";
            if (event.failure != nullptr) seen += event.failure->getErrorMessage() + ",";
            if (event.brief && event.time == 3) seen += "whole";
        },
        b.publisher);
    Recorder recorder;
    b.beginner.beginLoggingTo({&recorder});
    CHECK(b.beginner.hasBegun());
    CHECK(seen == "gone by then,gone by then,kept,whole");
    CHECK(recorder.texts == Texts{"gone by then"});
    b.publisher(text("later", LogLevel::critical));
    CHECK(recorder.texts == Texts{"gone by then", "later"});
    CHECK(standardError.empty());
}

TEST_CASE("log: the last 200 events are kept") {
    Beginning b;
    for (int i = 0; i < 250; ++i) b.publisher(text(std::to_string(i)));
    Recorder recorder;
    b.beginner.beginLoggingTo({&recorder});
    REQUIRE(recorder.texts.size() == 200);
    CHECK(recorder.texts.front() == "50");
    CHECK(recorder.texts.back() == "249");
}

TEST_CASE("log: what was kept may be discarded") {
    Beginning b;
    b.publisher(text("old"));
    Recorder recorder;
    b.beginner.beginLoggingTo({&recorder}, true);
    b.publisher(text("new"));
    CHECK(recorder.texts == Texts{"new"});
}

TEST_CASE("log: to begin twice is a warning, and adds the observers") {
    Beginning b;
    Recorder first;
    Recorder second;
    b.beginner.beginLoggingTo({&first});
    b.beginner.beginLoggingTo({&second});
    REQUIRE(first.texts.size() == 1);
    CHECK(first.levels[0] == LogLevel::warn);
    CHECK(second.texts.size() == 1);
}

TEST_CASE("log: an observer may begin the logging") {
    Beginning b;
    Recorder recorder;
    Recorder starter([&](const LogEvent&) {
        if (!b.beginner.hasBegun()) b.beginner.beginLoggingTo({&recorder});
    });
    b.publisher.addObserver(starter);
    b.publisher(text("one"));
    b.publisher(text("two"));
    CHECK(recorder.texts == Texts{"one", "two"});
}

TEST_CASE("log: nothing is lost or doubled when threads log while it begins") {
    constexpr int events = 150;
    Beginning b;
    Recorder recorder;
    std::thread logging([&] {
        for (int i = 0; i < events; ++i) b.publisher(text(std::to_string(i)));
    });
    b.beginner.beginLoggingTo({&recorder});
    logging.join();
    Texts expected;
    for (int i = 0; i < events; ++i) expected.push_back(std::to_string(i));
    CHECK(recorder.texts == expected);
}

} // namespace

// Text.
namespace {

TEST_CASE("log: the time of a line, in its own time zone") {
    CHECK(log::formatTime({.year = 2024}) == "2024-01-01 00:00:00+0000");
    CHECK(log::formatTime({2009, 8, 31, 23, 59, 7, 330}) == "2009-08-31 23:59:07+0530");
    CHECK(log::formatTime({2009, 8, 31, 23, 59, 7, -210}) == "2009-08-31 23:59:07-0330");
}

TEST_CASE("log: the lines that startLogging writes") {
    const log::LogTime time{.year = 2024};
    CHECK(log::formatLine(time, text("This is a message.")) ==
          "2024-01-01 00:00:00+0000 [-] This is a message.\n");
    CHECK(log::formatLine(time, {.text = "two\nlines", .fields = {{"system", "HTTPChannel"}}}) ==
          "2024-01-01 00:00:00+0000 [HTTPChannel] two\n\tlines\n");
    CHECK(log::formatLine(time, text("")) == "");
}

TEST_CASE("log: a failure's line is headed by its text, and each line of the traceback begins with a tab") {
    const log::LogTime time{.year = 2024};
    const Failure failure{ropewalk::ValueError("bad")};
    const std::string line = log::formatLine(time, {.text = "This is bad.", .failure = &failure});
    CHECK(line.starts_with(
        "2024-01-01 00:00:00+0000 [-] This is bad.\n\tTraceback (most recent call last):\n\t"));
    CHECK(line.ends_with("\n\tropewalk::ValueError: bad\n\t\n"));
    CHECK(log::formatLine(time, {.text = "", .failure = &failure})
              .starts_with("2024-01-01 00:00:00+0000 [-] Unhandled Error\n\tTraceback"));
    CHECK(log::formatLine(time, {.text = "all there is", .failure = &failure, .brief = true}) ==
          "2024-01-01 00:00:00+0000 [-] all there is\n");
}

TEST_CASE("log: an event as text, as it is printed before logging begins") {
    const Failure failure{ropewalk::ValueError("bad")};
    CHECK(log::eventAsText(text("plain")) == "plain");
    CHECK(log::eventAsText({.text = "why", .failure = &failure}) == "why\n" + failure.getTraceback());
    CHECK(log::eventAsText({.text = "", .failure = &failure}) == "\n" + failure.getTraceback());
    CHECK(log::eventAsText({.text = "brief", .failure = &failure, .brief = true}) == "brief");
}

} // namespace
