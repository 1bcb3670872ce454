#include <ropewalk/flow/branches.hpp>

#include <exception>

#include <ropewalk/task/ref.hpp>

namespace ropewalk::flow::detail {

/// What sleeping branches may be woken by keeps this, and this keeps the flow, if that waits for them.
class Branches::Group final : public Sleeper {
public:
    explicit Group(Branches& branches) noexcept : branches_(&branches) {}
    ~Group() override {
        if (branches_ != nullptr) {
            branches_->group_ = nullptr;
        }
    }

    void leave() noexcept {
        branches_ = nullptr;
        waiting_.drop();
    }
    void waits(Wake flow) { waiting_.add(std::move(flow)); }
    bool lastLeaves() noexcept { return waiting_.lastLeaves(); }

    static std::uint64_t sleepOf(const Branch& branch) noexcept {
        return (std::uint64_t{branch.sleep} << 32) | branch.index;
    }
    void wake(std::uint64_t sleep) override {
        if (branches_ == nullptr) {
            return;
        }
        Branch& branch = branches_->branches_[sleep & 0xffffffff];
        if (!branch.asleep || sleepOf(branch) != sleep) {
            return;
        }
        branch.asleep = false;
        --branches_->sleeping_;
        branches_->append(branch);
        waiting_.wake();
    }

private:
    Branches* branches_;
    Waiting waiting_;
};

Branches::Branches(std::size_t count) : branches_(std::make_unique<Branch[]>(count)) {}

Branches::~Branches() {
    if (group_ != nullptr) {
        std::exchange(group_, nullptr)->leave();
    }
}

void Branches::add(StageBase& stage) noexcept {
    Branch& branch = branches_[count_];
    branch.stage = &stage;
    branch.index = count_++;
    append(branch);
}

bool Branches::sleeps(const StageBase& stage, Instruction& pause, Run& run) {
    if (current_ == nullptr || current_->stage != &stage) {
        return false;
    }
    using Kept = task::detail::Ref<Group>;
    Kept group;
    if (group_ == nullptr) {
        group = Kept::adopt(*new Group(*this));
        group_ = group.get();
    } else {
        group = Kept(*group_);
    }
    Branch& branch = *std::exchange(current_, nullptr);
    branch.asleep = true;
    branch.pause.pointTo(pause);
    ++branch.sleep;
    ++sleeping_;
    try {
        run.arm(pause, Wake(*group, Group::sleepOf(branch)));
    } catch (...) {
        branch.asleep = false;
        --sleeping_;
        throw;
    }
    return true;
}

void Branches::AllPause::callLater(ReactorTime&, Wake wake) {
    if (branches_.first_ != nullptr) {
        wake();
    } else if (branches_.group_ != nullptr) {
        branches_.group_->waits(std::move(wake));
    }
}

void Branches::AllPause::cancel() {
    if (branches_.group_ != nullptr && !branches_.group_->lastLeaves()) {
        return;
    }
    std::exception_ptr error;
    for (std::uint32_t i = 0; i < branches_.count_; ++i) {
        Branch& branch = branches_.branches_[i];
        if (!std::exchange(branch.asleep, false)) {
            continue;
        }
        --branches_.sleeping_;
        branches_.append(branch);
        try {
            if (Instruction* pause = branch.pause.get()) {
                pause->cancel();
            }
        } catch (...) {
            error = std::current_exception();
        }
    }
    if (error != nullptr) {
        std::rethrow_exception(std::move(error));
    }
}

} // namespace ropewalk::flow::detail
