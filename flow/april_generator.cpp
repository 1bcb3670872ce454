#include <ropewalk/flow/april_generator.hpp>

#include <string>
#include <utility>

#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/names.hpp>
#include <ropewalk/flow/errors.hpp>

namespace ropewalk::flow2003::april {

Generator::Generator(flow::Source<std::any> source, Where where)
    : source_(std::move(source)), madeAt_(where) {
    stop = true;
}

Generator::~Generator() {
    reportUnseen();
}

bool Generator::isFailure() const {
    unseen_ = false;
    if (std::any_cast<Failure>(&result) != nullptr) {
        return true;
    }
    if (stop) {
        throw StopIteration();
    }
    return false;
}

const std::any& Generator::getResult(Where where) const {
    if (isFailure()) {
        flow::detail::raise(*std::any_cast<Failure>(&result), where);
    }
    return result;
}

void Generator::ask() noexcept {
    reportUnseen();
    asked_ = true;
}

flow::detail::Progress Generator::step(flow::detail::Run& run) {
    if (!asked_) {
        return {};
    }
    if (pause_.isPending()) {
        return {nullptr, &pause_};
    }
    flow::Stage<std::any>& source = source_.stage();
    const flow::detail::Progress progress = StageBase::ask(source, run);
    if (!progress.isReady()) {
        return progress;
    }
    if (!source.results.empty()) {
        result = source.results.popFront();
        stop = false;
    } else if (source.stop) {
        result.reset();
        stop = true;
    } else if (source.failure) {
        if (const auto* cooperate = source.failure->check<Cooperate>()) {
            pause_ = *cooperate;
            source.failure.reset();
            return {nullptr, &pause_};
        }
        result = *source.failure;
        source.failure.reset();
        source.stop = true;
        stop = true;
        unseen_ = true;
    }
    asked_ = false;
    return {};
}

flow::detail::GeneratorNode* Generator::ownerOf(const flow::StageBase& source) noexcept {
    return source_.owns(source) ? owner() : nullptr;
}

void Generator::reportUnseen() noexcept {
    if (!std::exchange(unseen_, false)) {
        return;
    }
    try {
        log::err(*std::any_cast<Failure>(&result),
                 "an error that nobody asked the Generator about that was made at " + placeName(madeAt_));
    } catch (...) {
        log::critical("an error of a flow that nobody asked about (there was no memory for its text)");
    }
}

} // namespace ropewalk::flow2003::april
