#include <ropewalk/defer/living.hpp>

#include <ropewalk/defer/coroutine_base.hpp>
#include <ropewalk/defer/names.hpp>

namespace ropewalk::defer {

std::string LivingCoroutine::str() const {
    const std::string name = "coroutine " + functionName(began);
    if (!suspended) {
        return name + ", running";
    }
    return name + ", waiting at " + placeName(waitingAt) + " on a Deferred made at " + placeName(madeAt);
}

std::vector<LivingCoroutine> livingCoroutines() {
    std::vector<LivingCoroutine> living;
    for (const auto* promise = detail::ThreadState::here.coroutines; promise != nullptr;
         promise = promise->next) {
        LivingCoroutine coroutine{promise->began, promise->awaiting != nullptr, {}, {}};
        if (coroutine.suspended) {
            coroutine.waitingAt = promise->waitingAt;
            coroutine.madeAt = promise->awaiting->madeAt;
        }
        living.push_back(coroutine);
    }
    return living;
}

std::string LivingDeferred::str() const {
    return "Deferred made at " + placeName(madeAt) + ", " + std::to_string(handles) + " handles, " +
           (waiting ? "waiting" : "unfired");
}

std::vector<LivingDeferred> livingDeferreds() {
    std::vector<LivingDeferred> living;
#if ROPEWALK_CHECKS
    for (const auto* chain = detail::ThreadState::here.chains; chain != nullptr; chain = chain->nextLiving) {
        if (!chain->called || chain->waiting) {
            living.push_back({chain->madeAt, chain->references, chain->waiting});
        }
    }
#endif
    return living;
}

std::string taskDump() {
    std::string text;
    for (const LivingCoroutine& coroutine : livingCoroutines()) {
        text += coroutine.str() + '\n';
    }
    for (const LivingDeferred& deferred : livingDeferreds()) {
        text += deferred.str() + '\n';
    }
    return text;
}

} // namespace ropewalk::defer
