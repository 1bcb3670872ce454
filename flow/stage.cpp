#include <ropewalk/flow/stage.hpp>

#include <cstdint>
#include <exception>
#include <limits>
#include <utility>

#include <ropewalk/flow/instruction.hpp>

namespace ropewalk::flow {

bool StageBase::takes(StageBase&, Instruction&, detail::Run&) {
    return false;
}

detail::Progress StageBase::askCarefully(StageBase& source, detail::Run& run) {
    const bool first = !std::exchange(source.known, true);
    if (source.asker != this) {
        detail::comesTo(source, this);
    }
    if (run.isDeep()) {
        return {&source, nullptr};
    }
    if (first) {
        source.direct = this;
    }
    return source.step(run);
}

detail::GeneratorNode* StageBase::ownerOf(const StageBase&) noexcept {
    return nullptr;
}

namespace detail {

namespace {

thread_local constinit std::uint32_t crossed = 0;

thread_local constinit std::source_location raisedAt; // unknown: where its generator waited last

class ClosedRun final : public Run {
public:
    ClosedRun() noexcept { deepest_ = std::numeric_limits<std::uintptr_t>::max(); }
    void arm(Instruction&, Wake) override {}
};

Failure& lastRaised() {
    thread_local Failure failure{nullptr};
    return failure;
}

} // namespace

void raise(const Failure& failure, std::source_location where) {
    Failure& last = lastRaised();
    last = failure;
    raisedAt = where;
    failure.raiseException();
}

Failure escaped(std::source_location began, std::source_location waitingAt) {
    std::exception_ptr error = std::current_exception();
    Failure last = std::exchange(lastRaised(), Failure(nullptr));
    if (!last.empty() && last.value() == error) {
        last.passed(raisedAt.line() != 0 ? raisedAt : waitingAt);
        return last;
    }
    Failure failure(std::move(error), began);
    if (waitingAt.line() != 0) {
        failure.passed(waitingAt);
    }
    return failure;
}

Run& closedRun() noexcept {
    static ClosedRun run;
    return run;
}

std::uint32_t crossings() noexcept {
    return crossed;
}

void comesTo(StageBase& source, StageBase* asker) noexcept {
    if (source.asker != nullptr) {
        ++crossed;
    }
    source.asker = asker;
    source.direct = nullptr;
}

void forgetRaised() noexcept {
    lastRaised() = Failure(nullptr);
}

void throwNotReady() {
    throw NotReadyError();
}

} // namespace detail
} // namespace ropewalk::flow
