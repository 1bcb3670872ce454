#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include <ropewalk/flow/list_stage.hpp>
#include <ropewalk/flow/stage.hpp>
#include <ropewalk/flow/yield.hpp>
#include <ropewalk/task/step_sources.hpp>

namespace ropewalk::flow::detail {

template <class I>
struct IterableItem;
template <class I>
    requires std::ranges::input_range<I>
struct IterableItem<I> {
    using Type = std::ranges::range_value_t<I>;
};
template <class I>
    requires task::detail::HasNext<I> && (!std::ranges::input_range<I>)
struct IterableItem<I> {
    using Returned = std::remove_cvref_t<decltype(std::declval<I&>().next())>;
    static auto item() {
        if constexpr (task::detail::MayBeNothing<Returned>) {
            return std::type_identity<std::remove_cvref_t<decltype(*std::declval<Returned&>())>>();
        } else {
            return std::type_identity<Returned>();
        }
    }
    using Type = typename decltype(item())::type;
};

template <class T>
struct Yielded {
    using Result = T;
    static constexpr bool isYield = false;
};
template <class T>
struct Yielded<Yield<T>> {
    using Result = T;
    static constexpr bool isYield = true;
};

template <class Item, class Iterator>
class IterableStage;

template <class Item, class Iterator>
struct IterableSource {
    using Held = IterableStage<Item, Iterator>;
    Iterator iterator;
};

/// One result after another, of a range, or of something with next().
template <class Item, class Iterator>
class IterableStage : public Stage<typename Yielded<Item>::Result> {
public:
    explicit IterableStage(IterableSource<Item, Iterator> source) : iterator_(std::move(source.iterator)) {}

    Progress step(Run& run) final {
        while (!this->isReady()) {
            if (needed_ != nullptr) {
                const Progress progress = this->ask(*needed_, run);
                if (!progress.isReady()) {
                    return progress;
                }
                needed_ = nullptr;
            }
            if (pause_ != nullptr && pause_->isPending()) {
                return {nullptr, pause_.get()};
            }
            pause_ = nullptr;
            try {
                if (!iterator_.next(
                        [this](auto&& item) { this->take(std::forward<decltype(item)>(item)); })) {
                    this->stop = true;
                }
            } catch (const StopIteration&) {
                this->stop = true;
            } catch (...) {
                this->failed(escaped(iterator_.began(std::source_location()), {}));
            }
            if (pause_ != nullptr) {
                return {nullptr, pause_.get()};
            }
        }
        return {};
    }

private:
    template <class I>
    void take(I&& item) {
        if constexpr (Yielded<Item>::isYield) {
            Item yielded(std::forward<I>(item));
            if (auto* result = yielded.result()) {
                this->results.push(std::move(*result));
            } else {
                needed_ = yielded.stage();
                pause_ = yielded.pause();
            }
        } else {
            this->results.push(std::forward<I>(item));
        }
    }

    Iterator iterator_;
    StageBase* needed_ = nullptr;
    std::shared_ptr<Instruction> pause_;
};

template <class I>
auto iterableSource(I&& iterable) {
    using Kept = std::decay_t<I>;
    using Item = typename IterableItem<std::unwrap_reference_t<Kept>>::Type;
    if constexpr (std::same_as<Kept, std::vector<Item>> && !Yielded<Item>::isYield) {
        return ListSource<Item>{std::forward<I>(iterable)};
    } else {
        using Iterator = task::detail::SourceOf<I>;
        return IterableSource<Item, Iterator>{task::detail::sourceOf(std::forward<I>(iterable))};
    }
}

} // namespace ropewalk::flow::detail
