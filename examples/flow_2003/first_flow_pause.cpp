// An iterator that pauses the flow it is in, as if something blocked now and then: other events have their turn meanwhile, and
// the flow goes on where it was. After flow-first-2003-03.txt.

#include "python_text.hpp"

#include <ropewalk/flow/march.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/errors.hpp>

#include <chrono>

namespace march = ropewalk::flow2003::march;

using namespace std::chrono_literals;
using march::Flow;
using march::PauseFlow;
using python::print;
using ropewalk::StopIteration;

auto& reactor = ropewalk::reactor();

void printResult(int data) {
    print(data);
}

void finished() {
    reactor.stop();
}

class SimpleIterator {
public:
    explicit SimpleIterator(int data) : data_(data) {}

    int next() {
        print(".");
        if (data_ < 0) {
            throw StopIteration();
        }
        const int ret = data_;
        data_ -= 1;
        // something that blocks stands here, sometimes
        if (ret % 2 != 0) {
            throw PauseFlow(); // to the reactor's loop
        }
        return ret;
    }

private:
    int data_;
};

int main() {
    Flow c;
    c.addBranch([](int data) { return SimpleIterator(data); }, finished);
    c.addFunction(printResult);
    c.execute(4);
    reactor.run();
}
