// The same sum, cancelled after three seconds: that closes the generator, which takes back what it waits for. After
// coiterate.txt, coiterate_04.py. (sum_in_steps shows a shorter way.)

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/failure.hpp>
#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/cooperator.hpp>
#include <ropewalk/task/defer_later.hpp>
#include <ropewalk/task/errors.hpp>
#include <ropewalk/task/step.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace defer = ropewalk::defer;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using python::print;

auto& reactor = ropewalk::reactor();

struct Context {
    int result = 0;
};

task::Steps<> makeIteratorToSumAllIntegersUntil(int n, std::shared_ptr<Context> context) {
    // a Deferred that fires after t
    const auto waitSomeTime = [](ropewalk::Seconds t) {
        return task::deferLater(reactor, t,
                                [t] { return "I was paused " + python::fixed(t.count(), 2) + " seconds"; });
    };

    // prints what that gives
    const auto printPauseCb = [](const std::string& msg) { print(msg); };

    defer::Deferred<std::string> d = nullptr;
    int s = 0;

    try {
        for (int i = 0; i < n; ++i) {
            s += i;
            print("Adding", i, "to result");

            d = waitSomeTime(1.0s);
            d.addCallback(printPauseCb);
            co_yield d; // the next step waits until d has fired
        }

        context->result = s;

    } catch (const ropewalk::GeneratorExit&) {
        print("---");
        print("Early termination...");

        // cancel the Deferred that is pending
        if (d && !d.called()) {
            d.cancel();
        }
    }
}

/// A Deferred that gives the sum, and nothing if it is cancelled.
defer::Deferred<std::optional<int>> sumAllIntegersBeingNiceToReactor(int n) {
    // gives context->result
    const auto extractResultCb = [](ropewalk::None,
                                    const std::shared_ptr<Context>& context) -> std::optional<int> {
        const int rv = context->result;
        return rv;
    };

    // traps the CancelledError, which would be reported as unhandled
    const auto suppressCancelLogEb = [](const ropewalk::Failure& error) {
        error.trap<defer::CancelledError>();
    };

    auto context = std::make_shared<Context>();
    auto allSumSteps = makeIteratorToSumAllIntegersUntil(n, context);

    defer::Deferred<void> deferred([allSumSteps] { allSumSteps.close(); });
    task::coiterate(allSumSteps).chainDeferred(deferred);
    return deferred.addCallback(extractResultCb, context).addErrback(suppressCancelLogEb);
}

/// Starts to sum integers, and stops after 3 seconds.
void startAndCancel() {
    // prints the result, if there is one
    const auto printResultCb = [](std::optional<int> res) {
        if (res) {
            print("Got result =", *res);
        }
    };

    // start the sum, in steps
    auto d = sumAllIntegersBeingNiceToReactor(8);
    auto printed = d.addCallback(printResultCb);

    // cancel it after 3.00 seconds
    reactor.callLater(3.0s, [d] { d.cancel(); });

    // end the program later, when a pause that had not been cancelled would be over
    printed.addBoth([] { reactor.callLater(1.1s, [] { reactor.stop(); }); });
}

int main() {
    reactor.callLater(0s, startAndCancel);
    reactor.run();
}
