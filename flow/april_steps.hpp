#pragma once

#include <any>
#include <concepts>
#include <source_location>
#include <type_traits>
#include <utility>

#include <ropewalk/flow/any_item.hpp>
#include <ropewalk/flow/april_generator.hpp>
#include <ropewalk/flow/generator.hpp>

namespace ropewalk::flow2003::april {

/// A part of a flow, written as a function: what a Python generator was for this module. It yields values of whatever type, a
/// `Generator` before it looks at its value, and `Cooperate`.
///
///     april::Steps producer() {
///         april::Generator lst({1, 2, 3});
///         april::Generator nam({"one", "two", "three"});
///         for (;;) {
///             co_yield lst;
///             co_yield nam;
///             if (lst.stop || nam.stop) co_return;
///             co_yield std::make_tuple(lst.result, nam.result);
///         }
///     }
///
/// A `StopIteration` that it throws ends it quietly. A handle, which can be moved. It belongs to one thread.
class [[nodiscard]] Steps : public flow::Generator<std::any> {
public:
    class promise_type;

private:
    explicit Steps(flow::Generator<std::any> generator) noexcept
        : flow::Generator<std::any>(std::move(generator)) {}
};

class Steps::promise_type : public flow::Generator<std::any>::promise_type {
    using Base = flow::Generator<std::any>::promise_type;
    using Where = std::source_location;

public:
    explicit promise_type(Where began = Where::current()) noexcept : Base(began) {}

    Steps get_return_object() {
        // The engine finds the frame by the place and alignment of its own promise.
        static_assert(sizeof(promise_type) == sizeof(Base) && alignof(promise_type) == alignof(Base));
        return Steps(Base::get_return_object());
    }

    using Base::yield_value;
    template <class U>
        requires(!flow::detail::isFlowThing<U>)
    auto yield_value(U&& value) {
        return Base::yield_value(detail::toAny(std::forward<U>(value)));
    }
    auto yield_value(april::Generator& generator, Where where = Where::current()) {
        generator.ask();
        return Base::yield_value(generator, where);
    }
};

} // namespace ropewalk::flow2003::april
