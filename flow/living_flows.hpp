#pragma once

#include <memory>
#include <source_location>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/flow/runner.hpp>
#include <ropewalk/reactor/call.hpp>

namespace ropewalk {
class Reactor;
}

namespace ropewalk::flow::detail {

/// A flow that runs by itself, on a clock, to its end. A reactor that goes ends those that are left.
class LivingFlow : public Runner, private ropewalk::detail::Link {
public:
    std::source_location madeAt() const noexcept { return madeAt_; }

    /// It won't go on, nor fire: in the midst of a step, when that is over.
    void cancel();

protected:
    LivingFlow(ReactorTime& clock, std::source_location madeAt);
    ~LivingFlow() override;

    /// What names it, and is null when it is gone.
    std::shared_ptr<LivingFlow*> anchor();
    void begin();
    bool isCancelled() const noexcept { return state_ != State::going; }
    /// For the destructor of what derives from it.
    void abandon() noexcept;

    /// True at its end: then there is a result, or a failure.
    virtual bool advanceToEnd() = 0;
    /// It can't go on, for that reason.
    virtual void fail(Failure failure) noexcept = 0;
    /// Its stages go.
    virtual void close() noexcept = 0;
    /// Whoever asked is told what came out.
    virtual void fire() = 0;

private:
    friend class LivingFlows;
    enum class State : unsigned char { going, cancelled, over };

    void go() final;
    void end() noexcept;
    template <auto act>
    void inTurn();

    std::shared_ptr<LivingFlow*> anchor_;
    std::source_location madeAt_;
    LivingFlow* nextInTurn_ = nullptr;
    State state_ = State::going;
    bool stepping_ = false;
};

/// The flows of a reactor.
class LivingFlows {
public:
    explicit LivingFlows(Reactor&) noexcept { flows_.alone(); }
    LivingFlows(const LivingFlows&) = delete;
    LivingFlows& operator=(const LivingFlows&) = delete;
    ~LivingFlows();

    void add(LivingFlow& flow) noexcept { flows_.insert(flow); }

private:
    ropewalk::detail::Link flows_{nullptr, nullptr};
};

} // namespace ropewalk::flow::detail
