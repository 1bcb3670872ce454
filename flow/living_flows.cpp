#include <ropewalk/flow/living_flows.hpp>

#include <exception>
#include <utility>

#include <ropewalk/defer/log.hpp>
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
        inTurn<&LivingFlow::fire>();
    }
}

/// A flow may wait for the Deferred of another, and that for one more, and so on: where this would nest deeply, the innermost
/// of a few does it for the rest, one after another.
template <auto act>
void LivingFlow::inTurn() {
    struct Turns {
        int nested = 0;
        LivingFlow* first = nullptr;
        LivingFlow** last = &first;
    };
    constexpr int most = 50;
    thread_local Turns turns;

    if (turns.nested == most) {
        retain();
        *turns.last = this;
        turns.last = &nextInTurn_;
        return;
    }
    struct Nesting {
        Nesting() noexcept { ++turns.nested; }
        ~Nesting() { --turns.nested; }
    } const nesting;
    (this->*act)();
    while (turns.nested == most && turns.first != nullptr) {
        const Ref<LivingFlow> waiting = Ref<LivingFlow>::adopt(*turns.first);
        turns.first = std::exchange(waiting->nextInTurn_, nullptr);
        if (turns.first == nullptr) {
            turns.last = &turns.first;
        }
        ((*waiting).*act)();
    }
}

void LivingFlow::cancel() {
    if (state_ != State::going) {
        return;
    }
    const Ref<LivingFlow> kept(*this);
    state_ = State::cancelled;
    if (!stepping_) {
        inTurn<&LivingFlow::end>();
    }
}

void LivingFlow::end() noexcept {
    unlink();
    alone();
    if (std::exchange(state_, State::over) == State::cancelled) {
        try {
            cancelPause();
        } catch (...) {
            log::failure("Exception out of what a flow waited for, when that was cancelled", Failure());
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
