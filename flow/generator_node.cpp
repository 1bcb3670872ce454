#include <ropewalk/flow/generator_node.hpp>

namespace ropewalk::flow::detail {

namespace {

thread_local constinit unsigned closings = 0;

} // namespace

bool GeneratorNode::closes() noexcept {
    return closings != 0;
}

void GeneratorNode::enter(GeneratorNode* owner) noexcept {
    owner_ = owner;
    if (owner != nullptr) {
        older_ = owner->youngest_;
        if (older_ != nullptr) {
            older_->younger_ = this;
        }
        owner->youngest_ = this;
    }
}

void GeneratorNode::leave() noexcept {
    for (GeneratorNode* inner = youngest_; inner != nullptr; inner = inner->older_) {
        inner->owner_ = nullptr;
    }
    if (younger_ != nullptr) {
        younger_->older_ = older_;
    } else if (owner_ != nullptr) {
        owner_->youngest_ = older_;
    }
    if (older_ != nullptr) {
        older_->younger_ = younger_;
    }
    owner_ = youngest_ = older_ = younger_ = nullptr;
}

void GeneratorNode::closeInner() noexcept {
    GeneratorNode* at = this;
    ++closings;
    while (youngest_ != nullptr) {
        while (at->youngest_ != nullptr) {
            at = at->youngest_;
        }
        GeneratorNode* owner = at->owner_;
        at->close();
        at = owner;
    }
    --closings;
}

} // namespace ropewalk::flow::detail
