#pragma once

#include <chrono>

namespace ropewalk {

/// A span of time, or a moment as the span since some beginning: Python's float of seconds. Any `std::chrono`
/// duration converts to it, so a caller writes `2s` or `500ms`.
using Seconds = std::chrono::duration<double>;

} // namespace ropewalk
