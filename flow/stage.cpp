#include <ropewalk/flow/stage.hpp>

#include <exception>
#include <utility>

namespace ropewalk::flow {

bool StageBase::takes(StageBase&, Instruction&, detail::Run&) {
    return false;
}

detail::GeneratorNode* StageBase::ownerOf(const StageBase&) noexcept {
    return nullptr;
}

namespace detail {

namespace {

Failure& lastRaised() {
    thread_local Failure failure{nullptr};
    return failure;
}

} // namespace

void raise(const Failure& failure, std::source_location where) {
    Failure& last = lastRaised();
    last = failure;
    last.passed(where);
    failure.raiseException();
}

Failure escaped(std::source_location began, std::source_location waitingAt) {
    std::exception_ptr error = std::current_exception();
    Failure last = std::exchange(lastRaised(), Failure(nullptr));
    if (!last.empty() && last.value() == error) {
        return last;
    }
    Failure failure(std::move(error), began);
    if (waitingAt.line() != 0) {
        failure.passed(waitingAt);
    }
    return failure;
}

void throwNotReady() {
    throw NotReadyError();
}

} // namespace detail
} // namespace ropewalk::flow
