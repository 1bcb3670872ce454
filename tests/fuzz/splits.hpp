#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ropewalk/protocols/string_transport.hpp>

/// For parsers: every way in which the same bytes come gives the same.
namespace fuzz {

using Events = std::vector<std::string>;
using Pieces = std::vector<std::string_view>;

inline Pieces piecesOf(std::string_view data, std::size_t size) {
    Pieces pieces;
    for (std::size_t at = 0; at < data.size(); at += size) {
        pieces.push_back(data.substr(at, size));
    }
    return pieces;
}

/// In one, byte by byte, in two at each place (at some, if there are many), and in a few ways that depend on
/// the data.
inline std::vector<Pieces> splitsOf(std::string_view data) {
    std::vector<Pieces> splits = {{data}, piecesOf(data, 1), piecesOf(data, 2), piecesOf(data, 3)};
    const std::size_t step = std::max<std::size_t>(1, data.size() / 64);
    for (std::size_t at = 1; at < data.size(); at += step) {
        splits.push_back({data.substr(0, at), data.substr(at)});
    }
    std::uint32_t state = 2166136261U;
    for (const char byte : data) {
        state = (state ^ static_cast<unsigned char>(byte)) * 16777619U;
    }
    for (const std::uint32_t longest : {5U, 40U, 300U}) {
        Pieces pieces;
        for (std::size_t at = 0; at < data.size(); at += pieces.back().size()) {
            state = state * 1664525U + 1013904223U;
            pieces.push_back(data.substr(at, 1 + (state >> 8) % longest));
        }
        splits.push_back(std::move(pieces));
    }
    return splits;
}

/// Gives the receiver the pieces, each in memory that is gone afterwards. It goes on after each pause, and
/// after what it throws.
template <class Receiver>
void feed(Receiver& receiver, const Pieces& pieces) {
    const auto transport = std::make_shared<ropewalk::protocols::StringTransport>(
        ropewalk::protocols::StringTransport::Options{.lenient = true});
    receiver.makeConnection(transport);
    const auto carefully = [&](const auto& step) {
        try {
            step();
            return true;
        } catch (const char*) {
            return false;
        }
    };
    for (const std::string_view piece : pieces) {
        const auto copy = std::make_unique<char[]>(piece.size());
        std::memcpy(copy.get(), piece.data(), piece.size());
        bool done = carefully([&] { receiver.dataReceived({copy.get(), piece.size()}); });
        while (!done) {
            done = carefully([&] { receiver.dataReceived({}); });
        }
        if constexpr (requires { receiver.paused(); }) {
            while (receiver.paused() || !done) {
                done = carefully([&] { receiver.resumeProducing(); });
            }
        }
    }
}

inline std::string shown(const Events& events) {
    std::string text;
    for (const std::string& event : events) {
        text += "\n  ";
        for (const char byte : event) {
            static constexpr char digits[] = "0123456789abcdef";
            const auto code = static_cast<unsigned char>(byte);
            if (code >= 32 && code < 127 && byte != '\\') {
                text += byte;
            } else {
                text += {'\\', 'x', digits[code >> 4], digits[code & 15]};
            }
        }
    }
    return text;
}

/// Says how the outcome of some split differs from what is expected; nothing if none does.
template <class Run>
std::string disagreement(const Events& expected, std::string_view data, const Run& run) {
    for (const Pieces& pieces : splitsOf(data)) {
        const Events got = run(pieces);
        if (got != expected) {
            std::string text = "in pieces of";
            for (const std::string_view piece : pieces) {
                text += ' ' + std::to_string(piece.size());
            }
            return text + ":" + shown(got) + "\ninstead of" + shown(expected);
        }
    }
    return {};
}

} // namespace fuzz
