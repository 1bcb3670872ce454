#pragma once

#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <ropewalk/flow/branches.hpp>

namespace ropewalk::flow {

namespace detail {

template <class Item>
using StagePointer = std::conditional_t<std::same_as<Item, NoItem>, NoItem, Stage<Item>*>;

template <class Sources>
class ConcurrentStage;
template <class Sources>
class MergeStage;

/// A stage over several, of which another has its turn when one pauses.
template <class Sources, class Out>
class BranchedStage : public Stage<Out> {
public:
    explicit BranchedStage(Sources sources) : places_(std::move(sources)), branches_(places_.size()) {
        places_.each([this](StageBase& stage) { branches_.add(stage); });
    }

    Progress step(Run& run) final {
        while (!this->isReady()) {
            Branches::Branch* branch = branches_.turn();
            if (branch == nullptr) {
                if (branches_.anySleep()) {
                    return {nullptr, &branches_.pause()};
                }
                this->stop = true;
                return {};
            }
            StageBase& stage = *branch->stage;
            const Progress progress = this->ask(stage, run);
            if (progress.needed != nullptr) {
                return progress;
            }
            if (progress.pause != nullptr) {
                branches_.sleeps(stage, *progress.pause, run);
                continue;
            }
            collect(branch->index, stage);
            if (isOver(stage)) {
                branches_.drop();
            } else {
                branches_.another();
            }
        }
        return {};
    }
    bool takes(StageBase& source, Instruction& pause, Run& run) final {
        return branches_.sleeps(source, pause, run);
    }
    GeneratorNode* ownerOf(const StageBase& source) noexcept final {
        return places_.owns(source) ? this->owner() : nullptr;
    }

protected:
    /// A source is ready: there are results, or it has ended, or failed.
    virtual void collect(std::uint32_t index, StageBase& stage) = 0;
    /// After that: whether it can have no turn any more.
    virtual bool isOver(const StageBase& stage) const noexcept = 0;
    void failedWith(StageBase& stage) {
        stage.stop = true;
        this->failure = stage.failure;
    }

private:
    Places<Sources> places_;
    Branches branches_;
};

/// What a stage of one of these types does, by the index of its source.
template <class Out, class Operation, class Sources>
struct ByIndex;
template <class Out, class Operation, class... S>
struct ByIndex<Out, Operation, Several<S...>> {
    static void call(std::uint32_t index, StageBase& stage, Results<Out>& results) {
        using Call = void (*)(StageBase&, Results<Out>&);
        static constexpr Call calls[] = {[](StageBase& of, Results<Out>& into) {
            Operation::call(static_cast<Stage<ResultOf<S>>&>(of), into);
        }...};
        calls[index](stage, results);
    }
};
template <class Out, class Operation, class S>
struct ByIndex<Out, Operation, Many<S>> {
    static void call(std::uint32_t, StageBase& stage, Results<Out>& results) {
        Operation::call(static_cast<Stage<ResultOf<S>>&>(stage), results);
    }
};

struct TakeResults {
    template <class T, class Out>
    static void call(Stage<T>& stage, Results<Out>& results) {
        if constexpr (std::same_as<typename Stage<T>::Item, Out>) {
            results.append(stage.results);
        } else if constexpr (!std::is_void_v<T>) {
            for (auto& item : stage.results) {
                results.emplace(std::move(item));
            }
            stage.results.clear();
        }
    }
};
struct PointTo {
    template <class T, class Out>
    static void call(Stage<T>& stage, Results<Out>& results) {
        if constexpr (!std::is_void_v<T>) {
            if (!stage.results.empty()) {
                results.emplace(&stage);
            }
        }
    }
};

template <class Sources>
class MergeStage final : public BranchedStage<Sources, typename Sources::Item> {
    using Base = BranchedStage<Sources, typename Sources::Item>;

public:
    template <class Recipe>
    explicit MergeStage(Recipe merge) : Base(std::move(merge.sources)) {}

private:
    void collect(std::uint32_t index, StageBase& stage) override {
        ByIndex<typename Base::Item, TakeResults, Sources>::call(index, stage, this->results);
        if (!stage.stop && stage.failure) {
            this->failedWith(stage);
        }
    }
    bool isOver(const StageBase& stage) const noexcept override { return stage.stop; }
};

template <class Sources>
using ConcurrentItem = typename Sources::template Each<StagePointer>;

template <class Sources>
class ConcurrentStage final : public BranchedStage<Sources, ConcurrentItem<Sources>> {
    using Base = BranchedStage<Sources, ConcurrentItem<Sources>>;

public:
    template <class Recipe>
    explicit ConcurrentStage(Recipe concurrent) : Base(std::move(concurrent.sources)) {}

private:
    void collect(std::uint32_t index, StageBase& stage) override {
        ByIndex<typename Base::Item, PointTo, Sources>::call(index, stage, this->results);
        if (this->results.empty() && !stage.stop && stage.failure) {
            this->failedWith(stage);
        }
    }
    bool isOver(const StageBase& stage) const noexcept override {
        return this->results.empty() && stage.stop;
    }
};

template <class X>
concept SourceElement = Recipe<X> || PointsToStage<X> || defer::detail::IsDeferred<X>;

} // namespace detail

/// The results of several sources in one stream, in turns; a source that pauses lets the others go on, and has its turns
/// again when its own pause is over: `flow.Merge`. It fails with what a source fails with, which then is out. Results of
/// different types come as a variant of these.
///
///     flow::Merge(Right(), Left)            flow::Merge(std::move(aVectorOfGenerators))
///
/// A vector is one of generators, recipes, Deferreds or pointers to stages. A recipe, for `wrap`, a controller, or another one.
template <class Sources>
class Merge {
public:
    using Held = detail::MergeStage<Sources>;

    template <class... X>
        requires detail::notItself<Merge, X...> &&
                 std::same_as<Sources, detail::Several<detail::SourceOf<X>...>>
    explicit Merge(X&&... x) : sources{{detail::source(std::forward<X>(x))...}} {}
    template <detail::SourceElement S>
    explicit Merge(std::vector<S> list) : sources(detail::manyOf(std::move(list))) {}

    Sources sources;
};
template <class... X>
Merge(X&&...) -> Merge<detail::Several<detail::SourceOf<X>...>>;
template <detail::SourceElement S>
Merge(std::vector<S>) -> Merge<detail::Many<detail::SourceOf<S>>>;

/// Several stages at once, of which it gives each, as a pointer, when it has results: `flow.Concurrent`. Whoever gets one
/// takes a result from it with `next`; it comes again as long as it has any. All else is as with `Merge`.
template <class Sources>
class Concurrent {
public:
    using Held = detail::ConcurrentStage<Sources>;

    template <class... X>
        requires detail::notItself<Concurrent, X...> &&
                 std::same_as<Sources, detail::Several<detail::SourceOf<X>...>>
    explicit Concurrent(X&&... x) : sources{{detail::source(std::forward<X>(x))...}} {}
    template <detail::SourceElement S>
    explicit Concurrent(std::vector<S> list) : sources(detail::manyOf(std::move(list))) {}

    Sources sources;
};
template <class... X>
Concurrent(X&&...) -> Concurrent<detail::Several<detail::SourceOf<X>...>>;
template <detail::SourceElement S>
Concurrent(std::vector<S>) -> Concurrent<detail::Many<detail::SourceOf<S>>>;

} // namespace ropewalk::flow
