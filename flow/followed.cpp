#include <ropewalk/flow/followed.hpp>

#include <utility>

namespace ropewalk::flow::detail {

Followed::~Followed() {
    while (followers_ != nullptr) {
        followers_->leave();
    }
}

void Follower::enter(Followed& followed) noexcept {
    link_ = &followed.followers_;
    next_ = std::exchange(followed.followers_, this);
    if (next_ != nullptr) {
        next_->link_ = &next_;
    }
}

} // namespace ropewalk::flow::detail
