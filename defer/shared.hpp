#pragma once

#include <cstdint>
#include <utility>

namespace ropewalk::defer::detail {

/// A value that several objects of one thread own together. Never empty, but for a moved-from one.
template <class T>
class Shared {
public:
    template <class... A>
    explicit Shared(std::in_place_t, A&&... args) : node_(new Node{1, T{std::forward<A>(args)...}}) {}
    Shared(const Shared& other) noexcept : node_(other.node_) { ++node_->references; }
    Shared(Shared&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    Shared& operator=(Shared other) noexcept {
        std::swap(node_, other.node_);
        return *this;
    }
    ~Shared() {
        if (node_ != nullptr && --node_->references == 0) {
            destroy(node_);
        }
    }

    T& operator*() const noexcept { return node_->value; }
    T* operator->() const noexcept { return &node_->value; }

private:
    struct Node {
        std::uint32_t references;
        T value;
    };
    // GCC 12, when it sees the deletion beside the next count, takes that for a use of what was deleted.
    [[gnu::noinline]] static void destroy(Node* node) noexcept { delete node; }

    Node* node_;
};

} // namespace ropewalk::defer::detail
