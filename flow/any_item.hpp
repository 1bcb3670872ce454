#pragma once

#include <any>
#include <concepts>
#include <expected>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/failure.hpp>
#include <ropewalk/flow/any_source.hpp>
#include <ropewalk/flow/source.hpp>

/// What the two elders of 2003 have in common: their values are `std::any`s.
namespace ropewalk::flow2003 {

namespace detail {

template <class T, template <class...> class Template>
inline constexpr bool isA = false;
template <template <class...> class Template, class... Arguments>
inline constexpr bool isA<Template<Arguments...>, Template> = true;

template <class T>
concept Nothing = std::same_as<T, None> || std::same_as<T, std::nullopt_t> || std::same_as<T, std::monostate>;

/// Any value as the flows of 2003 pass it on: a text is a `std::string`, None is empty, and a Result is its value or its
/// Failure.
template <class T>
std::any toAny(T&& value) {
    using Value = std::decay_t<T>;
    if constexpr (std::same_as<Value, std::any>) {
        return std::forward<T>(value);
    } else if constexpr (std::convertible_to<T&&, std::string_view> && !std::same_as<Value, std::string>) {
        return std::string(std::string_view(std::forward<T>(value)));
    } else if constexpr (Nothing<Value>) {
        return {};
    } else if constexpr (isA<Value, std::optional>) {
        return value ? detail::toAny(*std::forward<T>(value)) : std::any();
    } else if constexpr (isA<Value, std::expected>) {
        return value ? detail::toAny(*std::forward<T>(value)) : std::any(std::forward<T>(value).error());
    } else {
        static_assert(std::copy_constructible<Value>, "ropewalk: values of these flows can be copied");
        return std::any(std::forward<T>(value));
    }
}

template <class S>
class AnyItemStage;

template <class S>
struct AnyItems {
    using Held = AnyItemStage<S>;
    S source;
};

/// The results of another stage, one at a time, as values of the elders. A failure is taken out of that stage, which can be
/// asked again.
template <class S>
class AnyItemStage final : public flow::Stage<std::any> {
public:
    explicit AnyItemStage(AnyItems<S> items) : source_(std::move(items.source)) {}

    flow::detail::Progress step(flow::detail::Run& run) override {
        if (this->isReady()) {
            return {};
        }
        auto& source = source_.get();
        const flow::detail::Progress progress = this->ask(source, run);
        if (!progress.isReady()) {
            return progress;
        }
        if (!source.results.empty()) {
            this->results.push(detail::toAny(source.results.popFront()));
        } else if (source.stop) {
            this->stop = true;
        } else {
            this->failure = std::exchange(source.failure, std::nullopt);
        }
        return {};
    }
    flow::detail::GeneratorNode* ownerOf(const flow::StageBase& source) noexcept override {
        return source_.owns(source) ? this->owner() : nullptr;
    }

private:
    flow::detail::Hold<S> source_;
};

/// Of anything that `flow::wrap` takes, and of a `ThreadedIterator`.
template <class X>
flow::Source<std::any> anySource(X&& x) {
    if constexpr (requires { inThread(std::forward<X>(x)); }) {
        return detail::anySource(inThread(std::forward<X>(x)));
    } else {
        using S = flow::detail::SourceOf<X>;
        return flow::Source<std::any>(AnyItems<S>{flow::detail::source(std::forward<X>(x))});
    }
}

/// A value as a T, for a function that takes one; `stage` names who wants it, and `madeAt` is where that was made.
template <class T>
T& valueOf(std::any& value, std::string_view stage, std::source_location madeAt,
           std::source_location where = {}) {
    if constexpr (std::same_as<T, std::any>) {
        return value;
    } else {
        T* found = std::any_cast<T>(&value);
        if (found == nullptr) {
            throw WrongTypeError(typeid(T), value.type(), madeAt, where, stage);
        }
        return *found;
    }
}

} // namespace detail
} // namespace ropewalk::flow2003
