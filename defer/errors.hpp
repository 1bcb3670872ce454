#pragma once

#include <exception>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <typeinfo>

/// The error classes of the ground floor. Those that Python has built in stand in `ropewalk` and derive from
/// the standard class that fits; those of `twisted.internet.defer` stand in `ropewalk::defer`. All of them
/// can be copied without throwing, from any thread.
namespace ropewalk {

/// Python's `Exception`: an error of no particular kind, with a text.
class Exception : public std::exception {
public:
    explicit Exception(std::string_view message = {});
    const char* what() const noexcept override;

private:
    std::runtime_error text_; // its string is shared between copies, so that copying can't throw
};

/// Python's `ValueError`: an argument of the right type whose value makes no sense.
class ValueError : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
    ValueError() : std::invalid_argument("") {}
};

/// Python's `TypeError`: something of the wrong type.
class TypeError : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
    TypeError() : std::invalid_argument("") {}
};

/// Python's `RuntimeError`.
class RuntimeError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    RuntimeError() : std::runtime_error("") {}
};

/// Python's `AssertionError`: the caller broke a rule of the interface, or a test's expectation failed.
class AssertionError : public std::logic_error {
public:
    using std::logic_error::logic_error;
    AssertionError() : std::logic_error("") {}
};

/// Python's `KeyError`: nothing of that name is there.
class KeyError : public std::out_of_range {
public:
    using std::out_of_range::out_of_range;
    KeyError() : std::out_of_range("") {}
};

/// Python's `IOError` (`OSError`): the system refused something. `code()` is the system's own error; `what()`
/// is exactly the given text, or the system's text for the code when none was given.
class IOError : public std::system_error {
public:
    /// An input or output error that the system has no number for: the code is `std::errc::io_error`.
    explicit IOError(std::string_view message = {});
    explicit IOError(std::error_code code);
    IOError(std::error_code code, std::string_view message);
    const char* what() const noexcept override;

private:
    std::runtime_error text_;
};

/// `twisted.python.failure.NoCurrentExceptionError`: `Failure()`, `fail()` or `errback()` outside a `catch`.
class NoCurrentExceptionError : public RuntimeError {
public:
    using RuntimeError::RuntimeError;
    NoCurrentExceptionError();
};

/// A value of one type was offered to, or wanted from, a chain that carries another. Twisted has no such
/// error.
class WrongTypeError : public TypeError {
public:
    /// `wanted` is the type that the operation at `where` needs, `actual` the one that was found there;
    /// `madeAt` is where the chain was made, or whatever else `owner` names. A location without a line is left
    /// out of the text.
    WrongTypeError(const std::type_info& wanted, const std::type_info& actual, std::source_location madeAt,
                   std::source_location where, std::string_view owner = "Deferred");

    const std::type_info& wanted() const noexcept { return *wanted_; }
    const std::type_info& actual() const noexcept { return *actual_; }
    std::source_location madeAt() const noexcept { return madeAt_; }
    std::source_location where() const noexcept { return where_; }

private:
    const std::type_info* wanted_;
    const std::type_info* actual_;
    std::source_location madeAt_;
    std::source_location where_;
};

/// The value is gone: it went to another chain, a coroutine or a list, and Twisted would give `None` here.
class NoResultError : public RuntimeError {
public:
    /// `takenBy` is a string literal that names the taker ("a coroutine"); it took the result at `takenAt`,
    /// and the result was asked for at `where`.
    NoResultError(const char* takenBy, std::source_location takenAt, std::source_location where);

    const char* takenBy() const noexcept { return takenBy_; }
    std::source_location takenAt() const noexcept { return takenAt_; }
    std::source_location where() const noexcept { return where_; }

private:
    const char* takenBy_;
    std::source_location takenAt_;
    std::source_location where_;
};

/// Whoever had promised to fire a Deferred went away without doing so.
class AbandonedError : public RuntimeError {
public:
    using RuntimeError::RuntimeError;
    AbandonedError();
};

/// An operation on an empty or moved-from `Deferred` handle.
class EmptyDeferredError : public std::logic_error {
public:
    EmptyDeferredError(const char* operation, std::source_location where);

    std::source_location where() const noexcept { return where_; }

private:
    std::source_location where_;
};

/// What was asked for can't be done here: on this system, or by this reactor's driver.
class UnsupportedError : public RuntimeError {
public:
    using RuntimeError::RuntimeError;
};

namespace defer {

/// `defer.AlreadyCalledError`: a Deferred was fired a second time.
class AlreadyCalledError : public Exception {
public:
    AlreadyCalledError() = default;
    AlreadyCalledError(std::source_location firstFired, std::source_location now,
                       std::source_location madeAt);

    std::source_location firstFired() const noexcept { return firstFired_; }
    std::source_location now() const noexcept { return now_; }
    std::source_location madeAt() const noexcept { return madeAt_; }

private:
    std::source_location firstFired_;
    std::source_location now_;
    std::source_location madeAt_;
};

/// `defer.CancelledError`: the Deferred was cancelled. Its text is the reason given to `cancel`, usually
/// none.
class CancelledError : public Exception {
public:
    using Exception::Exception;

    std::string_view reason() const noexcept { return what(); }
};

/// `defer.TimeoutError`: what a cancellation by `addTimeout` becomes. Its text is that of Twisted's,
/// `(5, 'Deferred')`. Not `ropewalk::TimeoutError`, which is about connecting.
class TimeoutError : public Exception {
public:
    explicit TimeoutError(double seconds, std::string_view subject = "Deferred");

    /// The time that was allowed, in seconds.
    double seconds() const noexcept { return seconds_; }
    /// What took too long.
    std::string_view subject() const noexcept { return subject_.what(); }

private:
    double seconds_;
    std::runtime_error subject_;
};

/// `defer.QueueOverflow`: `put` on a `DeferredQueue` that holds as many as it may.
class QueueOverflow : public Exception {
public:
    using Exception::Exception;
};

/// `defer.QueueUnderflow`: `get` on a `DeferredQueue` on which as many wait as may.
class QueueUnderflow : public Exception {
public:
    using Exception::Exception;
};

/// `defer.NotACoroutineError`: a function was to return a Deferred and didn't.
class NotACoroutineError : public TypeError {
public:
    using TypeError::TypeError;
};

} // namespace defer
} // namespace ropewalk
