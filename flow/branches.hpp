#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <ropewalk/flow/instruction.hpp>
#include <ropewalk/flow/source.hpp>
#include <ropewalk/flow/stage.hpp>
#include <ropewalk/flow/together.hpp>

/// What `Concurrent` and `Merge` have in common.
namespace ropewalk::flow::detail {

/// Several stages that take turns: those that pause sleep, each until its own pause is over.
class Branches {
public:
    struct Branch {
        StageBase* stage = nullptr;
        Branch* next = nullptr; // in the row of those that may go on
        std::uint32_t index = 0;
        std::uint32_t sleep = 0; // how often it has slept
        bool asleep = false;
        PointerTo<Instruction> pause; // what it sleeps, or has slept, for
    };

    explicit Branches(std::size_t count);
    Branches(const Branches&) = delete;
    Branches& operator=(const Branches&) = delete;
    ~Branches();

    /// At the beginning, for each.
    void add(StageBase& stage) noexcept;

    /// Whose turn it is; null if all sleep, or none are left.
    Branch* turn() noexcept {
        if (current_ == nullptr && first_ != nullptr) {
            current_ = first_;
            first_ = first_->next;
            if (first_ != nullptr) {
                __builtin_prefetch(first_->stage);
            }
        }
        return current_;
    }
    /// It has had its turn, and will have another; or none any more.
    void another() noexcept { append(*std::exchange(current_, nullptr)); }
    void drop() noexcept { current_ = nullptr; }
    /// It sleeps; true if it is the one whose turn it is.
    bool sleeps(const StageBase& stage, Instruction& pause, Run& run);

    bool anySleep() const noexcept { return sleeping_ != 0; }
    Instruction& pause() noexcept { return together_; }

private:
    class Group;
    class AllPause final : public Together {
    public:
        explicit AllPause(Branches& branches) noexcept : branches_(branches) {}
        void callLater(ReactorTime& clock, Wake wake) override;
        void cancel() override;

    private:
        Branches& branches_;
    };

    void append(Branch& branch) noexcept {
        branch.next = nullptr;
        if (first_ == nullptr) {
            first_ = &branch;
        } else {
            last_->next = &branch;
        }
        last_ = &branch;
    }

    std::unique_ptr<Branch[]> branches_;
    std::uint32_t count_ = 0;
    std::uint32_t sleeping_ = 0;
    Branch* current_ = nullptr;
    Branch* first_ = nullptr;
    Branch* last_ = nullptr;
    Group* group_ = nullptr; // what the sleeping ones' Wakes keep
    AllPause together_{*this};
};

template <class T, class... Ts>
inline constexpr bool isAmong = (std::same_as<T, Ts> || ...);

template <class Distinct, class... Ts>
struct DistinctTypes;
template <class... Distinct>
struct DistinctTypes<std::variant<Distinct...>> {
    using Type = std::variant<Distinct...>;
};
template <class... Distinct, class T, class... Ts>
struct DistinctTypes<std::variant<Distinct...>, T, Ts...>
    : DistinctTypes<std::conditional_t<std::same_as<T, NoItem> || isAmong<T, Distinct...>,
                                       std::variant<Distinct...>, std::variant<Distinct..., T>>,
                    Ts...> {};

template <class Variant>
struct OneOfType {
    using Type = Variant;
};
template <class T>
struct OneOfType<std::variant<T>> {
    using Type = T;
};
template <>
struct OneOfType<std::variant<>> {
    using Type = void;
};
/// The one type that all of them are, or a variant of the distinct ones; void where there are no results.
template <class... Ts>
using OneOf = typename OneOfType<typename DistinctTypes<std::variant<>, Ts...>::Type>::Type;

/// Sources of any types, so many as there are.
template <class... S>
struct Several {
    static constexpr std::size_t count = sizeof...(S);
    using Item = OneOf<ItemOf<S>...>;
    template <template <class> class Of>
    using Each = OneOf<Of<ItemOf<S>>...>;

    std::tuple<S...> sources;
};
/// Sources of one type, any number of them.
template <class S>
struct Many {
    using Item = OneOf<ItemOf<S>>;
    template <template <class> class Of>
    using Each = OneOf<Of<ItemOf<S>>>;

    std::vector<S> sources;
};

/// The stages of such sources, in their place.
template <class Sources>
class Places;

template <class... S>
class Places<Several<S...>> {
public:
    explicit Places(Several<S...> several) : holds_(std::move(several.sources)) {}

    std::size_t size() const noexcept { return sizeof...(S); }
    /// Calls f(stage) for each.
    template <class F>
    void each(F&& f) {
        std::apply([&](auto&... hold) { (f(hold.get()), ...); }, holds_);
    }
    bool owns(const StageBase& stage) const noexcept {
        return std::apply([&](const auto&... hold) { return (hold.owns(stage) || ...); }, holds_);
    }

private:
    std::tuple<Hold<S>...> holds_;
};

template <class S>
class Places<Many<S>> {
public:
    explicit Places(Many<S> many)
        : count_(many.sources.size()), holds_(std::allocator<Hold<S>>().allocate(count_)) {
        std::size_t made = 0;
        try {
            for (; made < count_; ++made) {
                std::construct_at(holds_ + made, std::move(many.sources[made]));
            }
        } catch (...) {
            dismantle(made);
            throw;
        }
    }
    Places(const Places&) = delete;
    Places& operator=(const Places&) = delete;
    ~Places() { dismantle(count_); }

    std::size_t size() const noexcept { return count_; }
    template <class F>
    void each(F&& f) {
        for (std::size_t i = 0; i < count_; ++i) {
            f(holds_[i].get());
        }
    }
    bool owns(const StageBase& stage) const noexcept {
        const auto* at = reinterpret_cast<const char*>(&stage);
        const auto* begin = reinterpret_cast<const char*>(holds_);
        return !std::less<>{}(at, begin) && std::less<>{}(at, begin + count_ * sizeof(Hold<S>));
    }

private:
    void dismantle(std::size_t made) noexcept {
        while (made > 0) {
            std::destroy_at(holds_ + --made);
        }
        std::allocator<Hold<S>>().deallocate(holds_, count_);
    }

    std::size_t count_;
    Hold<S>* holds_;
};

template <class X>
auto manyOf(std::vector<X> list) { // NOLINT(performance-unnecessary-value-param): it is moved from, mostly
    using S = SourceOf<X>;
    Many<S> many;
    many.sources.reserve(list.size());
    for (X& x : list) {
        many.sources.push_back(source(std::move(x)));
    }
    return many;
}

} // namespace ropewalk::flow::detail
