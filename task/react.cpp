#include <ropewalk/task/react.hpp>

#include <ropewalk/defer/log.hpp>
#include <ropewalk/reactor/errors.hpp>
#include <ropewalk/reactor/system_events.hpp>

namespace ropewalk::task::detail {

void Reaction::stopReactor() const {
    try {
        if (state_->reactor != nullptr) {
            state_->reactor->stop();
        }
    } catch (const ReactorNotRunning&) {
        log::debug("main has finished, and the reactor was stopped already");
    }
}

void Reaction::succeeded() const {
    if (state_->reactor == nullptr) {
        return;
    }
    state_->finished = true;
    state_->code = 0;
    if (!state_->stopping) {
        state_->reactor->callWhenRunning([self = *this] { self.stopReactor(); });
    }
}

Result<void> Reaction::failed(Failure failure) const {
    if (state_->reactor == nullptr) {
        return std::unexpected(std::move(failure));
    }
    state_->finished = true;
    const auto tell = [self = *this, failure] {
        if (const auto* exit = failure.check<SystemExit>()) {
            self.state_->code = exit->code();
        } else {
            log::err(failure, "main function encountered error");
            self.state_->code = 1;
        }
    };
    if (state_->stopping) {
        tell();
    } else {
        state_->reactor->callWhenRunning([self = *this, tell] {
            self.stopReactor();
            tell();
        });
    }
    return {};
}

int Reaction::run(std::source_location where) const {
    Reactor& reactor = *state_->reactor;
    const SystemEventId trigger =
        reactor.addSystemEventTrigger("before", "shutdown", [self = *this] { self.state_->stopping = true; });
    struct Over {
        ~Over() {
            Reactor& used = *std::exchange(state.reactor, nullptr);
            if (!state.stopping) {
                used.removeSystemEventTrigger(trigger);
            }
        }
        State& state;
        const SystemEventId& trigger;
    } const over{*state_, trigger};
    reactor.run(where);
    if (!state_->finished) {
        log::critical("main function never finished");
    }
    return state_->code;
}

std::vector<std::string> argumentsOf(int argc, const char* const* argv) {
    return argc > 1 ? std::vector<std::string>(argv + 1, argv + argc) : std::vector<std::string>();
}

} // namespace ropewalk::task::detail
