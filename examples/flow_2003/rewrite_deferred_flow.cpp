// A flow that runs by itself and gives its results to a Deferred: all of them, the last of which is a Failure; the first good
// one; or the first bad one. After flow-rewrite-2003-04.txt, DeferredFlow.

#include "python_text.hpp"

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/flow/april.hpp>
#include <ropewalk/reactor/reactor.hpp>

#include <any>
#include <string>
#include <variant>

namespace defer = ropewalk::defer;
namespace flow = ropewalk::flow2003::april;

using flow::DeferredFlow;
using python::print;
using ropewalk::Failure;
using ropewalk::IOError;

auto& reactor = ropewalk::reactor();

flow::Steps lines() {
    co_yield "one";
    co_yield flow::Cooperate();
    co_yield "two";
    throw IOError("lost");
}

std::string shown(const Failure& failure) {
    return "[Failure: IOError: " + failure.getErrorMessage() + "]";
}

void printAll(const flow::Results& results) {
    std::string list;
    for (const std::any& result : results) {
        const auto* failure = std::any_cast<Failure>(&result);
        list += (list.empty() ? "" : ", ") + (failure == nullptr ? python::repr(result) : shown(*failure));
    }
    print("[" + list + "]");
}

void printFirst(const flow::FirstResult& outcome) {
    const auto& [result, index] = std::get<0>(outcome);
    print(result);
}

void printError(const Failure& failure) {
    failure.trap<IOError>();
    print(shown(failure));
}

int main() {
    DeferredFlow(lines()).addCallback(printAll).addBoth([] {
        DeferredFlow(lines(), defer::fireOnOneCallback).addCallback(printFirst).addBoth([] {
            DeferredFlow(lines(), {.fireOnOneErrback = true}).addErrback(printError).addBoth([] {
                reactor.stop();
            });
        });
    });
    reactor.run();
}
