#pragma once

#include <exception>
#include <source_location>
#include <utility>

#include <ropewalk/flow/any_source.hpp>
#include <ropewalk/flow/source.hpp>

namespace ropewalk::flow {

namespace detail {

/// A stage over one source, which rewrites what that makes.
template <class S, class Out>
class PipeStage : public Stage<Out> {
public:
    explicit PipeStage(S source) : source_(std::move(source)) {}

    Progress step(Run& run) final {
        while (!this->isReady()) {
            auto& source = source_.get();
            const Progress progress = this->ask(source, run);
            if (!progress.isReady()) {
                return progress;
            }
            const bool ended = source.stop;
            if (source.results.empty() && !ended) {
                source.stop = true;
                this->failure = source.failure;
                break;
            }
            this->stop = ended;
            taken_.append(source.results); // others may come to the source meanwhile
            try {
                process(taken_, ended);
                taken_.clear();
            } catch (...) {
                taken_.clear();
                this->stop = false;
                source.stop = ended;
                this->failed(escaped(std::source_location::current(), {}));
            }
        }
        return {};
    }
    GeneratorNode* ownerOf(const StageBase& source) noexcept final {
        return source_.owns(source) ? this->owner() : nullptr;
    }

protected:
    /// Makes `results`, none or any number, of those of the source, which it may move from; `last` says that no
    /// others will follow. What it throws is what the stage fails with.
    virtual void process(Results<ItemOf<S>>& items, bool last) = 0;

private:
    Hold<S> source_;
    Results<ItemOf<S>> taken_;
};

} // namespace detail

/// The base of stages that rewrite what one source makes: `flow.Pipe`. Derive from it, with a
/// `void process(flow::Results<In>& items, bool last) override` that fills `results`.
///
///     struct Upper : flow::Pipe<std::string> { using Pipe::Pipe; … };
///     Upper upper(source);
///
/// It is a stage, so has a place of its own.
template <class In, class Out = In>
class Pipe : public detail::PipeStage<Source<In>, Out> {
public:
    /// Over anything that can be a source of such results.
    template <class X>
        requires(!std::derived_from<std::remove_cvref_t<X>, Pipe>)
    explicit Pipe(X&& x) : detail::PipeStage<Source<In>, Out>(Source<In>(std::forward<X>(x))) {}
};

} // namespace ropewalk::flow
