#include <ropewalk/defer/report.hpp>

#include <string>

#include <ropewalk/defer/failure.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/names.hpp>
#include <ropewalk/defer/slot.hpp>

namespace ropewalk::defer::detail {

void reportUnhandled(const Failure& failure) noexcept {
    log::unhandled(failure);
}

void reportAbandoned(std::source_location began, std::source_location waitingAt,
                     std::source_location madeAt) noexcept {
    try {
        reportAbandoned(began,
                        "waiting at " + placeName(waitingAt) + " on a Deferred made at " + placeName(madeAt));
    } catch (...) {
        reportAbandoned(began, {});
    }
}

void reportAbandoned(std::source_location began, std::string_view why) noexcept {
    try {
        log::abandoned("abandoned: " + functionName(began) + ", " + std::string(why));
    } catch (...) {
        log::abandoned("abandoned: a coroutine (there was no memory for its name)");
    }
}

void destructorThrew() noexcept {
    try {
        log::failure("Exception out of a destructor", Failure());
    } catch (...) {
        log::critical("Exception out of a destructor (there was no memory for its text)");
    }
}

} // namespace ropewalk::defer::detail
