#pragma once

#include <iosfwd>

#include <ropewalk/defer/log.hpp>

namespace ropewalk::log {

/// Writes what is logged from now on to `out`, a line an event, as `2024-01-01 00:00:00+0000 [-] text` with
/// the local time: `twisted.python.log.startLogging`. `out` is flushed after each event, and must live until
/// the observer returned was removed with `removeObserver`; the observer itself is never destroyed. Standard
/// output is left alone. Any thread.
LogObserver& startLogging(std::ostream& out);

} // namespace ropewalk::log
