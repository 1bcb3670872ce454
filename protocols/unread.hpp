#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ropewalk::protocols::detail {

/// What a protocol has received and not used yet, in this order: the rest of earlier reads, which is kept here;
/// the read that is being delivered, which stays where the caller has it; and what came while it was being
/// delivered. Only what a delivery leaves over is copied, and what is used together with it.
class Unread {
public:
    Unread() = default;
    Unread(const Unread&) = delete;
    Unread& operator=(const Unread&) = delete;

    /// A delivery begins. If one is under way, the data is added to what comes after it, and this is false.
    bool begin(std::string_view data) {
        if (delivering_) {
            add(data);
            return false;
        }
        delivering_ = true;
        if (next_ == end_) {
            next_ = data.data();
            end_ = next_ + data.size();
            inKept_ = false;
        } else {
            behind_ = data;
        }
        return true;
    }
    /// The delivery ends: what is left is kept.
    void end() {
        if (next_ == end_ && kept_.empty() && late_.empty()) [[likely]] {
            next_ = end_ = nullptr;
            delivering_ = false;
        } else {
            keep();
        }
    }

    /// Whether there is anything. If there is, the front isn't empty.
    bool any() { return next_ != end_ || refill(); }
    /// The next bytes, as many as lie together. They stay where they are while they are used, until the next
    /// call of anything but this and `use`.
    std::string_view front() const noexcept { return {next_, size()}; }
    /// The first `count` bytes of the front have been used.
    void use(std::size_t count) noexcept { next_ += count; }

    /// Whether there are `count` bytes. If there are, they lie at the front.
    bool reach(std::size_t count) { return size() >= count || reachFurther(count); }
    /// All that there is, at the front.
    std::string_view all() { return any() && behind_.empty() && late_.empty() ? front() : gather(); }
    /// All that there is, taken out. Between `begin` and `end`, what `front` gave stays where it is.
    std::string takeAll();
    /// The same, and nobody wants it.
    void drop();

protected:
    /// Of the read, what doesn't lie at the front.
    std::string_view behind() const noexcept { return behind_; }
    /// Lets the front grow by the first `count` bytes of `behind`.
    void extend(std::size_t count);
    /// Whether something came late. If it did, it lies at the front now, with all the rest.
    bool takeLate();

private:
    std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - next_); }
    bool refill();
    bool reachFurther(std::size_t count);
    std::string_view gather();
    void add(std::string_view data);
    void keep();
    void lieInKept(std::size_t from) noexcept;

    const char* next_ = nullptr; // the front: in `kept_`, or in the read
    const char* end_ = nullptr;
    std::string_view behind_; // the read, while the front lies in `kept_`
    std::string kept_;
    std::string late_;
    bool inKept_ = true;
    bool delivering_ = false;
};

} // namespace ropewalk::protocols::detail
