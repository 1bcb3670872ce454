#include <ropewalk/reactor/timer_queue.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <utility>
#include <vector>

using ropewalk::detail::Call;
using ropewalk::detail::makeCall;
using ropewalk::detail::TimerQueue;

namespace {

/// Calls with numbers, which are never run, in a queue, and the moments that they should have.
class Timers {
public:
    explicit Timers(std::int64_t now = 0) : queue(now) {}
    Timers(const Timers&) = delete;
    Timers& operator=(const Timers&) = delete;
    ~Timers() {
        for (const auto& [moment, number] : model) {
            calls_[number]->unlink();
            calls_[number]->release();
        }
    }

    std::size_t add(std::int64_t moment) {
        const std::size_t number = calls_.size();
        calls_.push_back(makeCall(std::source_location::current(), [] {}));
        queue.add(*calls_.back(), moment);
        model.emplace(moment, number);
        return number;
    }
    void remove(std::size_t number) {
        model.erase({calls_[number]->moment, number});
        queue.remove(*calls_[number]);
        std::exchange(calls_[number], nullptr)->release();
    }
    void move(std::size_t number, std::int64_t moment) {
        model.erase({calls_[number]->moment, number});
        queue.move(*calls_[number], moment);
        model.emplace(moment, number);
    }
    bool holds(std::size_t number) const { return calls_[number] != nullptr; }
    std::int64_t momentOf(std::size_t number) const { return calls_[number]->moment; }

    /// The numbers of the calls that are due, as the queue gives them.
    std::vector<std::size_t> take(std::int64_t now) {
        std::vector<std::size_t> taken;
        queue.startBatch(now);
        while (Call* call = queue.take()) {
            const auto number = static_cast<std::size_t>(call->sequence);
            taken.push_back(number);
            model.erase({call->moment, number});
            call->release();
            calls_[number] = nullptr;
        }
        return taken;
    }
    std::vector<std::size_t> due(std::int64_t now) const {
        std::vector<std::size_t> numbers;
        for (const auto& [moment, number] : model) {
            if (moment > now) {
                break;
            }
            numbers.push_back(number);
        }
        return numbers;
    }
    std::int64_t first() const { return model.empty() ? TimerQueue::never : model.begin()->first; }
    std::size_t made() const { return calls_.size(); }

    TimerQueue queue;
    std::set<std::pair<std::int64_t, std::size_t>> model;

private:
    std::vector<Call*> calls_;
};

using Numbers = std::vector<std::size_t>;

void checkAgainstModel(Timers& timers, std::int64_t now) {
    const Numbers expected = timers.due(now);
    REQUIRE(timers.take(now) == expected);
    REQUIRE(timers.queue.size() == timers.model.size());
    Numbers held;
    timers.queue.forEach(
        [&held](const Call& call) { held.push_back(static_cast<std::size_t>(call.sequence)); });
    Numbers inModel;
    for (const auto& [moment, number] : timers.model) {
        inModel.push_back(number);
    }
    std::ranges::sort(held);
    std::ranges::sort(inModel);
    REQUIRE(held == inModel);
}

} // namespace

TEST_CASE("a queue of timers is empty at first") {
    Timers timers(1000);
    CHECK(timers.queue.next() == TimerQueue::never);
    CHECK(timers.queue.size() == 0);
    CHECK(timers.take(5000).empty());
    CHECK(timers.queue.now() == 5000);
}

TEST_CASE("calls come out in the order of their moments, and of their making when those are equal") {
    Timers timers;
    timers.add(7);
    timers.add(3);
    timers.add(7);
    timers.add(0);
    timers.add(3);
    CHECK(timers.queue.next() == 0);
    CHECK(timers.take(0) == Numbers{3});
    CHECK(timers.queue.next() == 3);
    CHECK(timers.take(2).empty());
    CHECK(timers.take(9) == Numbers{1, 4, 0, 2});
}

TEST_CASE("calls of one moment keep their order, however far off it was when they were made") {
    // One call is made whenever the moment has come closer by a half, so that they start in lists of all
    // coarsenesses.
    constexpr std::int64_t one = 1;
    const std::vector<std::int64_t> moments{5000,           65535, 65536, one << 20, (one << 30) + 12345,
                                            (one << 40) - 1};
    for (const std::int64_t moment : moments) {
        Timers timers;
        std::int64_t now = 0;
        Numbers expected;
        while (now < moment) {
            expected.push_back(timers.add(moment));
            expected.push_back(timers.add(moment));
            now += (moment - now + 1) / 2;
            if (now < moment) {
                REQUIRE(timers.take(now).empty());
            }
        }
        CHECK(timers.queue.next() == moment);
        CHECK(timers.take(moment) == expected);
    }
}

TEST_CASE("the next moment is exact however far off it is") {
    for (int bit = 0; bit < 62; ++bit) {
        const std::int64_t moment = (std::int64_t{1} << bit) + 1;
        Timers timers;
        timers.add(moment + 100);
        timers.add(moment);
        CHECK(timers.queue.next() == moment);
        CHECK(timers.take(moment - 1).empty());
        CHECK(timers.queue.next() == moment);
        CHECK(timers.take(moment) == Numbers{1});
        CHECK(timers.queue.next() == moment + 100);
    }
}

TEST_CASE("a jump takes everything on its way, in order") {
    Timers timers;
    const std::int64_t year = 365LL * 24 * 3600 * 1000;
    const std::vector<std::int64_t> moments{year,
                                            1,
                                            100 * year,
                                            1000,
                                            1023,
                                            1024,
                                            2047,
                                            2048,
                                            70000,
                                            year - 1,
                                            5000000,
                                            TimerQueue::last,
                                            std::int64_t{1} << 50};
    for (const std::int64_t moment : moments) {
        timers.add(moment);
    }
    checkAgainstModel(timers, 1500);
    checkAgainstModel(timers, 200 * year);
    CHECK(timers.queue.next() == std::int64_t{1} << 50);
    checkAgainstModel(timers, TimerQueue::last);
    CHECK(timers.queue.size() == 0);
}

TEST_CASE("a call for a moment that has passed is due at once, behind none that is later") {
    Timers timers(10000);
    timers.add(10000);
    timers.add(500);
    CHECK(timers.queue.next() <= 10000);
    const std::size_t moved = timers.add(90000);
    timers.move(moved, 100);
    CHECK(timers.take(10000) == Numbers{2, 1, 0});
}

TEST_CASE("a call made while a batch is taken waits for the next batch, one moved or removed is out of it") {
    Timers timers;
    const std::size_t a = timers.add(1);
    const std::size_t b = timers.add(1);
    const std::size_t c = timers.add(1);
    timers.queue.startBatch(1);
    timers.remove(b);
    timers.move(c, 1);
    const std::size_t d = timers.add(0);
    Call* first = timers.queue.take();
    REQUIRE(first != nullptr);
    CHECK(first->sequence == a);
    CHECK(timers.queue.take() == nullptr);
    timers.model.erase({1, a});
    first->release();
    CHECK(timers.take(1) == Numbers{d, c});
}

TEST_CASE("a moved call is due when it should be, and in the place of its making") {
    Timers timers;
    const std::size_t a = timers.add(5000);
    timers.add(6000);
    const std::size_t c = timers.add(9000);
    timers.move(c, 6000);
    timers.move(a, 6000);
    CHECK(timers.take(5999).empty());
    CHECK(timers.take(6000) == Numbers{0, 1, 2});
}

TEST_CASE("what is removed leaves no moment behind, but for a while that of its list") {
    Timers timers;
    const std::size_t near = timers.add(100);
    const std::size_t far = timers.add(100000);
    timers.add(101000);
    timers.remove(near);
    CHECK(timers.queue.next() == 100000);
    timers.remove(far);
    CHECK(timers.queue.next() <= 101000);
    CHECK(timers.take(100000).empty());
    CHECK(timers.queue.next() == 101000);
}

TEST_CASE("random calls come out as those of a simple model") {
    std::mt19937_64 random(7);
    auto below = [&random](std::int64_t limit) {
        return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(limit));
    };
    for (int round = 0; round < 300; ++round) {
        std::int64_t now = below(2) == 0 ? 0 : below(1LL << 40);
        // Rounds differ in how far off moments are, and in how dense.
        const std::int64_t reach = std::int64_t{1} << (2 + below(40));
        Timers timers(now);
        for (int step = 0; step < 400; ++step) {
            const std::int64_t moment = std::max<std::int64_t>(now + below(reach) - reach / 16, 0);
            const std::size_t number =
                timers.made() == 0
                    ? 0
                    : static_cast<std::size_t>(below(static_cast<std::int64_t>(timers.made())));
            switch (below(8)) {
                case 0:
                case 1:
                case 2:
                    timers.add(moment);
                    break;
                case 3:
                    if (timers.made() > 0 && timers.holds(number)) {
                        timers.remove(number);
                    }
                    break;
                case 4:
                    if (timers.made() > 0 && timers.holds(number)) {
                        timers.move(number, moment);
                    }
                    break;
                case 5: // to the same moment as another
                    if (timers.made() > 0 && timers.holds(number) && !timers.model.empty()) {
                        timers.move(number, timers.model.rbegin()->first);
                    }
                    break;
                case 6:
                    REQUIRE(timers.queue.next() <= std::max(timers.first(), timers.queue.now()));
                    if (timers.first() != TimerQueue::never && below(2) == 0) {
                        now = std::max(now, timers.first());
                    }
                    checkAgainstModel(timers, now);
                    break;
                default:
                    now += below(2) == 0 ? below(reach) : below(4);
                    checkAgainstModel(timers, now);
                    break;
            }
        }
        // Going from moment to moment, as a reactor does, nothing comes early, late or never.
        for (int wakes = 0; timers.queue.size() > 0; ++wakes) {
            REQUIRE(wakes < 2000);
            now = std::max(now, timers.queue.next());
            checkAgainstModel(timers, now);
        }
    }
}
