#pragma once

#include <exception>
#include <source_location>
#include <string_view>
#include <typeinfo>

/// How the templates of `deferred.hpp` make and throw the errors of `errors.hpp` without including it: the
/// texts are put together out of line, where they cost no compile time and no space beside the hot path.
namespace ropewalk::defer::detail {

/// Throws `EmptyDeferredError`; `operation` is the name of the member function.
[[noreturn]] void throwEmpty(const char* operation, std::source_location where);
/// Throws `AlreadyCalledError`.
[[noreturn]] void throwAlreadyCalled(std::source_location firstFired, std::source_location now,
                                     std::source_location madeAt);
/// Throws `WrongTypeError`; the parameters are its constructor's.
[[noreturn]] void throwWrongType(const std::type_info& wanted, const std::type_info& actual,
                                 std::source_location madeAt, std::source_location where);

/// A `WrongTypeError`; the parameters are its constructor's.
std::exception_ptr wrongType(const std::type_info& wanted, const std::type_info& actual,
                             std::source_location madeAt, std::source_location where);
/// A `NoResultError`; `takenBy` is a string literal that names the taker: "a coroutine".
std::exception_ptr noResult(const char* takenBy, std::source_location takenAt, std::source_location where);
/// A `CancelledError`, whose text is the reason.
std::exception_ptr cancelled(std::string_view reason);
/// A `defer::TimeoutError`.
std::exception_ptr timedOut(double seconds);
/// An `AbandonedError`, whose text is `what`, or its usual one if that is empty.
std::exception_ptr abandoned(std::string_view what);
/// A `RuntimeError`: the callback added at `where` returned the Deferred that it was added to.
std::exception_ptr returnedItself(std::source_location where);

[[noreturn]] void throwQueueOverflow();
[[noreturn]] void throwQueueUnderflow();

} // namespace ropewalk::defer::detail
