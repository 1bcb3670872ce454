#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <typeinfo>
#include <utility>

/// How a value of any type lies in the 32 bytes that a chain has for it: as itself when it fits and moves without
/// throwing, else as a pointer to the heap.
namespace ropewalk::defer::detail {

inline constexpr std::size_t slotSize = 32;
inline constexpr std::size_t slotAlignment = 16;

/// What is done without knowing the type. A null function means that there is nothing to do, or bytes to copy.
struct TypeTag {
    const std::type_info* info;
    void (*destroy)(void* slot) noexcept;
    void (*relocate)(void* to, void* from) noexcept;
};

/// Logs an exception that came out of a destructor.
void destructorThrew() noexcept;

template <class T>
void destroyQuietly(T* object) noexcept {
    if constexpr (std::is_nothrow_destructible_v<T>) {
        object->~T();
    } else {
        try {
            object->~T();
        } catch (...) {
            destructorThrew();
        }
    }
}

template <class T>
void deleteQuietly(T* object) noexcept {
    if constexpr (std::is_nothrow_destructible_v<T>) {
        delete object;
    } else {
        try {
            delete object;
        } catch (...) {
            destructorThrew();
        }
    }
}

template <class T>
struct Held {
    static constexpr bool inPlace =
        sizeof(T) <= slotSize && alignof(T) <= slotAlignment && std::is_nothrow_move_constructible_v<T>;
    static constexpr bool isTrivial = inPlace && std::is_trivially_copyable_v<T>;

    static T& in(void* slot) noexcept {
        if constexpr (inPlace) {
            return *std::launder(static_cast<T*>(slot));
        } else {
            return **std::launder(static_cast<T**>(slot));
        }
    }

    template <class... A>
    static void make(void* slot, A&&... args) {
        if constexpr (inPlace) {
            ::new (slot) T(std::forward<A>(args)...);
        } else {
            ::new (slot)(T*)(new T(std::forward<A>(args)...));
        }
    }

    static void destroy(void* slot) noexcept {
        if constexpr (inPlace) {
            destroyQuietly(&in(slot));
        } else {
            deleteQuietly(&in(slot));
        }
    }

    static void relocate(void* to, void* from) noexcept {
        ::new (to) T(std::move(in(from)));
        destroyQuietly(&in(from));
    }

    static constexpr auto destroyer() -> void (*)(void*) noexcept {
        if constexpr (isTrivial) {
            return nullptr;
        } else {
            return &destroy;
        }
    }

    static constexpr auto relocator() -> void (*)(void*, void*) noexcept {
        if constexpr (isTrivial || !inPlace) {
            return nullptr;
        } else {
            return &relocate;
        }
    }
};

template <class T>
inline constexpr TypeTag tagOf{&typeid(T), Held<T>::destroyer(), Held<T>::relocator()};

template <>
inline constexpr TypeTag tagOf<void>{&typeid(void), nullptr, nullptr};

/// By address first: two shared libraries may each hold a tag of one type.
inline bool sameType(const TypeTag* a, const TypeTag* b) noexcept {
    return a == b || *a->info == *b->info;
}

} // namespace ropewalk::defer::detail
