// A blocking count in a thread, merged with a count that cooperates: neither waits for the other. After flow-howto.txt,
// "Threading".

#include "python_text.hpp"

#include <ropewalk/flow/concurrent.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/flow/generator.hpp>
#include <ropewalk/flow/threaded.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/generator.hpp>

#include <chrono>
#include <string>
#include <thread>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
using python::print;
namespace flow = ropewalk::flow;
namespace task = ropewalk::task;

auto& reactor = ropewalk::reactor();

task::Generator<int> countSleep(int count) {
    for (int index = 0; index < count; ++index) {
        std::this_thread::sleep_for(350ms);
        print("sleep", index);
        co_yield index;
    }
}

flow::Generator<std::string> countCooperate(int count) {
    for (int index = 0; index < count; ++index) {
        co_yield flow::Cooperate(100ms);
        print("cooperate", index);
        co_yield "coop " + std::to_string(index);
    }
}

int main() {
    auto d = flow::Deferred(flow::Merge(flow::Threaded(countSleep(5)), countCooperate(5)));

    // # alternatively
    // auto d1 = flow::Deferred(flow::Threaded(countSleep(5)));
    // auto d2 = flow::Deferred(countCooperate(10));
    // auto d = defer::DeferredList({d1, d2});

    d.addCallback([](const std::vector<std::variant<int, std::string>>& results) {
        print(results);
        reactor.stop();
    });
    reactor.run();
}
