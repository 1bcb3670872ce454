#include <ropewalk/protocols/unread.hpp>

#include <algorithm>

namespace ropewalk::protocols::detail {

namespace {

// A protocol that waits for nothing more holds no more memory than this.
constexpr std::size_t spare = 4096;

void clear(std::string& text) {
    if (text.capacity() > spare) {
        std::string().swap(text);
    } else {
        text.clear();
    }
}

} // namespace

void Unread::lieInKept(std::size_t from) noexcept {
    next_ = kept_.data() + from;
    end_ = kept_.data() + kept_.size();
    inKept_ = true;
}

// The front is used up: whether there is more.
bool Unread::refill() {
    if (!behind_.empty()) {
        next_ = behind_.data();
        end_ = next_ + behind_.size();
        behind_ = {};
        inKept_ = false;
        return true;
    }
    return takeLate();
}

void Unread::extend(std::size_t count) {
    const auto from = static_cast<std::size_t>(next_ - kept_.data());
    kept_.append(behind_.substr(0, count));
    behind_.remove_prefix(count);
    lieInKept(from);
}

bool Unread::takeLate() {
    if (late_.empty()) {
        return false;
    }
    gather();
    return true;
}

bool Unread::reachFurther(std::size_t count) {
    if (next_ == end_ && !refill()) {
        return false;
    }
    if (size() < count && !behind_.empty()) {
        extend(std::min(count - size(), behind_.size()));
    }
    return size() >= count || (takeLate() && size() >= count);
}

std::string_view Unread::gather() {
    std::size_t from = 0;
    if (inKept_ && next_ != end_) {
        from = static_cast<std::size_t>(next_ - kept_.data());
    } else {
        kept_.assign(next_, inKept_ ? 0 : size());
    }
    kept_.append(behind_);
    behind_ = {};
    if (kept_.empty()) {
        kept_.swap(late_);
    } else {
        kept_.append(late_);
        late_.clear();
    }
    lieInKept(from);
    return front();
}

// What a protocol hands back of the last bytes that it was given lies where it lay: it becomes the front again.
void Unread::add(std::string_view data) {
    if (next_ == end_ && behind_.empty() && late_.empty() && data.data() + data.size() == end_) {
        next_ = data.data();
    } else {
        late_.append(data);
    }
}

std::string Unread::takeAll() {
    std::string taken(front());
    taken.append(behind_).append(late_);
    drop();
    return taken;
}

void Unread::drop() {
    next_ = end_;
    behind_ = {};
    late_.clear();
    if (!delivering_) {
        keep();
    }
}

void Unread::keep() {
    delivering_ = false;
    if (next_ != end_ || !behind_.empty() || !late_.empty()) {
        gather();
        const auto used = static_cast<std::size_t>(next_ - kept_.data());
        if (used > kept_.size() / 2) {
            kept_.erase(0, used);
            lieInKept(0);
        }
    } else {
        clear(kept_);
        lieInKept(0);
    }
    clear(late_);
}

} // namespace ropewalk::protocols::detail
