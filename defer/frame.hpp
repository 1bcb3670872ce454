#pragma once

#include <cstddef>
#include <source_location>

/// The memory of a coroutine's frame, for every kind of coroutine there is.
namespace ropewalk::defer::detail {

/// The base of a promise. Its frames are a header longer, which says where the frame begins and how long it is.
struct Frame {
    static void* operator new(std::size_t size);
    static void operator delete(void* frame, std::size_t size) noexcept;
};

/// Whether the address lies within that frame.
bool liesInFrame(void* frame, const void* address) noexcept;

/// Ends the program with a message if GCC 12 laid out the frame of this coroutine wrongly.
void checkFrame(void* frame, std::source_location began);
[[noreturn]] void frameIsWrong(std::source_location began);

} // namespace ropewalk::defer::detail
