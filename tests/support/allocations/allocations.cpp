#include "allocations.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

thread_local constinit Allocations tally;

void* allocate(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) {
    const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
    void* place =
        alignment <= alignof(std::max_align_t) ? std::malloc(size) : std::aligned_alloc(alignment, rounded);
    if (place == nullptr) throw std::bad_alloc();
    if (tally.counting) {
        ++tally.count;
        ++tally.living;
        tally.bytes += size;
        tally.largest = std::max(tally.largest, size);
    }
    return place;
}

void release(void* place) noexcept {
    if (place == nullptr) return;
    if (tally.counting) --tally.living;
    std::free(place);
}

} // namespace

Allocations& allocations() noexcept {
    return tally;
}

void* operator new(std::size_t size) {
    return allocate(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size) {
    return allocate(size);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* place) noexcept {
    release(place);
}
void operator delete(void* place, std::size_t) noexcept {
    release(place);
}
void operator delete(void* place, std::align_val_t) noexcept {
    release(place);
}
void operator delete(void* place, std::size_t, std::align_val_t) noexcept {
    release(place);
}
void operator delete[](void* place) noexcept {
    release(place);
}
void operator delete[](void* place, std::size_t) noexcept {
    release(place);
}
void operator delete[](void* place, std::align_val_t) noexcept {
    release(place);
}
void operator delete[](void* place, std::size_t, std::align_val_t) noexcept {
    release(place);
}
