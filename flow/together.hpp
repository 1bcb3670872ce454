#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/flow/instruction.hpp>

namespace ropewalk::flow::detail {

/// All sources of a stage pause, and were armed by its controller.
class Together : public CallLater {
public:
    std::string str() const override { return "of several sources"; }
};

/// The flows, and branches of flows, that wait for the same stage: one, as a rule.
class Waiting {
public:
    void add(Wake wake) {
        if (first_) {
            others_.push_back(std::move(wake));
        } else {
            first_ = std::move(wake);
        }
    }
    /// One of them was cancelled; true if none are left.
    bool lastLeaves() noexcept { return ++left_ > others_.size(); }
    /// All of them go on; this may be gone then.
    [[gnu::always_inline]] void wake() {
        left_ = 0;
        if (!others_.empty()) [[unlikely]] {
            wakeSeveral();
            return;
        }
        std::exchange(first_, nullptr)();
    }
    void drop() noexcept {
        const Wake first = std::exchange(first_, nullptr);
        const std::vector<Wake> others = std::exchange(others_, {});
    }

private:
    /// Apart, since stages may wake one another to a great depth.
    [[gnu::noinline]] void wakeSeveral() {
        const Wake first = std::exchange(first_, nullptr);
        const std::vector<Wake> others = std::exchange(others_, {});
        first();
        for (const Wake& other : others) {
            other();
        }
    }

    Wake first_ = nullptr;
    std::vector<Wake> others_;
    std::size_t left_ = 0; // so many of them
};

} // namespace ropewalk::flow::detail
