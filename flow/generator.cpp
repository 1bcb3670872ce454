#include <ropewalk/flow/generator.hpp>

#include <utility>

namespace ropewalk::flow::detail {

void GeneratorState::drop() noexcept {
    thread_local constinit GeneratorState* graves = nullptr;
    thread_local constinit bool digging = false;

    if (!unstarted()) {
        release();
        return;
    }
    nextGrave_ = std::exchange(graves, this);
    if (std::exchange(digging, true)) {
        return;
    }
    while (graves != nullptr) {
        std::exchange(graves, graves->nextGrave_)->release();
    }
    digging = false;
}

} // namespace ropewalk::flow::detail
