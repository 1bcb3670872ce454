#pragma once

#include <source_location>
#include <string_view>

/// What the engine says in the log.
namespace ropewalk {
class Failure;
}

namespace ropewalk::defer::detail {

/// `Unhandled error in Deferred`; an unhandled cancellation at a level of its own.
void reportUnhandled(const Failure& failure) noexcept;
/// `abandoned: NAME, waiting at FILE:LINE on a Deferred made at FILE:LINE`
void reportAbandoned(std::source_location began, std::source_location waitingAt,
                     std::source_location madeAt) noexcept;
/// `abandoned: NAME, WHY`
void reportAbandoned(std::source_location began, std::string_view why) noexcept;

} // namespace ropewalk::defer::detail
