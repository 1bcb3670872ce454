#include <ropewalk/defer/trail.hpp>

#include <algorithm>
#include <ostream>
#include <utility>
#include <vector>

#include <ropewalk/defer/names.hpp>

namespace ropewalk::defer {

thread_local constinit detail::Activation* detail::Activation::top = nullptr;

Trail::Trail(const Trail& other)
    : steps_(other.room_ != 0 ? new std::source_location[other.room_] : nullptr),
      total_(other.total_),
      room_(other.room_) {
    std::copy_n(other.steps_, std::min(total_, room_), steps_);
}

Trail::Trail(Trail&& other) noexcept
    : steps_(std::exchange(other.steps_, nullptr)),
      total_(std::exchange(other.total_, 0)),
      room_(std::exchange(other.room_, 0)) {}

Trail& Trail::operator=(Trail other) noexcept {
    std::swap(steps_, other.steps_);
    std::swap(total_, other.total_);
    std::swap(room_, other.room_);
    return *this;
}

Trail::~Trail() {
    delete[] steps_;
}

void Trail::add(std::source_location where) {
    if (total_ == room_ && room_ < 2 * kept) {
        const std::size_t room = std::min(2 * kept, std::max<std::size_t>(8, 2 * room_));
        auto* steps = new std::source_location[room];
        std::copy_n(steps_, room_, steps);
        delete[] std::exchange(steps_, steps);
        room_ = room;
    }
    // Past the first 32 the rest is a ring: the newest step takes the place of the one 32 before it.
    const std::size_t place = total_ < kept ? total_ : kept + (total_ - kept) % kept;
    steps_[place] = where;
    ++total_;
}

std::size_t Trail::size() const noexcept {
    return std::min(total_, 2 * kept);
}

std::size_t Trail::omitted() const noexcept {
    return total_ - size();
}

std::source_location Trail::operator[](std::size_t index) const noexcept {
    if (index < kept || total_ <= 2 * kept) {
        return steps_[index];
    }
    return steps_[kept + (total_ - kept + index - kept) % kept];
}

std::string Trail::str() const {
    std::string text;
    for (std::size_t i = 0; i < size(); ++i) {
        if (i == kept && omitted() != 0) {
            text += "... " + std::to_string(omitted()) + " more ...\n";
        }
        const std::source_location step = (*this)[i];
        text += step.file_name();
        text += ':';
        text += std::to_string(step.line());
        text += ':';
        text += functionName(step);
        text += '\n';
    }
    return text;
}

std::ostream& operator<<(std::ostream& out, const Trail& trail) {
    return out << trail.str();
}

Trail currentTrail(std::source_location where) {
    std::vector<std::source_location> newestFirst{where};
    for (const auto* activation = detail::Activation::top; activation != nullptr;
         activation = activation->below) {
        if (activation->inner.line() != 0) {
            newestFirst.push_back(activation->inner);
        }
        newestFirst.push_back(activation->where);
    }
    Trail trail;
    for (auto step = newestFirst.rbegin(); step != newestFirst.rend(); ++step) {
        trail.add(*step);
    }
    return trail;
}

} // namespace ropewalk::defer
