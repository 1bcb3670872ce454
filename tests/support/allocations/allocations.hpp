#pragma once

#include <cstddef>

/// What the calling thread has allocated by `operator new`, in the programs that replace it to count.
struct Allocations {
    bool counting = true;
    long count = 0;
    long living = 0; // those of this thread that were not given back, less those of others that it gave back
    std::size_t bytes = 0;
    std::size_t largest = 0;
};

/// Of this thread. It may be written: set back, or halted.
Allocations& allocations() noexcept;
