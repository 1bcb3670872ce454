#include <ropewalk/flow/april_deferred_flow.hpp>

#include <memory>
#include <utility>

#include <ropewalk/flow/living_flows.hpp>
#include <ropewalk/task/ref.hpp>

namespace ropewalk::flow2003::detail {

namespace {

using april::Cooperate;
using april::DeferredFlowOptions;
using april::FirstResult;
using april::Generator;
using april::Results;
using Where = std::source_location;

/// The flow behind its delay.
class DelayedFlow final : public flow::StageBase {
public:
    DelayedFlow(flow::Source<std::any> source, Seconds delay, Where where)
        : delay_(delay), top(std::move(source), where) {}

    flow::detail::Progress step(flow::detail::Run& run) override {
        if (!std::exchange(begun_, true)) {
            return {nullptr, &delay_};
        }
        return StageBase::ask(top, run);
    }

private:
    Cooperate delay_;
    bool begun_ = false;

public:
    Generator top;
};

/// R is Results or FirstResult.
template <class R>
class DeferredRun final : public flow::detail::LivingFlow {
    static constexpr bool firesOnOneCallback = std::same_as<R, FirstResult>;

public:
    static defer::Deferred<R> start(flow::Source<std::any> source, DeferredFlowOptions options,
                                    ReactorTime& clock, Where where) {
        auto* flow = new DeferredRun(std::move(source), options, clock, where);
        const auto kept = task::detail::Ref<DeferredRun>::adopt(*flow);
        auto anchor = flow->anchor();
        defer::Deferred<R> deferred(
            [anchor] {
                if (*anchor != nullptr) {
                    (*anchor)->cancel();
                }
            },
            where);
        flow->deferred_ = deferred;
        flow->begin();
        return deferred;
    }

private:
    DeferredRun(flow::Source<std::any> source, DeferredFlowOptions options, ReactorTime& clock, Where where)
        : LivingFlow(clock, where),
          root_(std::make_unique<DelayedFlow>(std::move(source), options.delay, where)),
          firesOnOneErrback_(options.fireOnOneErrback) {}
    ~DeferredRun() override { abandon(); }

    bool advanceToEnd() override {
        Generator& top = root_->top;
        while (this->advance(*root_)) {
            if (top.stop && !top.result.has_value()) {
                outcome_ = std::move(results_);
                return true;
            }
            const bool failed = top.isFailure();
            if (failed && firesOnOneErrback_) {
                failure_ = *std::any_cast<Failure>(&top.result);
                return true;
            }
            if constexpr (firesOnOneCallback) {
                if (!failed) {
                    outcome_ = std::pair(std::move(top.result), results_.size());
                    return true;
                }
            }
            results_.push_back(std::move(top.result));
            if (this->isCancelled()) {
                return false;
            }
            top.ask();
        }
        return false;
    }
    void fail(Failure failure) noexcept override { failure_ = std::move(failure); }
    void close() noexcept override { root_.reset(); }
    void fire() override {
        auto deferred = std::exchange(deferred_, nullptr);
        if (deferred.called()) {
            return;
        }
        if (failure_.empty()) {
            deferred.callback(std::move(outcome_), this->madeAt());
        } else {
            deferred.errback(std::move(failure_), this->madeAt());
        }
    }

    std::unique_ptr<DelayedFlow> root_; // null when it has ended
    bool firesOnOneErrback_;
    Results results_;
    R outcome_;
    Failure failure_{nullptr};
    defer::Deferred<R> deferred_ = nullptr;
};

} // namespace

template <class R>
defer::Deferred<R> startFlow(flow::Source<std::any> source, DeferredFlowOptions options, ReactorTime& clock,
                             Where where) {
    return DeferredRun<R>::start(std::move(source), options, clock, where);
}

template defer::Deferred<Results> startFlow(flow::Source<std::any>, DeferredFlowOptions, ReactorTime&, Where);
template defer::Deferred<FirstResult> startFlow(flow::Source<std::any>, DeferredFlowOptions, ReactorTime&,
                                                Where);

} // namespace ropewalk::flow2003::detail
