#pragma once

#include <utility>

namespace ropewalk::task::detail {

/// A reference on something that counts them itself, by `retain` and `release`; not for several threads.
template <class T>
class Ref {
public:
    Ref() noexcept = default;
    explicit Ref(T& counted) noexcept : counted_(&counted) { counted.retain(); }
    /// Takes over a reference.
    static Ref adopt(T& counted) noexcept {
        Ref ref;
        ref.counted_ = &counted;
        return ref;
    }
    Ref(const Ref& other) noexcept : counted_(other.counted_) {
        if (counted_ != nullptr) {
            counted_->retain();
        }
    }
    Ref(Ref&& other) noexcept : counted_(std::exchange(other.counted_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(counted_, other.counted_);
        return *this;
    }
    ~Ref() {
        if (counted_ != nullptr) {
            counted_->release();
        }
    }

    T* get() const noexcept { return counted_; }
    T& operator*() const noexcept { return *counted_; }
    T* operator->() const noexcept { return counted_; }
    explicit operator bool() const noexcept { return counted_ != nullptr; }

private:
    T* counted_ = nullptr;
};

} // namespace ropewalk::task::detail
