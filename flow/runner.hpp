#pragma once

#include <cstdint>
#include <source_location>

#include <ropewalk/flow/instruction.hpp>
#include <ropewalk/flow/stage.hpp>
#include <ropewalk/reactor/clock_pointer.hpp>

namespace ropewalk::flow::detail {

/// Steps through the stages behind `root` until that is ready: the loop in every controller. Stages that are nested deeply
/// don't call each other: the one that needs another says so, the loop goes there, and comes back by `asker`.
class Walk : public Run {
public:
    /// Null when the root is ready; else what it pauses for, which no stage has taken.
    Instruction* step(StageBase& root) {
        if (at_ == nullptr || crossings_ != crossings()) {
            at_ = &root;
            root.known = true;
            if (root.asker != behind_) {
                comesTo(root, behind_);
            }
        }
        deepest_ = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - stackForStages;
        for (;;) {
            const Progress progress = at_->step(*this);
            if (progress.isReady()) [[likely]] {
                if (at_ == &root) {
                    at_ = nullptr;
                    return nullptr;
                }
                at_ = at_->asker;
            } else if (progress.needed != nullptr) {
                at_ = progress.needed;
            } else if (StageBase* taker = takerOf(*progress.pause, root)) {
                at_ = taker;
            } else {
                crossings_ = crossings();
                return progress.pause;
            }
        }
    }

protected:
    /// For a stage that steps through its sources by itself.
    explicit Walk(StageBase* behind = nullptr) noexcept : behind_(behind) {}
    ~Walk() = default;

private:
    StageBase* takerOf(Instruction& pause, const StageBase& root);

    StageBase* behind_;
    StageBase* at_ = nullptr; // null: at the root
    std::uint32_t crossings_ = 0;
};

/// A flow that goes on by itself: it pauses, and is woken. While it pauses, those who may wake it own it.
class Runner : public Sleeper, protected Walk {
public:
    void wake(std::uint64_t sleep) final;

protected:
    explicit Runner(ReactorTime& clock) noexcept : clock_(clock) {}

    /// Takes the root to its next results; false when it isn't ready yet, and this will be woken (or never: then this may be
    /// gone, unless the caller keeps it). Throws what an instruction does.
    bool advance(StageBase& root) {
        if (paused_) {
            return false;
        }
        Instruction* pause = Walk::step(root);
        return pause == nullptr || outlasts(root, *pause);
    }
    /// What it waits for is told that it was cancelled, and won't wake it any more.
    void cancelPause();
    bool isPaused() const noexcept { return paused_; }
    ReactorTime& clock() const;

    /// What was waited for is there: advance.
    virtual void go() = 0;

    void arm(Instruction& pause, Wake wake) override;

private:
    bool outlasts(StageBase& root, Instruction& pause);

    ropewalk::detail::ClockPointer clock_;
    std::uint64_t sleep_ = 0;
    PointerTo<Instruction> pausedBy_;
    bool paused_ = false;
    bool arming_ = false;
};

} // namespace ropewalk::flow::detail
