#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <expected>
#include <iosfwd>
#include <source_location>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace ropewalk {

namespace defer {
class Trail;
}

/// Python's `None` where a value is wanted: what a callback on a `Deferred<void>` gets if it insists on an argument.
struct None {
    friend bool operator==(None, None) = default;
};

/// A captured exception and the way it took: twisted.python.failure.Failure.
/// One pointer; copies share the exception. The count is atomic, so a copy may be handed to another thread.
class Failure {
public:
    /// The exception being handled. Throws NoCurrentExceptionError when there is none.
    Failure(std::source_location where = std::source_location::current());

    Failure(std::exception_ptr error, std::source_location where = std::source_location::current());

    /// Captures a copy of an exception object without throwing it.
    template <class E>
        requires std::derived_from<std::remove_cvref_t<E>, std::exception>
    Failure(E&& error, std::source_location where = std::source_location::current())
        : Failure(std::make_exception_ptr(std::forward<E>(error)), where) {}

    /// Any object may be the error, as `throw` allows.
    template <class E>
    static Failure of(E&& error, std::source_location where = std::source_location::current()) {
        return {std::make_exception_ptr(std::forward<E>(error)), where};
    }

    Failure(const Failure& other) noexcept;
    Failure(Failure&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
    Failure& operator=(Failure other) noexcept {
        std::swap(record_, other.record_);
        return *this;
    }
    ~Failure() {
        if (record_ != nullptr) {
            release();
        }
    }

    /// The error as an X (or what derives from it), or null. Nothing is rethrown. The pointer lives as long as any
    /// Failure with this exception.
    template <class X>
    const X* check() const noexcept {
        static_assert(!std::is_pointer_v<X> && !std::is_reference_v<X>, "name the class itself");
        return static_cast<const X*>(match(typeid(X)));
    }

    /// The index of the first of these classes that the error is, or -1.
    template <class X, class Y, class... Others>
    int check() const noexcept {
        int index = 0;
        const auto is = [&](const std::type_info& wanted) {
            return match(wanted) != nullptr || (++index, false);
        };
        return is(typeid(X)) || is(typeid(Y)) || (is(typeid(Others)) || ...) ? index : -1;
    }

    /// The error as an X, else throws the original exception.
    template <class X>
    const X& trap() const {
        const X* error = check<X>();
        if (error == nullptr) {
            raiseException();
        }
        return *error;
    }

    /// The index of the first class that the error is, else throws the original exception.
    template <class X, class Y, class... Others>
    int trap() const {
        const int index = check<X, Y, Others...>();
        if (index < 0) {
            raiseException();
        }
        return index;
    }

    /// Throws the original exception.
    [[noreturn]] void raiseException() const;

    /// The exception itself (Twisted's `value`) and its class (`type`).
    const std::exception_ptr& value() const noexcept;
    const std::type_info& type() const noexcept;

    const defer::Trail& trail() const noexcept;

    std::string getErrorMessage() const;
    /// A heading, a line for each step of the trail, and the class with its message.
    std::string getTraceback() const;
    /// The class with its message, and the steps in short form.
    std::string getBriefTraceback() const;
    void printTraceback(std::ostream& out) const;

    /// `[Failure instance: Traceback: <class 'X'>: message …]`, which `operator<<` prints too.
    std::string str() const;
    /// `<ropewalk::Failure X: message>`
    std::string repr() const;

    /// Same exception object.
    friend bool operator==(const Failure& a, const Failure& b) noexcept { return a.value() == b.value(); }

    /// For the library: an empty place for a Failure, and one more step on the way of this one.
    explicit Failure(std::nullptr_t) noexcept : record_(nullptr) {}
    bool empty() const noexcept { return record_ == nullptr; }
    void passed(std::source_location where);
    /// The same for a fire, unless the way ends on that line already: most errors are made where they are given away.
    void fired(std::source_location where);

private:
    struct Record;

    const void* match(const std::type_info& wanted) const noexcept;
    void release() noexcept;
    Record* record() const noexcept { return static_cast<Record*>(record_); }

    // A Record. GCC 12, optimising a moved-from Result, takes two pointers of different types that share a place in the
    // union for one; a void pointer it does not. docs/compilers.md
    void* record_;
};

std::ostream& operator<<(std::ostream& out, const Failure& failure);

/// What came out: a T, or a Failure.
template <class T>
using Result = std::expected<T, Failure>;

} // namespace ropewalk
