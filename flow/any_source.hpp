#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include <ropewalk/flow/source.hpp>

namespace ropewalk::flow {

namespace detail {

template <class T>
class SourceStage;

/// Stages on the heap, however many hold one another, go one after another.
void buryStage(std::unique_ptr<StageBase> stage) noexcept;
[[noreturn]] void throwEmptySource();

} // namespace detail

/// Any source of results of type T, whatever it is made of: for flows that are put together while the program runs.
///
///     flow::Source<int> source = flow::Source<int>(Counter(4));
///     if (doubled) source = flow::Source<int>(flow::Map(twice, std::move(source)));
///
/// A recipe, for `wrap`, a controller, or another one. It can be moved.
template <class T>
class Source {
    template <class X>
    static constexpr bool fits = std::same_as<detail::ResultOf<detail::SourceOf<X>>, T>;

public:
    using Held = detail::SourceStage<T>;

    /// Of anything that `wrap` takes; a stage is referred to.
    template <class X>
        requires(!std::same_as<std::remove_cvref_t<X>, Source>)
    explicit Source(X&& x) {
        static_assert(fits<X>, "ropewalk: the results of this source are of another type");
        using Given = detail::SourceOf<X>;
        if constexpr (std::derived_from<std::remove_cvref_t<X>, StageBase>) {
            stage_ = &x;
        } else if constexpr (fits<X>) {
            auto owned =
                std::make_unique<typename detail::Hold<Given>::Stage>(detail::source(std::forward<X>(x)));
            stage_ = owned.get();
            owned_ = std::move(owned);
        }
    }
    Source(Source&& other) noexcept
        : stage_(std::exchange(other.stage_, nullptr)), owned_(std::move(other.owned_)) {}
    Source& operator=(Source&& other) noexcept {
        std::swap(stage_, other.stage_);
        std::swap(owned_, other.owned_);
        return *this;
    }
    ~Source() {
        if (owned_ != nullptr) {
            detail::buryStage(std::move(owned_));
        }
    }

    /// For the library. Throws `AssertionError` for one that was moved from.
    Stage<T>& stage() const {
        if (stage_ == nullptr) [[unlikely]] {
            detail::throwEmptySource();
        }
        return *stage_;
    }
    bool owns(const StageBase& stage) const noexcept { return owned_.get() == &stage; }

private:
    Stage<T>* stage_ = nullptr;
    std::unique_ptr<StageBase> owned_; // null: it is another's
};

namespace detail {

template <class T>
class SourceStage final : public Stage<T> {
public:
    explicit SourceStage(Source<T> source) : source_(std::move(source)) { source_.stage(); }

    Progress step(Run& run) override {
        if (this->isReady()) {
            return {};
        }
        Stage<T>& source = source_.stage();
        const Progress progress = this->ask(source, run);
        if (progress.isReady()) {
            this->results.append(source.results);
            this->stop = source.stop;
            if (!source.stop && this->results.empty()) {
                source.stop = true;
                this->failure = source.failure;
            }
        }
        return progress;
    }
    GeneratorNode* ownerOf(const StageBase& stage) noexcept override {
        return source_.owns(stage) ? this->owner() : nullptr;
    }

private:
    Source<T> source_;
};

} // namespace detail
} // namespace ropewalk::flow
