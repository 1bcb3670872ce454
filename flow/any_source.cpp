#include <ropewalk/flow/any_source.hpp>

#include <utility>

#include <ropewalk/defer/errors.hpp>

namespace ropewalk::flow::detail {

void buryStage(std::unique_ptr<StageBase> stage) noexcept {
    thread_local constinit StageBase* graves =
        nullptr; // linked by who asked last, which means nothing any more
    thread_local constinit bool digging = false;

    StageBase* buried = stage.release();
    buried->asker = std::exchange(graves, buried);
    if (std::exchange(digging, true)) {
        return;
    }
    while (graves != nullptr) {
        const std::unique_ptr<StageBase> next(graves);
        graves = next->asker;
        next->asker = nullptr;
    }
    digging = false;
}

void throwEmptySource() {
    throw AssertionError("a source of a flow that was moved from");
}

} // namespace ropewalk::flow::detail
