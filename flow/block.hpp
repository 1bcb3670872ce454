#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <source_location>
#include <utility>

#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/flow/runner.hpp>
#include <ropewalk/flow/source.hpp>
#include <ropewalk/flow/trap.hpp>
#include <ropewalk/task/clock.hpp>

namespace ropewalk::flow {

/// What a `Block` sleeps with.
using Sleep = std::move_only_function<void(Seconds)>;

namespace detail {

/// Takes a flow on, and sleeps while it pauses.
class Blocking : private Walk {
public:
    explicit Blocking(Sleep sleep);
    Blocking(const Blocking&) = delete;
    Blocking& operator=(const Blocking&) = delete;
    ~Blocking() { forgetRaised(); }

    void advance(StageBase& root) {
        while (Instruction* pause = step(root)) {
            outsleep(*pause);
        }
    }

private:
    void arm(Instruction& pause, Wake wake) override;
    void outsleep(Instruction& pause);

    Sleep sleep_;
    task::Clock clock_;
};

} // namespace detail

/// A flow as a range, for threads that may block: `flow.Block`. Where the flow cooperates, it sleeps. It refuses all other
/// pauses with `Unsupported`, since nothing could end them meanwhile.
///
///     for (int n : flow::Block(Consumer())) …
///
/// It has a place of its own, as a stage has; `sleep` takes the place of the system's.
template <class S>
class Block {
    using Stage = typename detail::Hold<S>::Stage;

public:
    using Item = typename Stage::Item;

    template <class X>
        requires detail::notItself<Block, X>
    explicit Block(X&& x, Sleep sleep = nullptr)
        : blocking_(std::move(sleep)), stage_(detail::source(std::forward<X>(x))) {}
    /// With errors that are results, as for `wrap`.
    template <class X, class... Errors>
    Block(X&& x, Trap<Errors...>, Sleep sleep = nullptr)
        : blocking_(std::move(sleep)),
          stage_(detail::Trapped<detail::SourceOf<X>, Errors...>{detail::source(std::forward<X>(x))}) {}
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    /// The next result. Throws `StopIteration` at the end, what the flow fails with, and `Unsupported`.
    Item next(std::source_location where = std::source_location::current()) {
        Stage& stage = stage_.get();
        if (stage.results.empty()) {
            blocking_.advance(stage);
        }
        return stage.next(where);
    }

    class Iterator {
    public:
        using value_type = Item;
        using difference_type = std::ptrdiff_t;
        using iterator_concept = std::input_iterator_tag;

        Item& operator*() const noexcept { return *item_; }
        Iterator& operator++() {
            advance();
            return *this;
        }
        void operator++(int) { advance(); }

        friend bool operator==(const Iterator& at, std::default_sentinel_t) noexcept {
            return !at.item_.has_value();
        }

    private:
        friend Block;
        explicit Iterator(Block& block) : block_(&block) { advance(); }

        void advance() {
            item_.reset();
            Stage& stage = block_->stage_.get();
            if (stage.results.empty()) {
                block_->blocking_.advance(stage);
                if (stage.results.empty() && stage.stop) {
                    return;
                }
            }
            item_.emplace(stage.next());
        }

        Block* block_;
        mutable std::optional<Item> item_;
    };
    Iterator begin() { return Iterator(*this); }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    detail::Blocking blocking_;
    detail::Hold<S> stage_;
};

template <class X>
Block(X&&) -> Block<detail::SourceOf<X>>;
template <class X>
Block(X&&, Sleep) -> Block<detail::SourceOf<X>>;
template <class X, class... Errors>
Block(X&&, Trap<Errors...>) -> Block<detail::Trapped<detail::SourceOf<X>, Errors...>>;
template <class X, class... Errors>
Block(X&&, Trap<Errors...>, Sleep) -> Block<detail::Trapped<detail::SourceOf<X>, Errors...>>;

} // namespace ropewalk::flow
