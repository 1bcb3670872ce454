#include <ropewalk/flow/living_flows.hpp>

#include <exception>
#include <utility>

#include <ropewalk/defer/report.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/ref.hpp>

namespace ropewalk::flow::detail {

using task::detail::Ref;

LivingFlow::LivingFlow(ReactorTime& clock, std::source_location madeAt)
    : Runner(clock), Link{nullptr, nullptr}, madeAt_(madeAt) {
    alone();
    if (auto* reactor = dynamic_cast<Reactor*>(&clock)) {
        reactor->attached<LivingFlows>().add(*this);
    }
}

LivingFlow::~LivingFlow() {
    unlink();
    if (anchor_ != nullptr) {
        *anchor_ = nullptr;
    }
}

std::shared_ptr<LivingFlow*> LivingFlow::anchor() {
    if (anchor_ == nullptr) {
        anchor_ = std::make_shared<LivingFlow*>(this);
    }
    return anchor_;
}

void LivingFlow::begin() {
    go();
}

void LivingFlow::go() {
    if (state_ != State::going) {
        return;
    }
    const Ref<LivingFlow> kept(*this);
    bool ended = false;
    stepping_ = true;
    try {
        ended = advanceToEnd();
    } catch (...) {
        fail(Failure(std::current_exception(), madeAt_));
        ended = true;
    }
    stepping_ = false;
    if (state_ == State::cancelled) {
        end();
    } else if (ended) {
        end();
        fire();
    }
}

void LivingFlow::cancel() {
    if (state_ != State::going) {
        return;
    }
    const Ref<LivingFlow> kept(*this);
    state_ = State::cancelled;
    if (!stepping_) {
        end();
    }
}

void LivingFlow::end() noexcept {
    unlink();
    alone();
    if (std::exchange(state_, State::over) == State::cancelled) {
        try {
            cancelPause();
        } catch (...) {
            fail(Failure(std::current_exception(), madeAt_));
        }
    }
    close();
    forgetRaised();
}

void LivingFlow::abandon() noexcept {
    if (std::exchange(state_, State::over) == State::going) {
        defer::detail::reportAbandoned(madeAt_, "a flow that nothing can wake any more");
        close();
    }
}

LivingFlows::~LivingFlows() {
    while (!flows_.isAlone()) {
        auto& flow = static_cast<LivingFlow&>(*flows_.next);
        const Ref<LivingFlow> kept(flow);
        flow.unlink();
        flow.alone();
        flow.abandon();
    }
}

} // namespace ropewalk::flow::detail
