#pragma once

#include <any>
#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/flow/any_item.hpp>
#include <ropewalk/flow/any_source.hpp>
#include <ropewalk/flow/march_context.hpp>

/// The functions that a flow of March 2003 is made of, brought to one form: they take and return `std::any`s.
namespace ropewalk::flow2003::detail {

using march::Context;

/// Names a stage in errors: `addBranch`, and where it was added.
struct StageName {
    const char* name;
    std::source_location madeAt;
};

/// The types of a function's parameters.
template <class... A>
struct Types {};

template <class F>
struct Parameters;
template <class R, class... A>
struct Parameters<R (*)(A...)> {
    using Type = Types<A...>;
};
template <class R, class... A>
struct Parameters<R (*)(A...) noexcept> : Parameters<R (*)(A...)> {};
template <class R, class C, class... A>
struct Parameters<R (C::*)(A...)> : Parameters<R (*)(A...)> {};
template <class R, class C, class... A>
struct Parameters<R (C::*)(A...) const> : Parameters<R (*)(A...)> {};
template <class R, class C, class... A>
struct Parameters<R (C::*)(A...) noexcept> : Parameters<R (*)(A...)> {};
template <class R, class C, class... A>
struct Parameters<R (C::*)(A...) const noexcept> : Parameters<R (*)(A...)> {};
template <class F>
    requires requires { &F::operator(); }
struct Parameters<F> : Parameters<decltype(&F::operator())> {};

template <class F>
concept HasParameters = requires { typename Parameters<F>::Type; };

/// A value as the parameter wants it. It stays, so that the function can be called again with it.
template <class A>
decltype(auto) argument(std::any& value, const StageName& stage) {
    using Value = std::remove_cvref_t<A>;
    if constexpr (std::same_as<Value, std::string_view>) {
        return std::string_view(valueOf<std::string>(value, stage.name, stage.madeAt));
    } else if constexpr (std::is_lvalue_reference_v<A>) {
        return static_cast<A>(valueOf<Value>(value, stage.name, stage.madeAt));
    } else {
        return Value(valueOf<Value>(value, stage.name, stage.madeAt));
    }
}

/// Calls it with its context, if it wants that, and then with as many of the values as it takes.
template <class F>
class Callee {
    static_assert(HasParameters<F>,
                  "ropewalk: a function of these flows has to say the types of its parameters (no auto)");

public:
    Callee(F function, StageName stage) : function_(std::move(function)), stage_(stage) {}

    template <std::same_as<std::any>... Values>
    decltype(auto) operator()(Context& context, Values&... values) {
        std::array<std::any*, sizeof...(Values)> given{&values...};
        return call(typename Parameters<F>::Type(), context, given);
    }

    const StageName& stage() const noexcept { return stage_; }

private:
    template <std::size_t n>
    decltype(auto) call(Types<>, Context&, std::array<std::any*, n>&) {
        return function_();
    }
    template <class First, class... Others, std::size_t n>
    decltype(auto) call(Types<First, Others...>, Context& context, std::array<std::any*, n>& values) {
        if constexpr (std::same_as<std::remove_cvref_t<First>, Context>) {
            static_assert(sizeof...(Others) <= n, "ropewalk: the function takes more than the flow gives it");
            return [&]<std::size_t... i>(std::index_sequence<i...>) -> decltype(auto) {
                return function_(context, detail::argument<Others>(*values[i], stage_)...);
            }(std::index_sequence_for<Others...>());
        } else {
            static_assert(sizeof...(Others) < n, "ropewalk: the function takes more than the flow gives it");
            return [&]<std::size_t... i>(std::index_sequence<i...>) -> decltype(auto) {
                return function_(detail::argument<First>(*values[0], stage_),
                                 detail::argument<Others>(*values[i + 1], stage_)...);
            }(std::index_sequence_for<Others...>());
        }
    }

    F function_;
    StageName stage_;
};

/// Nothing is an empty value.
using OneToOne = std::move_only_function<std::any(Context&, std::any&)>;
using OneToMany = std::move_only_function<std::optional<flow::Source<std::any>>(Context&, std::any&)>;
using Start = std::move_only_function<std::any()>;

/// Somebody to be told, if there is one.
class Notice {
public:
    Notice() = default;
    template <class F>
    Notice(F function, StageName stage) {
        if constexpr (!std::same_as<F, std::nullptr_t>) {
            function_ = [callee = Callee<F>(std::move(function), stage)](Context& context) mutable {
                static_cast<void>(callee(context));
            };
        }
    }

    explicit operator bool() const noexcept { return static_cast<bool>(function_); }
    void operator()(Context& context) { function_(context); }

private:
    std::move_only_function<void(Context&)> function_;
};

/// What a merging function returned: a new aggregate, if there is one, and what goes on.
struct Merged {
    std::optional<std::any> aggregate;
    std::any passed;
};
using ManyToOne = std::move_only_function<Merged(Context&, std::any&, std::any&)>;

template <class F>
OneToOne oneToOne(F function, StageName stage) {
    return [callee = Callee<F>(std::move(function), stage)](Context& context,
                                                            std::any& value) mutable -> std::any {
        if constexpr (std::is_void_v<decltype(callee(context, value))>) {
            callee(context, value);
            return {};
        } else {
            return detail::toAny(callee(context, value));
        }
    };
}

/// Without what equals `stop`.
template <class F, class S>
OneToOne oneToOne(F function, S stop, StageName stage) {
    return [callee = Callee<F>(std::move(function), stage),
            stop = std::move(stop)](Context& context, std::any& value) mutable -> std::any {
        auto&& returned = callee(context, value);
        return returned == stop ? std::any() : detail::toAny(std::forward<decltype(returned)>(returned));
    };
}

template <class F>
OneToMany oneToMany(F function, StageName stage) {
    return [callee = Callee<F>(std::move(function), stage)](
               Context& context, std::any& value) mutable -> std::optional<flow::Source<std::any>> {
        using Returned = decltype(callee(context, value));
        if constexpr (std::is_void_v<Returned>) {
            callee(context, value);
            return std::nullopt;
        } else if constexpr (isA<std::remove_cvref_t<Returned>, std::optional>) {
            auto&& returned = callee(context, value);
            if (!returned) {
                return std::nullopt;
            }
            return detail::anySource(*std::forward<decltype(returned)>(returned));
        } else {
            return detail::anySource(callee(context, value));
        }
    };
}

template <class T>
inline constexpr bool isPair = isA<T, std::pair>;
template <class A, class B>
inline constexpr bool isPair<std::tuple<A, B>> = true;
template <class T>
inline constexpr bool mayBePair = isPair<T>;
template <class T>
inline constexpr bool mayBePair<std::optional<T>> = isPair<T>;

/// `splits`: it returns a pair, of the aggregate and of what goes on, or nothing.
template <class F>
ManyToOne manyToOne(F function, bool splits, StageName stage) {
    using Returned = decltype(std::declval<Callee<F>&>()(std::declval<Context&>(), std::declval<std::any&>(),
                                                         std::declval<std::any&>()));
    using Value = std::remove_cvref_t<Returned>;
    if constexpr (!mayBePair<Value>) {
        if (splits) {
            throw ValueError("addMerge: a function that neither reduces nor works in place returns a pair");
        }
    }
    return [callee = Callee<F>(std::move(function), stage), splits](Context& context, std::any& aggregate,
                                                                    std::any& value) mutable -> Merged {
        static_cast<void>(splits);
        if constexpr (std::is_void_v<Returned>) {
            callee(context, aggregate, value);
            return {};
        } else {
            Value returned = callee(context, aggregate, value);
            [[maybe_unused]] const auto split = [](auto& both) {
                return Merged{detail::toAny(std::move(std::get<0>(both))),
                              detail::toAny(std::move(std::get<1>(both)))};
            };
            if constexpr (isPair<Value>) {
                if (splits) {
                    return split(returned);
                }
            } else if constexpr (mayBePair<Value>) {
                if (splits) {
                    return returned ? split(*returned) : Merged();
                }
            }
            std::any all = detail::toAny(std::move(returned));
            return {all, all};
        }
    };
}

template <class S>
Start startWith(S start) {
    if constexpr (std::invocable<S&>) {
        return [start = std::move(start)]() mutable { return detail::toAny(start()); };
    } else {
        return [start = detail::toAny(std::move(start))] { return start; };
    }
}

} // namespace ropewalk::flow2003::detail
