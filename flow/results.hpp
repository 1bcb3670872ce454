#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <utility>
#include <vector>

namespace ropewalk::flow {

/// What a stage has made and nobody has taken yet, the oldest first: the list `results` of a stage. Taking from the front
/// costs no more than adding at the end, and its memory is used again.
template <class T>
class Results {
public:
    using value_type = T;
    using iterator = typename std::vector<T>::iterator;

    Results() noexcept = default;
    Results(std::vector<T> items) noexcept : items_(std::move(items)), first_(items_.begin()) {}
    Results(std::initializer_list<T> items) : items_(items), first_(items_.begin()) {}
    Results(Results&& other) noexcept : Results() { *this = std::move(other); }
    Results& operator=(Results&& other) noexcept {
        std::swap(items_, other.items_); // iterators stay valid
        std::swap(first_, other.first_);
        return *this;
    }
    ~Results() = default;

    bool empty() const noexcept { return first_ == items_.end(); }
    std::size_t size() const noexcept { return static_cast<std::size_t>(items_.end() - first_); }

    /// Only of what isn't empty: the oldest; and the same, taken out.
    T& front() noexcept { return *first_; }
    T popFront() {
        T item = std::move(*first_);
        if (++first_ == items_.end()) {
            clear();
        }
        return item;
    }

    template <class U>
    void push(U&& item) {
        emplace(std::forward<U>(item));
    }
    template <class... Args>
    void emplace(Args&&... args) {
        if (items_.size() < items_.capacity()) [[likely]] {
            items_.emplace_back(std::forward<Args>(args)...);
        } else {
            T item(std::forward<Args>(args)...); // it may be one of these
            grow();
            items_.push_back(std::move(item));
        }
    }
    /// Takes all of the others; they are left empty, with memory for the next.
    void append(Results& others) {
        if (empty()) {
            clear();
            *this = std::move(others);
        } else {
            for (T& item : others) {
                emplace(std::move(item));
            }
            others.clear();
        }
    }
    void clear() noexcept {
        items_.clear();
        first_ = items_.begin();
    }
    /// All of them; none are left.
    std::vector<T> takeAll() {
        closeUp();
        std::vector<T> all = std::exchange(items_, {});
        first_ = items_.begin();
        return all;
    }

    T& operator[](std::size_t index) noexcept { return first_[static_cast<std::ptrdiff_t>(index)]; }
    iterator begin() noexcept { return first_; }
    iterator end() noexcept { return items_.end(); }

private:
    void closeUp() {
        if (first_ != items_.begin()) {
            items_.erase(items_.begin(), first_);
            first_ = items_.begin();
        }
    }
    [[gnu::noinline]] void grow() {
        if (first_ - items_.begin() > items_.end() - first_) {
            closeUp();
        } else {
            const auto taken = first_ - items_.begin();
            items_.reserve(items_.capacity() < 4 ? 4 : items_.capacity() * 2);
            first_ = items_.begin() + taken;
        }
    }

    std::vector<T> items_;
    std::vector<T>::iterator first_ = items_.end(); // those before it were taken
};

} // namespace ropewalk::flow
