#pragma once

#include <any>
#include <concepts>
#include <initializer_list>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include <ropewalk/flow/any_item.hpp>
#include <ropewalk/flow/any_source.hpp>
#include <ropewalk/flow/instruction.hpp>
#include <ropewalk/flow/iterable_stage.hpp>
#include <ropewalk/flow/stage.hpp>
#include <ropewalk/flow/yield.hpp>

/// The flow module as it was rewritten in April 2003 (`sandbox/flow.py`), on today's engine. Its values are `std::any`s; a text
/// is a `std::string`.
namespace ropewalk::flow2003::april {

/// Pauses the flow for a time. It is yielded, or thrown by an iterator's `next()`, which then is called again.
using flow::Cooperate;

/// An iterable in a flow: `flow.Generator`. Yielded by a `Steps` or an iterator, it takes its next value, and forgets the one
/// before, whether that was looked at or not.
///
///     april::Generator lst({1, 2, 3});
///     co_yield lst;
///     if (lst.stop) co_return;
///     co_yield lst.getResult<int>() + 1;
///
/// An error that the iterable throws is its last value, as a `Failure`, and `stop` is set. One that nobody asks about by
/// `isFailure` or `getResult` is logged. It has a place of its own, and stays there.
class Generator final : public flow::StageBase {
    using Where = std::source_location;

public:
    /// Of anything that `flow::wrap` takes: a `Steps`, a list or other range, something with `next()`, a string (one value),
    /// a function that gives one of these, …
    template <class X>
        requires(!std::same_as<std::remove_cvref_t<X>, Generator> &&
                 !std::same_as<std::remove_cvref_t<X>, flow::Source<std::any>>)
    explicit Generator(X&& iterable, Where where = Where::current())
        : Generator(detail::anySource(std::forward<X>(iterable)), where) {}
    template <class T>
    explicit Generator(std::initializer_list<T> items, Where where = Where::current())
        : Generator(std::vector<T>(items), where) {}
    explicit Generator(flow::Source<std::any> source, Where where = Where::current());
    ~Generator() override;

    // `stop`, of every stage, is true at the end, and before the first value.

    /// The value; a `Failure` if there was an error; empty at the end.
    std::any result;

    /// Whether the value is a Failure. Throws `StopIteration` when there is no value.
    bool isFailure() const;
    /// The value. Throws the error of a Failure, and `StopIteration` when there is no value.
    const std::any& getResult(Where where = Where::current()) const;
    /// The same as a T. Throws `WrongTypeError`, too, which names this one by its place.
    template <class T>
    T getResult(Where where = Where::current()) {
        getResult(where);
        return detail::valueOf<T>(result, "Generator", madeAt_, where);
    }

    // For the library.

    /// It is yielded: its next value is wanted.
    void ask() noexcept;
    flow::detail::Progress step(flow::detail::Run& run) override;
    flow::detail::GeneratorNode* ownerOf(const flow::StageBase& source) noexcept override;

private:
    void reportUnseen() noexcept;

    flow::Source<std::any> source_;
    Where madeAt_;
    Cooperate pause_;
    bool asked_ = true;
    mutable bool unseen_ = false; // an error that nobody asked about
};

/// What the `next()` of a hand-written iterator returns: a value, a `Generator`, or a `Cooperate`.
class Yield : public flow::Yield<std::any> {
    using Base = flow::Yield<std::any>;

public:
    template <class X>
        requires(!std::same_as<std::remove_cvref_t<X>, Yield> &&
                 !std::derived_from<std::remove_cvref_t<X>, flow::StageBase> &&
                 !std::derived_from<std::remove_cvref_t<X>, flow::Instruction>)
    Yield(X&& value) : Base(detail::toAny(std::forward<X>(value))) {}
    Yield(const Cooperate& pause) : Base(Cooperate(pause)) {}
    Yield(Generator& generator) noexcept : Base(static_cast<flow::StageBase&>(generator)) { generator.ask(); }
};

} // namespace ropewalk::flow2003::april

namespace ropewalk::flow::detail {

template <>
struct Yielded<flow2003::april::Yield> {
    using Result = std::any;
    static constexpr bool isYield = true;
};

} // namespace ropewalk::flow::detail
