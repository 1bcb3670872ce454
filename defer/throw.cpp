#include <ropewalk/defer/throw.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/names.hpp>

namespace ropewalk::defer::detail {

void throwEmpty(const char* operation, std::source_location where) {
    throw EmptyDeferredError(operation, where);
}

void throwAlreadyCalled(std::source_location firstFired, std::source_location now,
                        std::source_location madeAt) {
    throw AlreadyCalledError(firstFired, now, madeAt);
}

void throwWrongType(const std::type_info& wanted, const std::type_info& actual, std::source_location madeAt,
                    std::source_location where) {
    throw WrongTypeError(wanted, actual, madeAt, where);
}

std::exception_ptr wrongType(const std::type_info& wanted, const std::type_info& actual,
                             std::source_location madeAt, std::source_location where) {
    return std::make_exception_ptr(WrongTypeError(wanted, actual, madeAt, where));
}

std::exception_ptr noResult(const char* takenBy, std::source_location takenAt, std::source_location where) {
    return std::make_exception_ptr(NoResultError(takenBy, takenAt, where));
}

std::exception_ptr cancelled(std::string_view reason) {
    return std::make_exception_ptr(CancelledError(reason));
}

std::exception_ptr abandoned(std::string_view what) {
    return std::make_exception_ptr(what.empty() ? AbandonedError() : AbandonedError(std::string(what)));
}

std::exception_ptr returnedItself(std::source_location where) {
    std::string text = "a callback returned the Deferred that it was added to";
    if (where.line() != 0) text += ", at " + placeName(where);
    return std::make_exception_ptr(RuntimeError(text));
}

std::exception_ptr timedOut(double seconds) {
    return std::make_exception_ptr(TimeoutError(seconds));
}

void throwQueueOverflow() {
    throw QueueOverflow("the DeferredQueue holds as many objects as it may");
}

void throwQueueUnderflow() {
    throw QueueUnderflow("as many gets wait on the DeferredQueue as may");
}

} // namespace ropewalk::defer::detail
