#pragma once

/// How often this program has allocated memory.
long allocations() noexcept;
