#pragma once

#include "splits.hpp"

#include <ropewalk/protocols/line_only_receiver.hpp>
#include <ropewalk/protocols/line_receiver.hpp>

/// Both line receivers, whose lines say what happens next, beside a plain model of them.
namespace fuzz {

struct LineSettings {
    std::string delimiter;
    std::size_t maxLength = 0;
    bool staysOpen = false; // after a line that is too long; lines only
};

/// `r…`: as many bytes of raw data follow as the line has; `p`: pause; `t`: throw; `c`: close.
template <class Base>
struct ActingReceiver : Base {
    explicit ActingReceiver(const LineSettings& given) : settings(given) {
        this->delimiter = settings.delimiter;
        this->MAX_LENGTH = settings.maxLength;
    }
    void lineReceived(std::string_view line) override {
        events.push_back("line " + std::string(line));
        const char action = line.empty() ? ' ' : line.front();
        if constexpr (requires { this->setRawMode(); }) {
            if (action == 'r') {
                raw.clear();
                rawLeft = line.size();
                this->setRawMode();
            } else if (action == 'p') {
                this->pauseProducing();
            }
        }
        if (action == 'c') {
            this->transport->loseConnection();
        } else if (action == 't') {
            throw "thrown by lineReceived";
        }
    }
    void lineLengthExceeded(std::string_view) override {
        events.emplace_back("too long");
        if (!settings.staysOpen) {
            this->transport->loseConnection();
        }
    }

    LineSettings settings;
    Events events;
    std::string raw;
    std::size_t rawLeft = 0;
};

struct ActingLineReceiver final : ActingReceiver<ropewalk::protocols::LineReceiver> {
    using ActingReceiver::ActingReceiver;
    void rawDataReceived(std::string_view data) override {
        const std::size_t count = std::min(rawLeft, data.size());
        raw += data.substr(0, count);
        rawLeft -= count;
        if (rawLeft == 0) {
            events.push_back("raw " + raw);
            setLineMode(data.substr(count));
        }
    }
};

struct ActingLineOnlyReceiver final : ActingReceiver<ropewalk::protocols::LineOnlyReceiver> {
    using ActingReceiver::ActingReceiver;
};

/// What either of them should make of the data. Lines only: whether a line that isn't complete is too long
/// already follows from what may still come.
inline Events expectedLines(std::string_view data, const LineSettings& settings, bool hasRawMode) {
    const std::string_view delimiter = settings.delimiter;
    Events events;
    while (true) {
        const std::size_t size = data.find(delimiter);
        if (size == std::string_view::npos) {
            bool tooLong = data.size() > settings.maxLength;
            if (hasRawMode) {
                tooLong = data.size() >= settings.maxLength + delimiter.size();
            } else {
                for (std::size_t begun = 1; begun < delimiter.size() && begun <= data.size(); ++begun) {
                    if (data.size() - begun <= settings.maxLength &&
                        data.ends_with(delimiter.substr(0, begun))) {
                        tooLong = false;
                    }
                }
            }
            if (tooLong) events.emplace_back("too long");
            return events;
        }
        const std::string_view line = data.substr(0, size);
        data.remove_prefix(size + delimiter.size());
        if (line.size() > settings.maxLength) {
            events.emplace_back("too long");
            if (!settings.staysOpen) return events;
            continue;
        }
        events.push_back("line " + std::string(line));
        if (line.starts_with('c')) return events;
        if (hasRawMode && line.starts_with('r')) {
            if (data.size() < line.size()) return events;
            events.push_back("raw " + std::string(data.substr(0, line.size())));
            data.remove_prefix(line.size());
        }
    }
}

inline std::string checkLines(std::string_view input) {
    static const std::string_view delimiters[] = {"\r\n", "\n", "\n\n", "aab", "ababab", "\r\n", "--x", "aa"};
    static constexpr std::size_t lengths[] = {0, 1, 7, 16384};
    if (input.empty()) return {};
    const auto choice = static_cast<unsigned char>(input.front());
    const std::string_view data = input.substr(1);
    LineSettings settings{std::string(delimiters[choice & 7]), lengths[choice >> 3 & 3], false};
    std::string differs = disagreement(expectedLines(data, settings, true), data, [&](const Pieces& pieces) {
        ActingLineReceiver receiver(settings);
        feed(receiver, pieces);
        return receiver.events;
    });
    if (!differs.empty()) return "LineReceiver " + differs;
    settings.staysOpen = (choice & 32) != 0;
    differs = disagreement(expectedLines(data, settings, false), data, [&](const Pieces& pieces) {
        ActingLineOnlyReceiver receiver(settings);
        feed(receiver, pieces);
        return receiver.events;
    });
    return differs.empty() ? differs : "LineOnlyReceiver " + differs;
}

} // namespace fuzz
