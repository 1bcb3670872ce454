#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace ropewalk::flow {

namespace detail {

/// A bool that has an address in a vector.
struct Bool {
    Bool(bool theValue) noexcept : value(theValue) {}
    bool value;
};

} // namespace detail

/// What a stage has made and nobody has taken yet, the oldest first: the list `results` of a stage. One result alone, which
/// is the rule, lies in the stage itself. Taking from the front costs no more than adding at the end, and memory is used
/// again.
template <class T>
class Results {
    template <class Owner, class Value>
    class Position;
    static constexpr bool ofBools = std::same_as<T, bool>;
    using Stored = std::conditional_t<ofBools, detail::Bool, T>;

public:
    using value_type = T;
    using iterator = Position<Results, T>;
    using const_iterator = Position<const Results, const T>;

    Results() noexcept {}
    // NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved from, unless it holds bools
    Results(std::vector<T> items) : held_(items.empty() ? Held::none : Held::many) {
        if constexpr (ofBools) {
            for (const bool item : items) {
                rest_.push_back(item);
            }
        } else {
            rest_ = std::move(items);
        }
    }
    Results(std::initializer_list<T> items) : Results(std::vector<T>(items)) {}
    Results(Results&& other) noexcept { append(other); }
    /// What was here is gone, and `other` is left empty.
    Results& operator=(Results&& other) noexcept {
        if (this != &other) {
            clear();
            append(other);
        }
        return *this;
    }
    ~Results() {
        if (held_ == Held::one) {
            std::destroy_at(&one_);
        }
    }

    bool empty() const noexcept { return held_ == Held::none; }
    std::size_t size() const noexcept {
        return held_ == Held::many ? rest_.size() - first_ : static_cast<std::size_t>(held_);
    }

    /// Only of what isn't empty: the oldest; and the same, taken out.
    T& front() noexcept { return (*this)[0]; }
    T popFront() {
        if (held_ == Held::one) [[likely]] {
            T item = std::move(one_);
            std::destroy_at(&one_);
            held_ = Held::none;
            return item;
        }
        T item = std::move(in(rest_[first_]));
        if (++first_ == rest_.size()) {
            clear();
        }
        return item;
    }

    /// The oldest goes to `place`, if there is any.
    template <class Place>
    bool popTo(Place& place) {
        if (held_ == Held::one) [[likely]] {
            place.set(std::move(one_));
            std::destroy_at(&one_);
            held_ = Held::none;
            return true;
        }
        return popManyTo(place);
    }

    template <class U>
    void push(U&& item) {
        emplace(std::forward<U>(item));
    }
    template <class... Args>
    void emplace(Args&&... args) {
        if (held_ == Held::none) [[likely]] {
            std::construct_at(&one_, std::forward<Args>(args)...);
            held_ = Held::one;
        } else {
            emplaceMore(std::forward<Args>(args)...);
        }
    }
    /// Takes all of the others, which are left empty, with memory for the next.
    void append(Results& others) {
        if (others.held_ == Held::many && empty()) {
            std::swap(rest_, others.rest_);
            std::swap(first_, others.first_);
            held_ = std::exchange(others.held_, Held::none);
        } else {
            for (T& item : others) {
                emplace(std::move(item));
            }
            others.clear();
        }
    }
    void clear() noexcept {
        if (held_ == Held::one) {
            std::destroy_at(&one_);
        }
        held_ = Held::none;
        rest_.clear();
        first_ = 0;
    }
    /// All of them; none are left.
    std::vector<T> takeAll() {
        spill();
        closeUp();
        std::vector<T> all;
        if constexpr (ofBools) {
            for (const Stored& item : rest_) {
                all.push_back(item.value);
            }
        } else {
            all = std::exchange(rest_, {});
        }
        clear();
        return all;
    }

    T& operator[](std::size_t index) noexcept {
        return held_ == Held::one ? one_ : in(rest_[first_ + index]);
    }
    const T& operator[](std::size_t index) const noexcept {
        return held_ == Held::one ? one_ : in(rest_[first_ + index]);
    }
    iterator begin() noexcept { return iterator(*this, 0); }
    iterator end() noexcept { return iterator(*this, size()); }
    const_iterator begin() const noexcept { return const_iterator(*this, 0); }
    const_iterator end() const noexcept { return const_iterator(*this, size()); }

private:
    enum class Held : std::uint8_t { none, one, many };

    template <class S>
    static auto& in(S& stored) noexcept {
        if constexpr (ofBools) {
            return stored.value;
        } else {
            return stored;
        }
    }

    /// Those that were taken are out of the vector.
    void closeUp() {
        if constexpr (std::is_move_assignable_v<Stored>) {
            rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(first_));
        } else if (first_ != 0) {
            std::vector<Stored> left;
            left.reserve(rest_.capacity());
            for (std::size_t i = first_; i < rest_.size(); ++i) {
                left.push_back(std::move(rest_[i]));
            }
            rest_.swap(left);
        }
        first_ = 0;
    }
    /// Many are all in the vector.
    void spill() {
        if (held_ == Held::one) {
            rest_.push_back(std::move(one_));
            std::destroy_at(&one_);
            held_ = Held::many;
        }
    }
    template <class Place>
    [[gnu::noinline]] bool popManyTo(Place& place) {
        if (held_ == Held::none) {
            return false;
        }
        place.set(popFront());
        return true;
    }
    template <class... Args>
    [[gnu::noinline]] void emplaceMore(Args&&... args) {
        T item(std::forward<Args>(args)...); // of what may be one of these
        spill();
        if (rest_.size() == rest_.capacity() && first_ > rest_.size() / 2) {
            closeUp();
        }
        rest_.push_back(std::move(item));
    }

    union {
        T one_;
    };
    std::vector<Stored> rest_;
    std::size_t first_ = 0; // those of the vector before it were taken
    Held held_ = Held::none;
};

template <class T>
template <class Owner, class Value>
class Results<T>::Position {
public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using reference = Value&;
    using pointer = Value*;
    using iterator_category = std::forward_iterator_tag;

    Position() noexcept = default;
    Position(Owner& owner, std::size_t index) noexcept : owner_(&owner), index_(index) {}

    Value& operator*() const noexcept { return (*owner_)[index_]; }
    Value* operator->() const noexcept { return &(*owner_)[index_]; }
    Position& operator++() noexcept {
        ++index_;
        return *this;
    }
    Position operator++(int) noexcept {
        Position old = *this;
        ++index_;
        return old;
    }
    friend bool operator==(const Position& a, const Position& b) noexcept { return a.index_ == b.index_; }

private:
    Owner* owner_ = nullptr;
    std::size_t index_ = 0;
};

} // namespace ropewalk::flow
