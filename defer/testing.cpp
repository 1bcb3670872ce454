#include <ropewalk/defer/testing.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/names.hpp>

namespace ropewalk::defer::detail {

bool hasResult(const Chain& chain) noexcept {
    return chain.idle();
}

std::string nameOf(const Chain& chain) {
    return "Deferred made at " + placeName(chain.madeAt);
}

std::string stateOf(const Chain& chain) {
    if (!chain.called && chain.coroutine) return "its coroutine hasn't ended";
    if (!chain.called) return "it hasn't been fired";
    if (chain.running) return "its callbacks are running";
    if (chain.waiting) return "it waits for a Deferred that a callback returned";
    if (chain.paused != 0) return "it is paused";
    switch (chain.kind) {
        case Chain::Kind::failure:
            return "it has failed:\n" + chain.failure.getTraceback();
        case Chain::Kind::none: {
            const Taker taker = chain.taker();
            return std::string("its result is None: ") + taker.who + " took it at " + placeName(taker.where);
        }
        default:
            return "it has a result of type " + typeName(*chain.end->info);
    }
}

void failAssertion(const std::string& text, std::source_location where) {
    throw AssertionError(placeName(where) + ": " + text);
}

void failOtherType(const std::type_info* const* expected, std::size_t count, const Failure& found,
                   const std::string& name, std::source_location where) {
    std::string types;
    for (std::size_t i = 0; i < count; ++i) types += (i == 0 ? "" : " or ") + typeName(*expected[i]);
    failAssertion("a failure of type " + types + " was expected of the " + name +
                      ", but it has failed with " + typeName(found.type()) + ":\n" + found.getTraceback(),
                  where);
}

} // namespace ropewalk::defer::detail
