// What coiterate02 and coiterate04 do, the shorter way: the generator returns its result, which the Deferred of coiterate
// gives; and cancelling that Deferred closes the generator, and cancels what it waits for.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/cooperator.hpp>
#include <ropewalk/task/defer_later.hpp>
#include <ropewalk/task/errors.hpp>
#include <ropewalk/task/react.hpp>
#include <ropewalk/task/step.hpp>

#include <chrono>

namespace defer = ropewalk::defer;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using python::print;

auto& reactor = ropewalk::reactor();

task::Steps<int> sumAllIntegersUntil(int n, ropewalk::Seconds pause) {
    try {
        int s = 0;
        for (int i = 0; i < n; ++i) {
            s += i;
            print("Adding", i, "to result");
            co_yield task::deferLater(reactor, pause);
        }
        co_return s;
    } catch (const ropewalk::GeneratorExit&) {
        print("Early termination");
        throw;
    }
}

defer::Deferred<void> start(ropewalk::Reactor&) {
    const int sum = co_await task::coiterate(sumAllIntegersUntil(8, 10ms));
    print("Got result =", sum);

    auto d = task::coiterate(sumAllIntegersUntil(8, 1h));
    reactor.callLater(100ms, [d] { d.cancel("it takes too long"); });
    const auto result = co_await d.result();
    if (!result) {
        print("cancelled:", result.error().getErrorMessage());
    }
    print("timed calls that are left:", reactor.getDelayedCalls().size());
}

int main(int argc, char* argv[]) {
    return task::react(start, argc, argv);
}
