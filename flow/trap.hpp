#pragma once

#include <expected>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/flow/source.hpp>

namespace ropewalk::flow {

/// The classes of errors that a stage gives as results, in place of raising them: `flow::trap<IOError, KeyError>`.
template <class... Errors>
struct Trap {
    static bool matches(const Failure& failure) noexcept {
        return ((failure.check<Errors>() != nullptr) || ...);
    }
};
template <class... Errors>
inline constexpr Trap<Errors...> trap{};

namespace detail {

template <class T>
struct AsTrapped {
    using Type = Result<T>;
};
template <class T>
struct AsTrapped<Result<T>> {
    using Type = Result<T>;
};

template <class S, class... Errors>
class TrapStage;

template <class S, class... Errors>
struct Trapped {
    using Held = TrapStage<S, Errors...>;
    S source;
};

/// The results of another stage, as Results: one of these errors is the last of them.
template <class S, class... Errors>
class TrapStage final : public Stage<typename AsTrapped<ItemOf<S>>::Type> {
public:
    explicit TrapStage(Trapped<S, Errors...> trapped) : source_(std::move(trapped.source)) {}

    Progress step(Run& run) override {
        if (this->isReady()) {
            return {};
        }
        auto& source = source_.get();
        const Progress progress = this->ask(source, run);
        if (!progress.isReady()) {
            return progress;
        }
        if (!source.results.empty()) {
            for (auto& item : source.results) {
                this->results.push(std::move(item));
            }
            source.results.clear();
        } else if (source.stop) {
            this->stop = true;
        } else {
            source.stop = true;
            if (Trap<Errors...>::matches(*source.failure)) {
                this->results.push(std::unexpected(*source.failure));
                this->stop = true;
            } else {
                this->failure = source.failure;
            }
        }
        return {};
    }
    GeneratorNode* ownerOf(const StageBase& source) noexcept override {
        return source_.owns(source) ? this->owner() : nullptr;
    }

private:
    Hold<S> source_;
};

} // namespace detail
} // namespace ropewalk::flow
