#pragma once

#include <ropewalk/defer/errors.hpp>

/// The errors of `twisted.internet.error` that have to do with time and life.
namespace ropewalk {

/// `error.AlreadyCalled`: a timed call that has run, or runs just now, can't be cancelled or moved.
class AlreadyCalled : public ValueError {
public:
    using ValueError::ValueError;
    AlreadyCalled() : ValueError("Tried to cancel or move a call that was already called.") {}
};

/// `error.AlreadyCancelled`: a cancelled timed call can't be cancelled again, or moved.
class AlreadyCancelled : public ValueError {
public:
    using ValueError::ValueError;
    AlreadyCancelled() : ValueError("Tried to cancel or move a call that was already cancelled.") {}
};

/// `error.ReactorNotRunning`: `stop` on a reactor that doesn't run, or that was told to stop already.
class ReactorNotRunning : public RuntimeError {
public:
    using RuntimeError::RuntimeError;
    ReactorNotRunning() : RuntimeError("Can't stop reactor that isn't running.") {}
};

/// `error.ReactorAlreadyRunning`: `run` inside `run`.
class ReactorAlreadyRunning : public RuntimeError {
public:
    using RuntimeError::RuntimeError;
    ReactorAlreadyRunning() : RuntimeError("The reactor is running already.") {}
};

/// `error.ReactorAlreadyInstalledError`: a second reactor was made in a thread that has one.
class ReactorAlreadyInstalledError : public AssertionError {
public:
    using AssertionError::AssertionError;
    ReactorAlreadyInstalledError() : AssertionError("This thread has a reactor already.") {}
};

/// `reactor()` in a thread that has none. Twisted has one reactor only, and no such error.
class NoReactorError : public RuntimeError {
public:
    using RuntimeError::RuntimeError;
    NoReactorError() : RuntimeError("This thread has no reactor: make a Reactor in it.") {}
};

} // namespace ropewalk
