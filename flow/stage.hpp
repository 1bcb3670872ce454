#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/flow/errors.hpp>
#include <ropewalk/flow/followed.hpp>
#include <ropewalk/flow/results.hpp>

namespace ropewalk::flow {

class Instruction;
class StageBase;
class Wake;

namespace detail {

class GeneratorNode;

/// The values that a stage without values makes.
struct NoItem {
    NoItem() = delete;
};
template <class T>
using ItemFor = std::conditional_t<std::is_void_v<T>, NoItem, T>;

/// What a step came to: the stage is ready; or the flow pauses; or another stage has to be ready first.
struct Progress {
    StageBase* needed = nullptr;
    Instruction* pause = nullptr;

    bool isReady() const noexcept { return needed == nullptr && pause == nullptr; }
};

/// A place for a result, once it is set.
template <class T>
class Slot {
public:
    void set(T&& value) { value_.emplace(std::move(value)); }
    T& operator*() noexcept { return *value_; }

private:
    std::optional<T> value_;
};
template <class T>
    requires std::is_trivially_copyable_v<T> && std::is_trivially_default_constructible_v<T>
class Slot<T> {
public:
    void set(T value) noexcept { value_ = value; }
    T& operator*() noexcept { return value_; }

private:
    T value_;
};

/// What steps through a flow, as its stages see it.
class Run : public Followed {
public:
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    /// Waits for what pauses one of several sources, while the others go on.
    virtual void arm(Instruction& pause, Wake wake) = 0;

    /// Stages ask their sources directly while that needs but little of the stack; the flow's own loop goes on from there.
    bool isDeep() const noexcept {
        return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) < deepest_;
    }

protected:
    Run() = default;
    ~Run() = default;

    static constexpr std::uintptr_t stackForStages = 49152; // bytes
    std::uintptr_t deepest_ = 0;
};

/// For a generator that was closed, and yields in answer: it gets no stage ready.
Run& closedRun() noexcept;

/// Raises what a stage failed with, and remembers it: if that very error escapes the generator it is raised in, the failure
/// goes on with its trail, and `where`; if that is unknown, where the generator waited last.
[[noreturn]] void raise(const Failure& failure, std::source_location where);
Failure escaped(std::source_location began, std::source_location waitingAt);
/// What a flow raised and dealt with is not kept when it pauses or ends.
void forgetRaised() noexcept;

[[noreturn]] void throwNotReady();

/// How often a stage of this thread was asked by another than before: the way back through stages that several flows share
/// may not be the one that was taken.
std::uint32_t crossings() noexcept;
void comesTo(StageBase& source, StageBase* asker) noexcept;

} // namespace detail

/// A part of a flow, which makes results for the stage or controller behind it: `twisted.flow.base.Stage`. It is yielded,
/// and then has results, or has ended, or failed: three questions, to be asked in this order.
class StageBase {
public:
    StageBase() = default;
    StageBase(const StageBase&) = delete;
    StageBase& operator=(const StageBase&) = delete;
    virtual ~StageBase() = default;

    /// It has ended. There may be results yet.
    bool stop = false;
    /// What it failed with. There may be results yet. Whoever deals with it sets `stop`, or takes it out; then the stage may
    /// be yielded again.
    std::optional<Failure> failure;

    // For stages and controllers.

    /// Takes it to its next results, its end or its failure, unless it has one of them.
    virtual detail::Progress step(detail::Run& run) = 0;
    /// A source of this one pauses. True if this one goes on meanwhile: then it sees to it that it is woken.
    virtual bool takes(StageBase& source, Instruction& pause, detail::Run& run);
    /// The generator whose frame holds that source of this stage; null if it doesn't go with one.
    virtual detail::GeneratorNode* ownerOf(const StageBase& source) noexcept;

    /// A step of a source of this stage.
    template <class S>
    [[gnu::always_inline]] detail::Progress ask(S& source, detail::Run& run) {
        if (source.direct != this) [[unlikely]] {
            return askCarefully(source, run);
        }
        if constexpr (requires { source.directStep(run); }) {
            return source.directStep(run);
        } else {
            return source.step(run);
        }
    }

    /// Who has asked for it last: where the flow's loop goes back to. Others may have gone meanwhile, so it is looked at only
    /// while that one steps, or waits for this.
    StageBase* asker = nullptr;
    /// The same, where it needn't look how deep the stack is: it was the first to ask, and nobody else has.
    const StageBase* direct = nullptr;
    /// Whether anybody has asked.
    bool known = false;

protected:
    /// The generator whose frame holds this stage, if any: only while it steps.
    detail::GeneratorNode* owner() const noexcept {
        const StageBase* at = asker;
        for (int i = 0; at != nullptr && i < 100; ++i, at = at->asker) {
            if (detail::GeneratorNode* node = const_cast<StageBase*>(at)->ownerOf(*this)) {
                return node;
            }
        }
        return nullptr;
    }
    detail::Progress askCarefully(StageBase& source, detail::Run& run);
    void failed(Failure theFailure) { failure.emplace(std::move(theFailure)); }
};

template <class T>
class Stage;

/// What `Stage::result` gives.
template <class T>
struct StageResult {
    Stage<T>& stage;
};

/// A stage whose results are of that type. It is made in place, and neither copied nor moved.
template <class T>
class Stage : public StageBase {
public:
    static_assert(std::is_void_v<T> || (std::is_object_v<T> && !std::is_const_v<T>),
                  "ropewalk: results of a stage are values, neither references nor const");
    using Item = detail::ItemFor<T>;

    /// What it has made so far and nobody has taken. Whoever looks at it takes out what it has dealt with.
    Results<Item> results;

    /// The next result. Throws `StopIteration` at the end, what the stage failed with, and `NotReadyError` when it hasn't
    /// been yielded for it.
    Item next(std::source_location where = std::source_location::current()) {
        if (!results.empty()) [[likely]] {
            return results.popFront();
        }
        throwState(where);
    }

    /// For `for (T result : stage) { …; co_yield stage; }`, after a `co_yield stage`. A result may be moved from.
    class Iterator;
    Iterator begin() { return Iterator(*this); }
    std::default_sentinel_t end() const noexcept { return {}; }

    /// For `for (std::vector<T> some : stage.chunked()) { …; co_yield stage; }`: all results that are there at once, as with
    /// `stage.chunked = True` in Twisted.
    class Chunks;
    Chunks chunked() { return Chunks(*this); }
    /// The next results, at least one; throws as `next`.
    std::vector<Item> nextChunk(std::source_location where = std::source_location::current()) {
        if (results.empty()) {
            throwState(where);
        }
        return results.takeAll();
    }

    /// For `co_await stage.result()` in a generator of a flow: a result, or what it failed with, as a Result.
    StageResult<T> result() noexcept { return {*this}; }

    bool isReady() const noexcept { return !results.empty() || stop || failure; }

private:
    [[noreturn]] void throwState(std::source_location where) {
        if (stop) {
            throw StopIteration();
        }
        if (failure) {
            stop = true;
            detail::raise(*failure, where);
        }
        detail::throwNotReady();
    }
};

template <class T>
class Stage<T>::Iterator {
public:
    using value_type = Item;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    Item& operator*() const noexcept { return *result_; }
    Iterator& operator++() {
        advance();
        return *this;
    }
    void operator++(int) { advance(); }

    friend bool operator==(const Iterator& at, std::default_sentinel_t) noexcept {
        return at.stage_ == nullptr;
    }

private:
    friend Stage;
    explicit Iterator(Stage& stage) : stage_(&stage) { advance(); }

    [[gnu::always_inline]] void advance() {
        if (stage_->results.popTo(result_)) [[likely]] {
            return;
        }
        if (stage_->stop) {
            stage_ = nullptr;
        } else {
            stage_->next({});
        }
    }

    Stage* stage_; // null at the end
    mutable detail::Slot<Item> result_;
};

template <class T>
class Stage<T>::Chunks {
public:
    class Iterator {
    public:
        using value_type = std::vector<Item>;
        using difference_type = std::ptrdiff_t;
        using iterator_concept = std::input_iterator_tag;

        std::vector<Item>& operator*() const noexcept { return chunk_; }
        Iterator& operator++() {
            advance();
            return *this;
        }
        void operator++(int) { advance(); }

        friend bool operator==(const Iterator& at, std::default_sentinel_t) noexcept {
            return at.chunk_.empty();
        }

    private:
        friend Chunks;
        explicit Iterator(Stage& stage) : stage_(&stage) { advance(); }

        void advance() {
            if (stage_->results.empty() && stage_->stop) {
                chunk_.clear();
            } else {
                chunk_ = stage_->nextChunk({});
            }
        }

        Stage* stage_;
        mutable std::vector<Item> chunk_;
    };

    Iterator begin() const { return Iterator(stage_); }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    friend Stage;
    explicit Chunks(Stage& stage) noexcept : stage_(stage) {}

    Stage& stage_;
};

} // namespace ropewalk::flow
