#pragma once

#include <source_location>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/flow/deferred_instruction.hpp>
#include <ropewalk/flow/stage.hpp>

namespace ropewalk::flow::detail {

template <class T>
using DeferredItem = std::conditional_t<std::is_void_v<T>, None, T>;

template <class T>
class DeferredStage;

template <class T>
struct DeferredSource {
    using Held = DeferredStage<T>;
    explicit DeferredSource(defer::Deferred<T> theDeferred) : deferred(std::move(theDeferred)) {}
    defer::Deferred<T> deferred;
};

/// The result of a Deferred, which it takes when it is asked for it.
template <class T>
class DeferredStage final : public Stage<DeferredItem<T>> {
public:
    explicit DeferredStage(DeferredSource<T> source) : wait_(std::move(source.deferred), *this) {}

    Progress step(Run&) override {
        if (this->isReady()) {
            return {};
        }
        if (taken_) {
            this->stop = true;
            return {};
        }
        if (wait_.isLost()) {
            taken_ = true;
            this->failed(Failure(AbandonedError("a flow waits for a Deferred that is gone")));
        } else if (!wait_.takeNow()) {
            return {nullptr, &wait_};
        }
        return {};
    }

private:
    class Taking final : public DeferredInstruction {
    public:
        Taking(defer::Deferred<T>&& deferred, DeferredStage& stage)
            : DeferredInstruction(std::move(deferred), {}), stage_(stage) {
            chain()->requireEnd(&defer::detail::tagOf<T>, {});
        }
        /// Another flow has waited for it, in vain.
        bool isLost() const noexcept { return chain() == nullptr && !isPending(); }
        bool takeNow() {
            defer::detail::Chain* there = chain();
            if (there == nullptr || !there->idle()) {
                return false;
            }
            fired(*there);
            return true;
        }

    private:
        void fired(defer::detail::Chain& from) override { stage_.take(from); }

        DeferredStage& stage_;
    };

    void take(defer::detail::Chain& from) {
        using Kind = defer::detail::Chain::Kind;
        const std::source_location where = from.madeAt;
        taken_ = true;
        if (from.kind == Kind::failure) {
            this->failed(from.failure);
        } else if constexpr (std::is_void_v<T>) {
            this->results.push(None{});
        } else if (from.kind == Kind::none) {
            if constexpr (ropewalk::NoneOf<T>::exists) {
                this->results.push(ropewalk::NoneOf<T>::value());
            } else {
                this->failed(Failure(from.noResult(where), where));
            }
        } else {
            try {
                this->results.push(std::move(from.template value<T>()));
            } catch (...) {
                this->failed(Failure(where));
            }
        }
        from.setNone("a flow", where);
    }

    Taking wait_;
    bool taken_ = false;
};

} // namespace ropewalk::flow::detail
