#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/flow/source.hpp>

namespace ropewalk::flow {

namespace detail {

template <class S>
class TakeStage;
template <class S>
class ChunkStage;

} // namespace detail

/// The first results of a source, `count` at most; then the source goes. Twisted has none.
///
/// A recipe, for `wrap`, a controller, or another one.
template <class S>
class Take {
public:
    using Held = detail::TakeStage<S>;

    template <class X>
    Take(X&& x, std::size_t theCount) : source(detail::source(std::forward<X>(x))), count(theCount) {}

    S source;
    std::size_t count;
};
template <class X>
Take(X&&, std::size_t) -> Take<detail::SourceOf<X>>;

/// The results of a source in vectors of `size`, of which the last may be shorter. Twisted has none. Throws `ValueError` for
/// a size of 0.
///
/// A recipe, for `wrap`, a controller, or another one.
template <class S>
class Chunk {
public:
    using Held = detail::ChunkStage<S>;

    template <class X>
    Chunk(X&& x, std::size_t theSize) : source(detail::source(std::forward<X>(x))), size(theSize) {
        if (size == 0) {
            throw ValueError("chunks of no results");
        }
    }

    S source;
    std::size_t size;
};
template <class X>
Chunk(X&&, std::size_t) -> Chunk<detail::SourceOf<X>>;

namespace detail {

template <class S>
class TakeStage final : public Stage<ResultOf<S>> {
public:
    explicit TakeStage(Take<S> take) : source_(std::in_place, std::move(take.source)), left_(take.count) {}

    Progress step(Run& run) override {
        if (this->isReady()) {
            return {};
        }
        if (left_ == 0) {
            source_.reset();
            this->stop = true;
            return {};
        }
        auto& source = source_->get();
        const Progress progress = this->ask(source, run);
        if (!progress.isReady()) {
            return progress;
        }
        if (source.results.empty()) {
            this->stop = source.stop;
            if (!source.stop) {
                source.stop = true;
                this->failure = source.failure;
            }
        } else if (source.results.size() <= left_) {
            left_ -= source.results.size();
            this->results.append(source.results);
        } else {
            for (; left_ > 0; --left_) {
                this->results.emplace(source.results.popFront());
            }
        }
        if (left_ == 0) {
            source_.reset();
            this->stop = true;
        }
        return {};
    }
    GeneratorNode* ownerOf(const StageBase& source) noexcept override {
        return source_ && source_->owns(source) ? this->owner() : nullptr;
    }

private:
    std::optional<Hold<S>> source_;
    std::size_t left_;
};

template <class S>
class ChunkStage final : public Stage<std::vector<ItemOf<S>>> {
public:
    explicit ChunkStage(Chunk<S> chunk) : source_(std::move(chunk.source)), size_(chunk.size) {}

    Progress step(Run& run) override {
        auto& source = source_.get();
        while (!this->isReady()) {
            const Progress progress = this->ask(source, run);
            if (!progress.isReady()) {
                return progress;
            }
            for (; !source.results.empty(); begun_.push_back(source.results.popFront())) {
                if (begun_.size() == size_) {
                    give();
                }
            }
            if (begun_.size() == size_ || ((source.stop || source.failure) && !begun_.empty())) {
                give();
            }
            if (source.stop) {
                this->stop = true;
            } else if (source.failure) {
                source.stop = true;
                this->failure = source.failure;
            }
        }
        return {};
    }
    GeneratorNode* ownerOf(const StageBase& source) noexcept override {
        return source_.owns(source) ? this->owner() : nullptr;
    }

private:
    void give() {
        this->results.emplace(std::exchange(begun_, {}));
        begun_.reserve(size_);
    }

    Hold<S> source_;
    std::size_t size_;
    std::vector<ItemOf<S>> begun_;
};

} // namespace detail
} // namespace ropewalk::flow
