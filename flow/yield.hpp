#pragma once

#include <concepts>
#include <memory>
#include <source_location>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/flow/deferred_instruction.hpp>
#include <ropewalk/flow/instruction.hpp>
#include <ropewalk/flow/stage.hpp>

namespace ropewalk::flow {

/// What an iterable of a flow gives that isn't a generator: a result, a stage that has to be ready first, or a reason to
/// pause. For lists, and for `next()`: `flow::wrap(std::vector<flow::Yield<int>>{1, 2, flow::Cooperate(), 3})`. A stage, or an
/// instruction that isn't a temporary, is only referred to.
template <class T>
class Yield {
    static_assert(!std::is_reference_v<T> && !std::is_void_v<T>, "what is yielded is a value");

    template <class U>
    static constexpr bool isResult =
        std::constructible_from<T, U> && !std::derived_from<std::remove_cvref_t<U>, StageBase> &&
        !std::derived_from<std::remove_cvref_t<U>, Instruction> &&
        (!defer::detail::IsDeferred<U> || defer::detail::IsDeferred<T>);

public:
    template <class U>
        requires(!std::derived_from<std::remove_cvref_t<U>, Yield>) && isResult<U&&>
    Yield(U&& result) : held_(std::in_place_index<0>, std::forward<U>(result)) {}
    Yield(StageBase& stage) noexcept : held_(std::in_place_index<1>, &stage) {}
    template <std::derived_from<StageBase> S>
        requires(!std::is_lvalue_reference_v<S>)
    Yield(S&&) = delete;
    Yield(Instruction& instruction) noexcept
        : held_(std::in_place_index<2>, std::shared_ptr<void>(), &instruction) {}
    template <std::derived_from<Instruction> I>
        requires(!std::is_lvalue_reference_v<I>)
    Yield(I&& instruction)
        : held_(std::in_place_index<2>, std::make_shared<I>(std::forward<I>(instruction))) {}
    template <class U>
        requires(!defer::detail::IsDeferred<T>)
    Yield(defer::Deferred<U> deferred, std::source_location where = std::source_location::current())
        : held_(std::in_place_index<2>,
                std::make_shared<detail::DeferredInstruction>(std::move(deferred), where)) {}

    /// One of the three isn't null.
    T* result() noexcept { return std::get_if<0>(&held_); }
    StageBase* stage() const noexcept {
        const auto* stage = std::get_if<1>(&held_);
        return stage == nullptr ? nullptr : *stage;
    }
    std::shared_ptr<Instruction> instruction() const noexcept {
        const auto* instruction = std::get_if<2>(&held_);
        return instruction == nullptr ? nullptr : *instruction;
    }
    /// The instruction to pause by: of a Cooperate, which lists may share, a copy.
    std::shared_ptr<Instruction> pause() const {
        std::shared_ptr<Instruction> pause = instruction();
        if (const auto* cooperate = dynamic_cast<const Cooperate*>(pause.get());
            cooperate != nullptr && typeid(*cooperate) == typeid(Cooperate)) {
            return std::make_shared<Cooperate>(*cooperate);
        }
        return pause;
    }

private:
    std::variant<T, StageBase*, std::shared_ptr<Instruction>> held_;
};

} // namespace ropewalk::flow
