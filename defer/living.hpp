#pragma once

#include <cstddef>
#include <source_location>
#include <string>
#include <vector>

#include <ropewalk/defer/config.hpp>

/// Where everything is: what lives in this thread and waits.
namespace ropewalk::defer {

/// A coroutine that has not ended.
struct LivingCoroutine {
    std::source_location began;     // names the function
    bool suspended = false;         // else it runs just now
    std::source_location waitingAt; // the co_await, when suspended
    std::source_location madeAt;    // what it awaits was made there

    std::string str() const;
};

/// The newest first.
std::vector<LivingCoroutine> livingCoroutines();

/// A chain that has not fired, or that waits for another.
struct LivingDeferred {
    std::source_location madeAt;
    std::size_t handles = 0; // and whatever else keeps it
    bool waiting = false;

    std::string str() const;
};

/// The newest first; in a library built without ROPEWALK_CHECKS there is no such list, and this is empty.
std::vector<LivingDeferred> livingDeferreds();

/// Both lists as text, a line each: the task dump.
std::string taskDump();

} // namespace ropewalk::defer
