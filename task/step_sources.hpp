#pragma once

#include <concepts>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>

#include <ropewalk/task/generator.hpp>

/// What `coiterate` and `cooperate` take, brought to one form: `next(take)` calls take(value), or take(), for the next step
/// and says whether there was one.
namespace ropewalk::task::detail {

template <class I>
inline constexpr bool isGenerator = false;
template <class Yield, class Send, class Return>
inline constexpr bool isGenerator<Generator<Yield, Send, Return>> = true;

template <class I>
concept HasNext = requires(I& iterator) { iterator.next(); };

template <class R>
concept MayBeNothing = requires(R& result) {
    result.has_value();
    *result;
} && !requires(R& result) { result.error(); };

template <class Yield, class Send, class Return_>
class GeneratorSource {
public:
    using Return = Return_;

    explicit GeneratorSource(Generator<Yield, Send, Return> generator) : generator_(std::move(generator)) {
        began_ = generator_.state().began();
    }

    template <class Take>
    bool next(Take&& take) {
        auto& state = generator_.state();
        if (!state.resume()) {
            return false;
        }
        take(static_cast<std::conditional_t<std::is_reference_v<Yield>, Yield, Yield&&>>(*state.yielded));
        return true;
    }
    void close() { generator_.close(); }
    /// Whether the handle at that address goes when this does.
    bool keeps(const void* handle) const noexcept { return generator_.state().keeps(handle); }
    std::source_location began(std::source_location) const noexcept { return began_; }
    /// Null when it ended without a result.
    auto* result() {
        auto& state = generator_.state();
        return state.returned ? &*state.returned : nullptr;
    }
    /// Whether others may ask the generator for it.
    bool isShared() const noexcept { return generator_.state().isShared(); }

private:
    Generator<Yield, Send, Return> generator_;
    std::source_location began_;
};

/// What the sources that are no generators have in common.
struct PlainSource {
    using Return = void;

    void close() const noexcept {}
    bool keeps(const void*) const noexcept { return false; }
    std::source_location began(std::source_location madeAt) const noexcept { return madeAt; }
};

/// Held by value, or by a `std::reference_wrapper`.
template <class I>
class NextSource : public PlainSource {
public:
    explicit NextSource(I iterator) : iterator_(std::move(iterator)) {}

    template <class Take>
    bool next(Take&& take) {
        std::unwrap_reference_t<I>& iterator = iterator_;
        using Returned = decltype(iterator.next());
        if constexpr (std::is_void_v<Returned>) {
            iterator.next();
            take();
        } else if constexpr (MayBeNothing<std::remove_reference_t<Returned>>) {
            auto&& returned = iterator.next();
            if (!returned.has_value()) {
                return false;
            }
            take(*std::forward<decltype(returned)>(returned));
        } else {
            take(iterator.next());
        }
        return true;
    }

private:
    I iterator_;
};

template <class R>
class RangeSource : public PlainSource {
public:
    explicit RangeSource(R range) : range_(std::move(range)) {}

    template <class Take>
    bool next(Take&& take) {
        std::unwrap_reference_t<R>& range = range_;
        if (!at_) {
            at_.emplace(std::ranges::begin(range));
        } else {
            ++*at_;
        }
        if (*at_ == std::ranges::end(range)) {
            return false;
        }
        take(**at_);
        return true;
    }
    bool keeps(const void* handle) const noexcept {
        if constexpr (requires { typename R::allocator_type; }) { // a container: the element is its own
            if constexpr (std::is_lvalue_reference_v<std::ranges::range_reference_t<R>>) {
                return at_ && handle == std::addressof(**at_);
            }
        }
        return false;
    }

private:
    R range_;
    std::optional<std::ranges::iterator_t<std::unwrap_reference_t<R>>> at_;
};

template <class F>
class CallSource : public PlainSource {
public:
    explicit CallSource(F function) : function_(std::move(function)) {}

    template <class Take>
    bool next(Take&& take) {
        if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
            std::invoke(function_);
            take();
        } else {
            take(std::invoke(function_));
        }
        return true;
    }

private:
    F function_;
};

template <class I>
auto sourceOf(I&& iterable) {
    using Kept = std::decay_t<I>;
    using Object = std::unwrap_reference_t<Kept>;
    if constexpr (isGenerator<std::remove_cvref_t<Object>>) {
        return GeneratorSource(static_cast<const Object&>(iterable));
    } else if constexpr (std::ranges::input_range<Object>) { // some ranges have a next() of another kind
        return RangeSource<Kept>(std::forward<I>(iterable));
    } else if constexpr (HasNext<Object>) {
        return NextSource<Kept>(std::forward<I>(iterable));
    } else {
        static_assert(
            std::invocable<Object&>,
            "ropewalk: these steps are neither a generator, nor something with next(), nor a range, nor "
            "something to call without arguments");
        if constexpr (std::invocable<Object&>) {
            static_assert(
                !isGenerator<std::remove_cvref_t<std::invoke_result_t<Object&>>>,
                "ropewalk: each step would make a new generator; call the function, and give what it returns");
            return CallSource<Kept>(std::forward<I>(iterable));
        }
    }
}

template <class I>
using SourceOf = decltype(detail::sourceOf(std::declval<I>()));

} // namespace ropewalk::task::detail
