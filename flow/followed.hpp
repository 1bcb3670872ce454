#pragma once

namespace ropewalk::flow::detail {

class Follower;

/// What others point to that may live longer than it.
class Followed {
protected:
    Followed() = default;
    Followed(const Followed&) noexcept {}
    // NOLINTNEXTLINE(bugprone-unhandled-self-assignment): there is nothing to assign
    Followed& operator=(const Followed&) noexcept { return *this; }
    ~Followed();

private:
    friend Follower;
    Follower* followers_ = nullptr;
};

class Follower {
public:
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

protected:
    Follower() = default;
    ~Follower() { leave(); }

    void enter(Followed& followed) noexcept;
    void leave() noexcept {
        if (link_ != nullptr) {
            *link_ = next_;
            if (next_ != nullptr) {
                next_->link_ = link_;
            }
            link_ = nullptr;
        }
    }
    bool isEntered() const noexcept { return link_ != nullptr; }

private:
    friend Followed;
    Follower* next_ = nullptr;
    Follower** link_ = nullptr; // what points to this
};

/// Points to a T, and is null when that is gone.
template <class T>
class PointerTo : private Follower {
public:
    void pointTo(T& to) noexcept {
        if (get() != &to) {
            leave();
            enter(to);
            to_ = &to;
        }
    }
    void clear() noexcept { leave(); }
    T* get() const noexcept { return isEntered() ? to_ : nullptr; }

private:
    T* to_ = nullptr;
};

} // namespace ropewalk::flow::detail
