#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <ropewalk/reactor/stream.hpp>
#include <support/memory_driver.hpp>

/// One end of a connection in memory. What the system would do, a test does: it says how much `tryWrite`
/// takes, ends a `write`, and makes the stream's events (from within `MemoryDriver::poll` only).
class MemoryStream final : public ropewalk::Stream {
public:
    static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

    // What the transport does.

    void setListener(ropewalk::StreamListener& theListener) noexcept override { listener = &theListener; }
    void readStart() noexcept override { reading = true; }
    void readStop() noexcept override { reading = false; }
    std::size_t tryWrite(std::span<const std::string_view> parts, std::error_code& error) noexcept override {
        ++tryWrites;
        misused = misused || writing() || closed || shutDown || parts.empty();
        if (brokenAtTry) {
            error = brokenAtTry;
            return 0;
        }
        std::size_t taken = 0;
        mostParts = std::max(mostParts, parts.size());
        for (const std::string_view part : parts) {
            addresses.push_back(part.data());
            const std::size_t now = std::min({part.size(), room, most - std::min(most, taken)});
            sent.append(part.substr(0, now));
            taken += now;
            room -= room == all ? 0 : now;
            if (now < part.size()) {
                break;
            }
        }
        return taken;
    }
    void write(std::span<const std::string_view> parts) override {
        ++writes;
        misused = misused || writing() || closed || shutDown || parts.empty();
        if (refusesWrite) {
            throw std::runtime_error("no write");
        }
        pending.assign(parts.begin(), parts.end());
    }
    std::error_code shutdown() noexcept override {
        misused = misused || writing() || closed || shutDown;
        shutDown = true;
        return {};
    }
    void close(bool withReset) noexcept override {
        misused = misused || closed;
        closed = true;
        reset = withReset;
        reading = false;
        listener = nullptr;
        pending.clear();
    }
    ropewalk::Address localAddress() const override { return ropewalk::IPv4Address{"TCP", "192.0.2.1", 1}; }
    std::error_code setOption(Option option, bool enabled) noexcept override {
        options[static_cast<std::size_t>(option)] = enabled;
        return {};
    }
    bool option(Option option) const noexcept override { return options[static_cast<std::size_t>(option)]; }

    // What a test does.

    bool writing() const noexcept { return !pending.empty(); }
    /// The system took so much of what `write` was given, all of it if there is no more: then it is done.
    void take(std::size_t count) {
        while (count != 0 && writing()) {
            std::string_view& part = pending.front();
            const std::size_t now = std::min(count, part.size());
            sent.append(part.substr(0, now));
            part.remove_prefix(now);
            count -= now;
            if (part.empty()) {
                pending.erase(pending.begin());
            }
        }
        if (!writing() && listener != nullptr) {
            listener->streamWritten({});
        }
    }
    void failWrite(std::errc error) {
        pending.clear();
        listener->streamWritten(std::make_error_code(error));
    }
    void read(std::string_view data) { listener->streamRead(data); }
    void end(std::error_code error = {}) {
        reading = false;
        listener->streamEnded(error);
    }

    ropewalk::StreamListener* listener = nullptr;
    bool reading = false;
    bool closed = false;
    bool reset = false;
    bool shutDown = false;
    bool misused = false;   // something was done that the interface forbids
    std::size_t room = all; // what tryWrite takes, in sum
    std::size_t most = all; // and at once
    std::error_code brokenAtTry;
    bool refusesWrite = false;
    std::string sent;
    std::vector<std::string_view> pending;
    int tryWrites = 0;
    int writes = 0;
    std::size_t mostParts = 0;
    std::vector<const char*> addresses; // of the parts that tryWrite was given
    bool options[2] = {};
};

/// A world in memory that has connections, too.
class MemoryNetwork : public MemoryDriver {
public:
    std::unique_ptr<ropewalk::ListeningSocket> listen(const ropewalk::Address& address, int, bool,
                                                      ropewalk::AcceptListener& listener) override {
        struct Listening final : ropewalk::ListeningSocket {
            Listening(MemoryNetwork& theNetwork, ropewalk::Address theAddress)
                : network(theNetwork), address(std::move(theAddress)) {}
            ~Listening() override { network.acceptor = nullptr; }
            void pause() noexcept override { network.accepting = false; }
            void resume() noexcept override { network.accepting = true; }
            ropewalk::Address localAddress() const override { return address; }
            MemoryNetwork& network;
            ropewalk::Address address;
        };
        acceptor = &listener;
        accepting = true;
        return std::make_unique<Listening>(*this, address);
    }
    ropewalk::StreamHandle connect(const ropewalk::Address& address, const ropewalk::Address&,
                                   ropewalk::StreamListener& listener) override {
        connects.push_back(address);
        if (onConnect) {
            onConnect();
        }
        MemoryStream& made = add();
        made.setListener(listener);
        return ropewalk::StreamHandle(&made);
    }
    void random(void* bytes, std::size_t size) override { std::fill_n(static_cast<char*>(bytes), size, 'r'); }

    MemoryStream& add() { return *streams.emplace_back(std::make_unique<MemoryStream>()); }
    /// A connection comes in.
    MemoryStream& accept() {
        MemoryStream& made = add();
        acceptor->accepted(ropewalk::StreamHandle(&made), ropewalk::IPv4Address{"TCP", "192.0.2.2", 2});
        return made;
    }
    /// Something happens in the next `poll`.
    void soon(std::function<void()> happens) { at(time, std::move(happens)); }

    std::vector<std::unique_ptr<MemoryStream>> streams; // closed ones, too
    std::vector<ropewalk::Address> connects;
    std::function<void()> onConnect; // may throw
    ropewalk::AcceptListener* acceptor = nullptr;
    bool accepting = false;
};
