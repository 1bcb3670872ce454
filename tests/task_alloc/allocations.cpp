#include "allocations.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

constinit long count = 0;

void* allocate(std::size_t size) {
    void* place = std::malloc(size);
    if (place == nullptr) throw std::bad_alloc();
    ++count;
    return place;
}

} // namespace

long allocations() noexcept {
    return count;
}

void* operator new(std::size_t size) {
    return allocate(size);
}
void* operator new[](std::size_t size) {
    return allocate(size);
}
void operator delete(void* place) noexcept {
    std::free(place);
}
void operator delete(void* place, std::size_t) noexcept {
    std::free(place);
}
void operator delete[](void* place) noexcept {
    std::free(place);
}
void operator delete[](void* place, std::size_t) noexcept {
    std::free(place);
}
