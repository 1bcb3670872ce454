#include <ropewalk/defer/errors.hpp>

#include <ropewalk/defer/names.hpp>

#include <charconv>
#include <type_traits>

namespace ropewalk {
namespace {

std::string at(std::string_view introduction, const std::source_location& location) {
    if (location.line() == 0) return {};
    return std::string(introduction) + placeName(location);
}

} // namespace

Exception::Exception(std::string_view message) : text_(std::string(message)) {}

const char* Exception::what() const noexcept {
    return text_.what();
}

IOError::IOError(std::string_view message) : IOError(std::make_error_code(std::errc::io_error), message) {}

IOError::IOError(std::error_code code) : IOError(code, code.message()) {}

IOError::IOError(std::error_code code, std::string_view message)
    : std::system_error(code), text_(std::string(message)) {}

const char* IOError::what() const noexcept {
    return text_.what();
}

NoCurrentExceptionError::NoCurrentExceptionError() : RuntimeError("no exception is being handled here") {}

WrongTypeError::WrongTypeError(const std::type_info& wanted, const std::type_info& actual,
                               std::source_location madeAt, std::source_location where,
                               std::string_view owner)
    : TypeError("wanted " + typeName(wanted) + ", found " + typeName(actual) + at(", at ", where) +
                at("; the " + std::string(owner) + " was made at ", madeAt)),
      wanted_(&wanted),
      actual_(&actual),
      madeAt_(madeAt),
      where_(where) {}

NoResultError::NoResultError(const char* takenBy, std::source_location takenAt, std::source_location where)
    : RuntimeError(std::string("there is no result any more: ") + takenBy + " took it" + at(" at ", takenAt) +
                   at("; it was wanted at ", where)),
      takenBy_(takenBy),
      takenAt_(takenAt),
      where_(where) {}

AbandonedError::AbandonedError() : RuntimeError("whoever was to fire this Deferred went away") {}

EmptyDeferredError::EmptyDeferredError(const char* operation, std::source_location where)
    : std::logic_error(std::string(operation) + "() on an empty Deferred" + at(", at ", where)),
      where_(where) {}

namespace defer {

AlreadyCalledError::AlreadyCalledError(std::source_location firstFired, std::source_location now,
                                       std::source_location madeAt)
    : Exception("the Deferred was already called" + at(" at ", firstFired) + at(", and again at ", now) +
                at("; it was made at ", madeAt)),
      firstFired_(firstFired),
      now_(now),
      madeAt_(madeAt) {}

namespace {

std::string timeoutText(double seconds, std::string_view subject) {
    char digits[32];
    auto [end, error] = std::to_chars(digits, digits + sizeof digits, seconds);
    return "(" + std::string(digits, end) + ", '" + std::string(subject) + "')";
}

} // namespace

TimeoutError::TimeoutError(double seconds, std::string_view subject)
    : Exception(timeoutText(seconds, subject)), seconds_(seconds), subject_(std::string(subject)) {}

static_assert(std::is_nothrow_copy_constructible_v<Exception>);
static_assert(std::is_nothrow_copy_constructible_v<IOError>);
static_assert(std::is_nothrow_copy_constructible_v<WrongTypeError>);
static_assert(std::is_nothrow_copy_constructible_v<TimeoutError>);

} // namespace defer
} // namespace ropewalk
