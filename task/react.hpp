#pragma once

#include <concepts>
#include <exception>
#include <functional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/shared.hpp>
#include <ropewalk/reactor/reactor.hpp>

namespace ropewalk {

/// Python's `SystemExit`: the program is to end with this exit code. What `task::react` makes of it is what it is for;
/// anywhere else it is an exception as any other.
class SystemExit : public std::exception {
public:
    explicit SystemExit(int code = 0) noexcept : code_(code) {}

    int code() const noexcept { return code_; }
    const char* what() const noexcept override { return "SystemExit"; }

private:
    int code_;
};

namespace task {
namespace detail {

/// What a run of `react` and its main's Deferred share.
class Reaction {
public:
    explicit Reaction(Reactor& reactor) : state_(std::in_place, State{&reactor}) {}

    /// What main's Deferred gave in the end. A failure that comes when `react` has returned is given back.
    void succeeded() const;
    Result<void> failed(Failure failure) const;

    /// Runs the reactor until main has finished, and returns the exit code.
    int run(std::source_location where) const;

private:
    struct State {
        Reactor* reactor; // null when the run is over
        bool finished = false;
        bool stopping = false;
        int code = 1;
    };

    void stopReactor() const;

    defer::detail::Shared<State> state_;
};

std::vector<std::string> argumentsOf(int argc, const char* const* argv);

template <class Main>
concept MainWithArguments = std::invocable<Main&, Reactor&, std::vector<std::string>>;

} // namespace detail

/// Calls `main`, runs the reactor until the Deferred that it returns has fired, and returns the program's exit code:
/// `task.react`, which ends the program instead. `main` takes a `Reactor&`, and the arguments, a
/// `std::vector<std::string>`, if it can; a coroutine will do, and may use what `main` holds until this returns.
///
///     Deferred<void> start(ropewalk::Reactor& reactor, std::vector<std::string> arguments);
///
///     int main(int argc, char* argv[]) {
///         return task::react(start, argc, argv);
///     }
///
/// The code is 0 if the Deferred fired with a value, whatever that is; that of a `SystemExit`; and 1 after any other
/// failure, which is logged, or when the reactor was stopped and `main` never finished, which is logged too. What `main`
/// throws before it returns comes out before the reactor runs, but for a `SystemExit`, whose code is returned.
template <class Main>
int react(Main&& main, std::vector<std::string> arguments, Reactor& reactor,
          std::source_location where = std::source_location::current()) {
    static_assert(detail::MainWithArguments<Main> || std::invocable<Main&, Reactor&>,
                  "ropewalk: react's main has to take a Reactor&, and perhaps a std::vector<std::string>");
    if constexpr (detail::MainWithArguments<Main> || std::invocable<Main&, Reactor&>) {
        // A coroutine may refer to them until this returns.
        std::vector<std::string> given = std::move(arguments);
        const auto call = [&]() -> decltype(auto) {
            if constexpr (detail::MainWithArguments<Main>) {
                return std::invoke(main, reactor, std::move(given));
            } else {
                return std::invoke(main, reactor);
            }
        };
        using Returned = decltype(call());
        static_assert(defer::detail::IsDeferred<Returned>,
                      "ropewalk: react's main must return a Deferred, as a coroutine does");
        if constexpr (defer::detail::IsDeferred<Returned>) {
            const detail::Reaction reaction(reactor);
            try {
                const defer::detail::Activation here(where);
                const std::decay_t<Returned> finished = call();
                finished.addCallbacks([reaction] { reaction.succeeded(); },
                                      [reaction](const Failure& failure) { return reaction.failed(failure); },
                                      where);
            } catch (const SystemExit& exit) {
                return exit.code();
            }
            return reaction.run(where);
        }
    }
}

/// With the thread's reactor.
template <class Main>
int react(Main&& main, std::vector<std::string> arguments = {},
          std::source_location where = std::source_location::current()) {
    return react(std::forward<Main>(main), std::move(arguments), reactor(), where);
}

/// With the program's arguments but for the first, which is its name.
template <class Main>
int react(Main&& main, int argc, const char* const* argv,
          std::source_location where = std::source_location::current()) {
    return react(std::forward<Main>(main), detail::argumentsOf(argc, argv), reactor(), where);
}
template <class Main>
int react(Main&& main, int argc, const char* const* argv, Reactor& reactor,
          std::source_location where = std::source_location::current()) {
    return react(std::forward<Main>(main), detail::argumentsOf(argc, argv), reactor, where);
}

} // namespace task
} // namespace ropewalk
