#include <ropewalk/flow/march_stack.hpp>

#include <algorithm>
#include <string>
#include <utility>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/names.hpp>
#include <ropewalk/flow/instruction.hpp>

namespace ropewalk::flow2003::detail {

using flow::detail::Progress;
using march::PauseFlow;

namespace {

/// Of the stage behind which there is nothing, or of none.
std::string nameBefore(Link link) {
    if (link.at == 0) {
        return "an empty flow";
    }
    const StageName& last = (*link.stages)[link.at - 1]->name;
    return std::string(last.name) + " at " + placeName(last.madeAt);
}

} // namespace

Stack::Stack(std::shared_ptr<const Stages> stages, std::any data, Seconds waitInterval)
    : stages_(std::move(stages)), pause_(waitInterval), current_{stages_.get(), 0} {
    frames_.push_back(End{global_});
    push(current_, std::move(data));
}

Stack::~Stack() {
    while (!frames_.empty()) {
        frames_.pop_back();
    }
}

Progress Stack::step(flow::detail::Run& run) {
    if (pause_.isPending()) {
        return {nullptr, &pause_};
    }
    try {
        while (!stop && !failure) {
            if (frames_.empty()) {
                stop = true;
            } else if (const Progress progress = stepTop(run); !progress.isReady()) {
                return progress;
            }
        }
    } catch (const PauseFlow&) {
        return {nullptr, &pause_};
    } catch (...) {
        const MarchStage* stage = current_.stage();
        failed(flow::detail::escaped(stage == nullptr ? std::source_location() : stage->name.madeAt, {}));
    }
    return {};
}

Progress Stack::stepTop(flow::detail::Run& run) {
    if (std::holds_alternative<Iteration>(frames_.back())) {
        return iterate(run);
    }
    if (std::holds_alternative<Call>(frames_.back())) {
        call();
    } else {
        flush();
    }
    return {};
}

void Stack::call() {
    Call top = std::get<Call>(std::move(frames_.back()));
    frames_.pop_back();
    MarchStage* stage = top.to.stage();
    if (stage == nullptr) {
        throw RuntimeError("unconsumed data behind " + nameBefore(top.to));
    }
    current_ = top.to;
    try {
        (*stage)(*this, top.value);
    } catch (const PauseFlow&) {
        frames_.push_back(std::move(top));
        throw;
    }
}

Progress Stack::iterate(flow::detail::Run& run) {
    auto& top = std::get<Iteration>(frames_.back());
    current_ = {top.to.stages, top.to.at - 1};
    flow::Stage<std::any>& source = top.source.stage();
    const Progress progress = ask(source, run);
    if (!progress.isReady()) {
        return progress;
    }
    if (!source.results.empty()) {
        push(top.to, source.results.popFront());
    } else if (source.stop) {
        if (*top.onFinish) {
            (*top.onFinish)(*context_);
        }
        frames_.pop_back();
    } else if (source.failure) {
        const Failure error = *source.failure;
        source.failure.reset();
        flow::detail::raise(error, current_.stage()->name.madeAt);
    }
    return {};
}

void Stack::flush() {
    Context& ending = *std::get<End>(frames_.back()).context;
    if (ending.flushes.empty()) {
        context_ = ending.parent();
        frames_.pop_back();
        return;
    }
    if (Notice* notice = ending.flushes.front().notice) {
        (*notice)(ending);
        ending.flushes.pop_front();
        return;
    }
    const Flush due = std::move(ending.flushes.front());
    ending.flushes.pop_front();
    push(due.to, *ending.find(due.bucket));
}

void Stack::nest() {
    context_ = std::make_shared<Context>(context_);
    frames_.push_back(End{context_});
}

flow::detail::GeneratorNode* Stack::ownerOf(const flow::StageBase& source) noexcept {
    const bool owns = std::ranges::any_of(frames_, [&source](const auto& frame) {
        const auto* iteration = std::get_if<Iteration>(&frame);
        return iteration != nullptr && iteration->source.owns(source);
    });
    return owns ? owner() : nullptr;
}

} // namespace ropewalk::flow2003::detail
