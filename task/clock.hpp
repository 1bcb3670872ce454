#pragma once

#include <cstdint>
#include <initializer_list>
#include <ranges>
#include <set>
#include <vector>

#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/reactor_time.hpp>

namespace ropewalk::task {

/// A clock that tests turn by hand: `twisted.internet.task.Clock`. Its time starts at 0 and stands still
/// between calls of `advance`. When it is destroyed, the calls that it still holds are destroyed uncalled;
/// handles on them then do nothing.
class Clock final : public ReactorTime {
public:
    Clock();
    ~Clock();

    Seconds seconds() const override { return now_; }

    /// Moves the time forward and makes the calls that are due then, in the order of their times, those of
    /// one time in the order in which they were asked for. While they run, `seconds()` is the time at the end
    /// already; calls that they ask for which are due by then are made too. What a call throws comes out, and
    /// the rest that is due waits for the next `advance`.
    ///
    /// Unlike a reactor's, its calls may have a negative delay: they are due before all others.
    void advance(Seconds amount);

    /// `advance` by each of these times.
    void pump(std::initializer_list<Seconds> amounts) { pump<>(amounts); }
    template <std::ranges::input_range Range>
    void pump(Range&& amounts) {
        for (Seconds amount : amounts) {
            advance(amount);
        }
    }

    std::vector<DelayedCall> getDelayedCalls() const override;

private:
    struct Earlier {
        bool operator()(const ropewalk::detail::Call* a, const ropewalk::detail::Call* b) const noexcept;
    };

    void schedule(ropewalk::detail::Call& call, Seconds delay) override;
    void unschedule(ropewalk::detail::Call& call) override;
    void reschedule(ropewalk::detail::Call& call, Seconds delay) override;
    void postpone(ropewalk::detail::Call& call, Seconds longer) override;
    void move(ropewalk::detail::Call& call, Seconds moment);

    Seconds now_{0};
    std::uint64_t made_ = 0;
    bool closed_ = false;
    bool* destroyed_ = nullptr;
    using Calls = std::set<ropewalk::detail::Call*, Earlier>;
    Calls calls_;
    Calls::node_type spare_; // that of the last call, for the next one
};

} // namespace ropewalk::task
