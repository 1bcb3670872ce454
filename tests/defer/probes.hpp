#pragma once

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/defer/log.hpp>

#include <doctest/doctest.h>

#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the tests of Deferred watch with.
namespace probes {

using Words = std::vector<std::string>;

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// `FILE:LINE` of the line that this stands on, or of one so many lines before.
inline std::string here(int before = 0, std::source_location where = std::source_location::current()) {
    return std::string(where.file_name()) + ':' + std::to_string(static_cast<int>(where.line()) - before);
}

/// The number of the line that this stands on, or of one so many lines before.
inline unsigned line(int before = 0, std::source_location where = std::source_location::current()) {
    return static_cast<unsigned>(static_cast<int>(where.line()) - before);
}

/// Counts in `alive` how many of it and its copies exist. Moving counts like copying.
class Counted {
public:
    explicit Counted(int& alive) : alive_(&alive) { ++*alive_; }
    Counted(const Counted& other) noexcept : alive_(other.alive_) { ++*alive_; }
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --*alive_; }

private:
    int* alive_;
};

/// Calls a function when it goes; a moved-from one doesn't.
template <class F>
class AtExit {
public:
    explicit AtExit(F function) : function_(std::move(function)) {}
    AtExit(AtExit&& other) noexcept
        : function_(std::move(other.function_)), armed_(std::exchange(other.armed_, false)) {}
    AtExit& operator=(AtExit&&) = delete;
    ~AtExit() noexcept(false) {
        if (armed_) function_();
    }

private:
    F function_;
    bool armed_ = true;
};

/// The events of the log while it exists, as text.
class Events : public ropewalk::log::LogObserver {
public:
    struct Event {
        ropewalk::log::LogLevel level;
        std::string text;
        ropewalk::Failure failure;
    };

    Events() { ropewalk::log::addObserver(*this); }
    ~Events() override { ropewalk::log::removeObserver(*this); }

    void operator()(const ropewalk::log::LogEvent& event) override {
        all.push_back({event.level, std::string(event.text),
                       event.failure != nullptr ? *event.failure : ropewalk::Failure(nullptr)});
    }

    std::vector<Event> all;
};

} // namespace probes

template <>
struct doctest::StringMaker<probes::Words> {
    static String convert(const probes::Words& words) {
        std::string text;
        for (const std::string& word : words) text += (text.empty() ? "[" : ", ") + word;
        return (text.empty() ? "[]" : text + ']').c_str();
    }
};
