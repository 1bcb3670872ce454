// The same sum, and how its result gets out: through a context that the steps leave it in. After coiterate.txt,
// coiterate_02.py. (sum_in_steps shows a shorter way.)

#include "python_text.hpp"

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/cooperator.hpp>
#include <ropewalk/task/step.hpp>

#include <chrono>
#include <memory>

namespace defer = ropewalk::defer;
namespace task = ropewalk::task;

using namespace std::chrono_literals;
using python::print;

auto& reactor = ropewalk::reactor();

struct Context {
    int result = 0;
};

task::Steps<> makeIteratorToSumAllIntegersUntil(int n, std::shared_ptr<Context> context) {
    int s = 0;
    for (int i = 0; i < n; ++i) {
        s += i;
        print("Adding", i, "to result");
        co_yield {}; // the event loop may see to other things
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
