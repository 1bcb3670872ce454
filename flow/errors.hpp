#pragma once

#include <string>
#include <string_view>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/task/errors.hpp>

/// `StopIteration` and `GeneratorExit`, which flows use as generators do, stand in `ropewalk`.
namespace ropewalk {

/// A stage was asked for its next result that was not yielded first: `twisted.flow.base.NotReadyError`.
class NotReadyError : public RuntimeError {
public:
    using RuntimeError::RuntimeError;
    NotReadyError() : RuntimeError("a stage must be yielded before it is asked for its next result") {}
};

/// A flow paused in a way that its controller doesn't know: `twisted.flow.base.Unsupported`.
class Unsupported : public UnsupportedError {
public:
    /// `instruction` names the way, `controller` who doesn't know it.
    Unsupported(std::string_view instruction, std::string_view controller)
        : UnsupportedError(std::string(controller) + " doesn't support the flow instruction " +
                           std::string(instruction)) {}
};

/// A line is longer than its reader allows.
class LineTooLong : public ValueError {
public:
    using ValueError::ValueError;
};

} // namespace ropewalk
