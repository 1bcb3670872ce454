#include <ropewalk/flow/block.hpp>

#include <chrono>
#include <thread>
#include <typeinfo>
#include <utility>

#include <ropewalk/flow/errors.hpp>
#include <ropewalk/flow/together.hpp>
#include <ropewalk/task/ref.hpp>

namespace ropewalk::flow::detail {

namespace {

class Alarm final : public Sleeper {
public:
    void wake(std::uint64_t) override { rung = true; }
    bool rung = false;
};

void sleepFor(Seconds time) {
    if (time.count() > 0) {
        std::this_thread::sleep_for(time);
    }
}

} // namespace

Blocking::Blocking(Sleep sleep) : sleep_(sleep ? std::move(sleep) : Sleep(sleepFor)) {}

void Blocking::arm(Instruction& pause, Wake wake) {
    if (typeid(pause) != typeid(Cooperate) && dynamic_cast<Together*>(&pause) == nullptr) {
        throw Unsupported(pause.str(), "flow::Block");
    }
    pause.callLater(clock_, std::move(wake));
}

void Blocking::outsleep(Instruction& pause) {
    const task::detail::Ref<Alarm> alarm = task::detail::Ref<Alarm>::adopt(*new Alarm);
    arm(pause, Wake(*alarm, 0));
    while (!alarm->rung) {
        const auto calls = clock_.getDelayedCalls();
        if (calls.empty()) { // it is another who waits, on a clock of his
            throw Unsupported(pause.str(), "flow::Block");
        }
        const Seconds due = calls.front().getTime() - clock_.seconds();
        sleep_(due);
        clock_.advance(due);
    }
}

} // namespace ropewalk::flow::detail
