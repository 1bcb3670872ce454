#include <ropewalk/task/generator_control.hpp>

#include <functional>
#include <new>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/defer/frame.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/names.hpp>
#include <ropewalk/defer/slot.hpp>
#include <ropewalk/task/errors.hpp>

namespace ropewalk::task::detail {

[[gnu::no_sanitize_address, gnu::noinline]] void
GeneratorControl::checkFrame(void* frame, std::source_location where) const {
    if (frame_.address() != frame) {
        defer::detail::frameIsWrong(where);
    }
}

bool GeneratorControl::keeps(const void* address) const noexcept {
    return references_ == 1 && state_ == State::suspended && holds(address);
}

bool GeneratorControl::holds(const void* address) const noexcept {
    const auto* begin = static_cast<const char*>(frame_.address());
    const auto* at = static_cast<const char*>(address);
    return !std::less<>{}(at, begin) && std::less<>{}(at, begin + frameSize_);
}

bool GeneratorControl::refuse() {
    if (state_ == State::running) {
        throw GeneratorRunningError();
    }
    return false;
}

bool GeneratorControl::resumeWith(std::exception_ptr error) {
    switch (state_) {
        case State::running:
            throw GeneratorRunningError();
        case State::unstarted:
            destroyUnstarted();
            [[fallthrough]];
        case State::finished:
            std::rethrow_exception(std::move(error));
        case State::suspended:
            break;
    }
    error_ = std::move(error);
    wish_ = Wish::error;
    return resume();
}

void GeneratorControl::close() {
    if (state_ == State::finished) {
        return;
    }
    if (state_ == State::unstarted) {
        destroyUnstarted();
        return;
    }
    closing_ = true;
    attention_ = true;
    wish_ = Wish::exit;
    if (state_ == State::suspended) {
        resume();
    }
}

void GeneratorControl::raise() {
    if (std::exchange(wish_, Wish::none) == Wish::exit) {
        throw GeneratorExit();
    }
    std::rethrow_exception(std::exchange(error_, nullptr));
}

void GeneratorControl::escaped() noexcept {
    try {
        throw;
    } catch (const StopIteration&) {
        return;
    } catch (const GeneratorExit&) {
        if (closing_) {
            return;
        }
        error_ = std::current_exception();
    } catch (...) {
        error_ = std::current_exception();
    }
    attention_ = true;
}

bool GeneratorControl::attend() {
    attention_ = false;
    std::exception_ptr error = std::exchange(error_, nullptr);
    if (closing_ && state_ == State::suspended) {
        destroyFrame();
        error = std::make_exception_ptr(
            RuntimeError("generator " + functionName(began_) + " ignored GeneratorExit"));
    }
    const bool yielded = state_ == State::suspended && references_ != 0;
    if (references_ == 0) {
        dispose();
    }
    if (error != nullptr) {
        std::rethrow_exception(std::move(error));
    }
    return yielded;
}

void GeneratorControl::dispose() noexcept {
    if (state_ == State::running) {
        attention_ = true;
        return;
    }
    if (state_ != State::finished) {
        references_ = 1;
        closeQuietly();
        references_ = 0;
    }
    free();
}

void GeneratorControl::closeQuietly() noexcept {
    try {
        close();
    } catch (...) {
        log::failure("Exception out of a generator that was closed because nobody holds it any more",
                     Failure());
    }
}

/// To destructors that ask, it runs; the last handle may go with it.
void GeneratorControl::destroyFrame() noexcept {
    state_ = State::running;
    try {
        frame_.destroy();
    } catch (...) {
        defer::detail::destructorThrew();
    }
    state_ = State::finished;
}

void GeneratorControl::destroyUnstarted() noexcept {
    destroyFrame();
    if (references_ == 0) {
        free();
    }
}

void GeneratorControl::free() noexcept {
    this->~GeneratorControl();
    ::operator delete(this);
}

void throwStopIteration() {
    throw StopIteration();
}

void throwEmptyGenerator() {
    throw AssertionError("an empty handle on a generator");
}

void throwJustStarted() {
    throw TypeError("can't send a value to a generator that was just started");
}

void throwNotReturned(const GeneratorControl& generator) {
    throw AssertionError("generator " + functionName(generator.began()) +
                         (generator.finished() ? " has ended without a result" : " has not ended"));
}

} // namespace ropewalk::task::detail
