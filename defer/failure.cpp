#include <ropewalk/defer/failure.hpp>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <ostream>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/names.hpp>
#include <ropewalk/defer/trail.hpp>

namespace ropewalk {

struct Failure::Record {
    std::atomic<std::uint32_t> references{1};
    std::exception_ptr error;
    defer::Trail trail;
};

namespace {

std::exception_ptr currentException() {
    std::exception_ptr error = std::current_exception();
    if (error == nullptr) {
        throw NoCurrentExceptionError("Failure(): no exception is being handled");
    }
    return error;
}

// An exception_ptr of libstdc++ is the address of the exception object.
void* objectOf(const std::exception_ptr& error) noexcept {
    static_assert(sizeof error == sizeof(void*));
    void* object = nullptr;
    std::memcpy(&object, &error, sizeof object);
    return object;
}

const void* matchObject(const std::exception_ptr& error, const std::type_info& wanted) noexcept {
    void* object = objectOf(error);
    const std::type_info* thrown = error.__cxa_exception_type();
    return wanted.__do_catch(thrown, &object, 1) ? object : nullptr;
}

} // namespace

Failure::Failure(std::source_location where) : Failure(currentException(), where) {}

Failure::Failure(std::exception_ptr error, std::source_location where) : record_(nullptr) {
    if (error == nullptr) {
        throw NoCurrentExceptionError("Failure(nullptr): there is no exception to capture");
    }
    record_ = new Record;
    record()->error = std::move(error);
    passed(where);
}

Failure::Failure(const Failure& other) noexcept : record_(other.record_) {
    if (record_ != nullptr) {
        record()->references.fetch_add(1, std::memory_order_relaxed);
    }
}

void Failure::release() noexcept {
    if (record()->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        delete record();
    }
    record_ = nullptr;
}

void Failure::passed(std::source_location where) {
    if (record()->references.load(std::memory_order_acquire) != 1) {
        auto* own = new Record;
        own->error = record()->error;
        own->trail = record()->trail;
        release();
        record_ = own;
    }
    record()->trail.add(where);
}

void Failure::fired(std::source_location where) {
    const defer::Trail& way = record()->trail;
    const std::source_location last = way.size() != 0 ? way[way.size() - 1] : std::source_location();
    if (last.line() != where.line() || std::strcmp(last.file_name(), where.file_name()) != 0) {
        passed(where);
    }
}

const void* Failure::match(const std::type_info& wanted) const noexcept {
    return matchObject(record()->error, wanted);
}

void Failure::raiseException() const {
    std::rethrow_exception(record()->error);
}

const std::exception_ptr& Failure::value() const noexcept {
    return record()->error;
}

const std::type_info& Failure::type() const noexcept {
    return *record()->error.__cxa_exception_type();
}

const defer::Trail& Failure::trail() const noexcept {
    return record()->trail;
}

std::string Failure::getErrorMessage() const {
    if (const auto* error = check<std::exception>()) {
        return error->what();
    }
    if (const auto* text = check<std::string>()) {
        return *text;
    }
    if (const void* literal = match(typeid(const char*))) {
        const auto* const text = *static_cast<const char* const*>(literal);
        return text != nullptr ? text : "";
    }
    if (const auto* number = check<int>()) {
        return std::to_string(*number);
    }
    return {};
}

std::string Failure::getTraceback() const {
    std::string text = "Traceback (most recent call last):\n";
    const defer::Trail& steps = trail();
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (i == defer::Trail::kept && steps.omitted() != 0) {
            text += "  ... " + std::to_string(steps.omitted()) + " more ...\n";
        }
        const std::source_location step = steps[i];
        text += "  File \"";
        text += step.file_name();
        text += "\", line " + std::to_string(step.line()) + ", in " + functionName(step) + '\n';
    }
    return text + typeName(type()) + ": " + getErrorMessage() + '\n';
}

std::string Failure::getBriefTraceback() const {
    return "Traceback: <class '" + typeName(type()) + "'>: " + getErrorMessage() + '\n' + trail().str();
}

void Failure::printTraceback(std::ostream& out) const {
    out << getTraceback();
}

std::string Failure::str() const {
    return "[Failure instance: " + getBriefTraceback() + ']';
}

std::string Failure::repr() const {
    return "<ropewalk::Failure " + typeName(type()) + ": " + getErrorMessage() + '>';
}

std::ostream& operator<<(std::ostream& out, const Failure& failure) {
    return out << failure.str();
}

} // namespace ropewalk
