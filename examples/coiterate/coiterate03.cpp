// The same sum, which waits for a Deferred at each step: a second passes between them. After coiterate.txt,
// coiterate_03.py.

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/cooperator.hpp>
#include <ropewalk/task/defer_later.hpp>
#include <ropewalk/task/step.hpp>

#include <chrono>
#include <memory>
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

    int s = 0;
    for (int i = 0; i < n; ++i) {
        s += i;
        print("Adding", i, "to result");

        auto d = waitSomeTime(1.0s);
        d.addCallback(printPauseCb);
        co_yield d; // the next step waits until d has fired
    }

    context->result = s;
}

/// A Deferred that gives the sum.
defer::Deferred<int> sumAllIntegersBeingNiceToReactor(int n) {
    // gives context->result
    const auto extractResultCb = [](ropewalk::None, const std::shared_ptr<Context>& context) {
        const int rv = context->result;
        print("Got result =", rv);
        return rv;
    };

    auto context = std::make_shared<Context>();
    auto allSumSteps = makeIteratorToSumAllIntegersUntil(n, context);

    auto deferred = task::coiterate(allSumSteps);
    return deferred.addCallback(extractResultCb, context);
}

int main() {
    reactor.callLater(0s, [] { sumAllIntegersBeingNiceToReactor(8).addBoth([] { reactor.stop(); }); });
    reactor.run();
}
