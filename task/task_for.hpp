#pragma once

#include <concepts>
#include <exception>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/if_pending.hpp>
#include <ropewalk/defer/members.hpp>
#include <ropewalk/task/ref.hpp>
#include <ropewalk/task/step_sources.hpp>
#include <ropewalk/task/task_base.hpp>

/// The parts of a task that know its types.
namespace ropewalk::task::detail {

/// A task whose steps leave a Return in the end, and those who asked for it.
template <class Return>
class TaskFor : public TaskBase {
public:
    using Where = std::source_location;

    defer::Deferred<Return> whenDone(Where where) {
        defer::Deferred<Return> d(where);
        chainOf(d).makerFires = true;
        if (isOver()) {
            give(d, false);
        } else {
            asked_.push_back(d);
        }
        return d;
    }
    /// The same; cancelling it stops the task.
    defer::Deferred<Return> result(Where where) {
        defer::Deferred<Return> d = whenDone(where);
        if (!isOver()) {
            chainOf(d).maker.canceller = &canceller_;
        }
        return d;
    }

protected:
    using Result = defer::detail::NoneForVoid<Return>;

    using TaskBase::TaskBase;
    ~TaskFor() override {
        if (!told_) {
            reportIfFailed(failure_);
        }
    }
    /// Nobody can stop it any more.
    void disown() noexcept {
        for (const defer::Deferred<Return>& d : asked_) {
            defer::detail::Chain& chain = chainOf(d);
            if (!chain.called && chain.maker.canceller == &canceller_) {
                chain.maker.canceller = nullptr;
            }
        }
    }

    void forget(const Failure& failure) noexcept override {
        disown();
        failure_ = failure;
        const std::vector<defer::Deferred<Return>> asked = std::exchange(asked_, {});
    }

    std::optional<Result> result_;

private:
    struct Canceller final : defer::detail::Canceller {
        explicit Canceller(TaskFor& theTask) noexcept : task(theTask) {
            call = [](defer::detail::Canceller& self, defer::detail::Chain&, const std::exception_ptr& error,
                      Where) {
                auto& canceller = static_cast<Canceller&>(self);
                canceller.kept = Ref<TaskBase>(canceller.task);
                canceller.task.end(State::stopped, error);
                return true;
            };
            destroy = [](defer::detail::Canceller* self) noexcept {
                const auto last = std::exchange(static_cast<Canceller*>(self)->kept, {});
            };
        }
        TaskFor& task;
        Ref<TaskBase> kept; // while it is called, for it is a part of the task
    };

    static defer::detail::Chain& chainOf(const defer::Deferred<Return>& d) noexcept {
        return *defer::detail::Access::chainOf(d);
    }

    void tell(const Failure& failure) override {
        failure_ = failure;
        const std::vector<defer::Deferred<Return>> asked = std::exchange(asked_, {});
        for (const defer::Deferred<Return>& d : asked) {
            give(d, &d == &asked.back() && !hasHandles());
        }
    }
    void give(const defer::Deferred<Return>& d, bool isLast) {
        defer::detail::Chain& chain = chainOf(d);
        if (chain.called) {
            return;
        }
        told_ = true;
        try {
            fill(chain, isLast);
        } catch (...) {
            chain.setFailure(Failure(madeAt()));
        }
        chain.fired(madeAt());
    }
    void fill(defer::detail::Chain& chain, bool isLast) {
        if (!failure_.empty()) {
            chain.setFailure(failure_);
        } else if constexpr (std::is_void_v<Return>) {
            chain.setVoid();
        } else if (!result_) {
            chain.setNone(moved_ ? "who asked first" : "nobody: its steps ended without one", madeAt());
        } else if (isLast || !defer::detail::isCopyable<Return>) {
            Return& result = *result_;
            moved_ = true;
            chain.emplace<Return>(std::move(result));
            result_.reset();
        } else if constexpr (defer::detail::isCopyable<Return>) {
            chain.emplace<Return>(std::as_const(*result_));
        }
    }

    std::vector<defer::Deferred<Return>> asked_;
    Canceller canceller_{*this};
    Failure failure_{nullptr};
    bool told_ = false;
    bool moved_ = false;
};

/// A task with its steps.
template <class Source>
class TaskOf final : public TaskFor<typename Source::Return> {
public:
    TaskOf(CooperatorCore& core, Source source, std::source_location where)
        : TaskFor<typename Source::Return>(core, where), source_(std::move(source)) {}

private:
    ~TaskOf() override {
        this->disown();
        this->reportIfAbandoned();
    }

    bool step() override {
        return source().next([&](auto&&... left) { (this->take(std::forward<decltype(left)>(left)), ...); });
    }
    template <class Left>
    void take(Left&& left) {
        using Value = std::remove_cvref_t<Left>;
        if constexpr (std::same_as<Value, Step>) {
            if (left.waits()) {
                this->await(std::forward<Left>(left));
            }
        } else if constexpr (defer::detail::IsDeferred<Value> ||
                             std::same_as<Value, defer::DeferredIfPending> ||
                             std::same_as<Value, defer::Failed> || std::same_as<Value, Failure> ||
                             defer::detail::Outcome<Value>::isResult) {
            if constexpr (std::is_lvalue_reference_v<Left> && defer::detail::IsDeferred<Value>) {
                this->await(Step::ofHandle(left, this->madeAt()));
            } else {
                this->await(Step(std::forward<Left>(left), this->madeAt()));
            }
        }
    }
    void close() override { source().close(); }
    bool keeps(const void* handle) const noexcept override { return source_ && source_->keeps(handle); }
    void dropSteps() noexcept override { source_.reset(); }
    void keepResult() override {
        if constexpr (!std::is_void_v<typename Source::Return>) {
            auto* result = source().result();
            if (result == nullptr) {
                return;
            }
            if constexpr (defer::detail::isCopyable<typename Source::Return>) {
                if (source().isShared()) {
                    this->result_.emplace(std::as_const(*result));
                    return;
                }
            }
            this->result_.emplace(std::move(*result));
        }
    }
    /// There until the task is over.
    Source& source() noexcept {
        if (!source_) {
            std::terminate();
        }
        return *source_;
    }
    std::source_location began() const noexcept override {
        return source_ ? source_->began(this->madeAt()) : this->madeAt();
    }

    std::optional<Source> source_;
};

} // namespace ropewalk::task::detail
