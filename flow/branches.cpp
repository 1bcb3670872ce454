#include <ropewalk/flow/branches.hpp>

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
        flow_ = nullptr;
    }
    void waits(Wake flow) noexcept { flow_ = std::move(flow); }

    static std::uint64_t sleepOf(const Branch& branch) noexcept {
        return (std::uint64_t{branch.sleep} << 32) | branch.index;
    }
    void wake(std::uint64_t sleep) override {
        if (branches_ == nullptr) {
            return;
        }
        Branch& branch = branches_->branches_[sleep & 0xffffffff];
        if (branch.pause == nullptr || sleepOf(branch) != sleep) {
            return;
        }
        branch.pause = nullptr;
        --branches_->sleeping_;
        branches_->append(branch);
        std::exchange(flow_, nullptr)();
    }

private:
    Branches* branches_;
    Wake flow_ = nullptr;
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
    branch.pause = &pause;
    ++branch.sleep;
    ++sleeping_;
    try {
        run.arm(pause, Wake(*group, Group::sleepOf(branch)));
    } catch (...) {
        branch.pause = nullptr;
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
    for (std::uint32_t i = 0; i < branches_.count_; ++i) {
        if (Instruction* pause = std::exchange(branches_.branches_[i].pause, nullptr)) {
            --branches_.sleeping_;
            pause->cancel();
        }
    }
}

} // namespace ropewalk::flow::detail
