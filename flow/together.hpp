#pragma once

#include <ropewalk/flow/instruction.hpp>

namespace ropewalk::flow::detail {

/// All sources of a stage pause, and were armed by its controller.
class Together : public CallLater {};

} // namespace ropewalk::flow::detail
