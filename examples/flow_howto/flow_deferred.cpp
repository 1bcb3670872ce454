// The two requests once more, each as a flow that the reactor goes on with; a list of their Deferreds stops it. After
// flow-howto.txt, "Deferred Flow".

#include "python_text.hpp"

#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <string>

namespace defer = ropewalk::defer;
namespace flow = ropewalk::flow;

using python::print;

auto& reactor = ropewalk::reactor();

flow::Generator<> request(std::string name) {
    print(name, ": Step One");
    co_yield flow::Cooperate();
    print(name, ": Step Two");
}

int main() {
    flow::Deferred james(request("James"));
    flow::Deferred wendy(request("Wendy"));

    // run the loop, and stop it when both are done
    defer::DeferredList d(wendy, james);
    d.addCallback([](const auto&) { reactor.stop(); });
    reactor.run();
}
