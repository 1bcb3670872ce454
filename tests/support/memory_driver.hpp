#pragma once

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

#include <ropewalk/reactor/driver.hpp>
#include <ropewalk/reactor/reactor.hpp>

/// A world in memory for a reactor under test: its clock moves only while the reactor waits, straight to
/// whatever comes next, or by hand; what the reactor asked for is recorded. Only `wake` is for other threads.
class MemoryDriver : public ropewalk::Driver {
public:
    static constexpr std::int64_t millisecond = 1'000'000;

    std::int64_t now() override {
        ++clockReads;
        return time;
    }
    std::int64_t wallTime() override { return wall; }

    void poll(std::int64_t until) override {
        polls.push_back(until);
        if (woken.exchange(false)) {
            return;
        }
        const auto event = events.begin();
        if (event == events.end() || (event->first > until && event->first > time)) {
            if (until == forever) {
                throw std::logic_error("the reactor would wait for ever");
            }
            time = std::max(time, until);
            return;
        }
        time = std::max(time, event->first);
        const std::function<void()> happens = event->second;
        events.erase(event);
        happens();
    }
    void wake() noexcept override { woken = true; }

    std::unique_ptr<ropewalk::Watch> watchSignal(int number, ropewalk::SignalListener& listener,
                                                 Takeover takeover) override {
        struct Watched final : ropewalk::Watch {
            Watched(MemoryDriver& theDriver, int theNumber) : driver(theDriver), number(theNumber) {}
            ~Watched() override { driver.watched.erase(number); }
            MemoryDriver& driver;
            int number;
        };
        if (!hasSignals) {
            return Driver::watchSignal(number, listener, takeover);
        }
        if (handledByProgram == number && takeover == Takeover::ifUnhandled) {
            return nullptr;
        }
        watched[number] = &listener;
        return std::make_unique<Watched>(*this, number);
    }

    /// Lets `happens` be called from `poll` at that moment, as an event would be.
    void at(std::int64_t moment, std::function<void()> happens) {
        events.emplace(moment, std::move(happens));
    }
    void signalAt(std::int64_t moment, int number) {
        at(moment, [this, number] { watched.at(number)->signalReceived(number); });
    }

    std::int64_t time = 0;
    std::int64_t wall = 0;
    bool hasSignals = true;
    int handledByProgram = 0;
    int clockReads = 0;
    std::atomic<bool> woken = false;
    std::vector<std::int64_t> polls;
    std::multimap<std::int64_t, std::function<void()>> events;
    std::map<int, ropewalk::SignalListener*> watched;
};

/// A reactor in such a world.
struct MemoryReactor {
    MemoryReactor() : MemoryReactor(std::make_unique<MemoryDriver>()) {}
    explicit MemoryReactor(std::unique_ptr<MemoryDriver> made) : driver(*made), reactor(std::move(made)) {}

    MemoryDriver& driver;
    ropewalk::Reactor reactor;
};
